//! What a developer could write by hand for this one application: a layer and an
//! extractor for one type, a signed cookie, a sharded map of MessagePack bytes.
//!
//! It has the safety of the cookie and of the store that the others are measured
//! with: constant-time verification, ids that only the server makes, expiry, and
//! compare-and-swap instead of a blind write. It has no rotation, logout, merge,
//! renewal of the expiry, removal of expired records or change of keys.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{FromRequestParts, Path, Request};
use axum::response::Response;
use axum::routing::{Route, get};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use tower::{Layer, Service};

use super::bare::ignore;
use crate::encoding::{decode, encode};
use crate::signed_ids::{Id, SignedIds};
use crate::visitor::Visitor;

const SHARDS: usize = 16;

pub fn in_memory(lifetime: Duration) -> Router {
    let sessions = Sessions { ids: SignedIds::new(), shards: Default::default(), lifetime };
    Router::new()
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", get(change))
        .route("/fill/{bytes}", get(fill))
        .route("/show", get(show))
        .layer(SessionLayer(Arc::new(sessions)))
}

async fn read(session: Session) -> &'static str {
    black_box(&*session);
    "seen"
}

async fn change(mut session: Session) -> &'static str {
    session.visits += 1;
    "seen"
}

async fn fill(mut session: Session, Path(bytes): Path<usize>) -> &'static str {
    *session = Visitor::of_size(bytes);
    "seen"
}

async fn show(session: Session) -> String {
    session.describe()
}

struct Sessions {
    ids: SignedIds,
    shards: [Mutex<HashMap<Id, Record>>; SHARDS],
    lifetime: Duration,
}

struct Record {
    bytes: Arc<[u8]>,
    revision: u64,
    expires: Instant,
}

impl Sessions {
    fn load(&self, headers: &HeaderMap) -> Option<(Visitor, Stored)> {
        let id = self.ids.id(headers)?;
        let (bytes, revision) = {
            let shard = self.shard(&id).lock().expect("no panic under the lock");
            let record = shard.get(&id).filter(|record| record.expires > Instant::now())?;
            (record.bytes.clone(), record.revision)
        };
        Some((decode(&bytes)?, Stored { id, revision }))
    }

    /// The cookie of a new session; `None` when another request was faster.
    fn save(&self, changed: Changed) -> Result<Option<HeaderValue>, Conflict> {
        let bytes = encode(&changed.visitor).into();
        let expires = Instant::now() + self.lifetime;
        let Some(Stored { id, revision }) = changed.stored else {
            let (id, cookie) = self.ids.issue();
            let mut shard = self.shard(&id).lock().expect("no panic under the lock");
            shard.insert(id, Record { bytes, revision: 0, expires });
            return Ok(Some(HeaderValue::try_from(cookie).expect("ASCII")));
        };
        let mut shard = self.shard(&id).lock().expect("no panic under the lock");
        let record = shard.get_mut(&id).filter(|record| record.revision == revision);
        *record.ok_or(Conflict)? = Record { bytes, revision: revision + 1, expires };
        Ok(None)
    }

    fn shard(&self, id: &Id) -> &Mutex<HashMap<Id, Record>> {
        &self.shards[usize::from(id[0]) % SHARDS]
    }
}

struct Conflict;

#[derive(Clone, Copy)]
struct Stored {
    id: Id,
    revision: u64,
}

struct Changed {
    visitor: Visitor,
    stored: Option<Stored>,
}

/// What the extractor and the layer of one request share.
struct Slot {
    sessions: Arc<Sessions>,
    changed: Option<Changed>,
}

tokio::task_local! {
    static SLOT: RefCell<Slot>;
}

/// The session of a request, which is saved after the handler if it was borrowed
/// mutably.
struct Session {
    visitor: Visitor,
    stored: Option<Stored>,
    changed: bool,
}

impl Deref for Session {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Visitor {
        self.changed = true;
        &mut self.visitor
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let loaded = SLOT.with(|slot| slot.borrow().sessions.load(&parts.headers));
        let (visitor, stored) = match loaded {
            Some((visitor, stored)) => (visitor, Some(stored)),
            None => (Visitor::default(), None),
        };
        Ok(Self { visitor, stored, changed: false })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.changed {
            let visitor = std::mem::take(&mut self.visitor);
            let changed = Changed { visitor, stored: self.stored };
            SLOT.with(|slot| slot.borrow_mut().changed = Some(changed));
        }
    }
}

#[derive(Clone)]
struct SessionLayer(Arc<Sessions>);

impl Layer<Route> for SessionLayer {
    type Service = SessionService;

    fn layer(&self, inner: Route) -> SessionService {
        SessionService { sessions: self.0.clone(), inner }
    }
}

#[derive(Clone)]
struct SessionService {
    sessions: Arc<Sessions>,
    inner: Route,
}

impl Service<Request> for SessionService {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request>::poll_ready(&mut self.inner, cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let slot = RefCell::new(Slot { sessions: self.sessions.clone(), changed: None });
        let response = self.inner.call(request);
        Box::pin(SLOT.scope(slot, async move {
            let mut response = response.await?;
            let saved = SLOT.with(|slot| {
                let mut slot = slot.borrow_mut();
                slot.changed.take().map(|changed| slot.sessions.save(changed))
            });
            match saved {
                None | Some(Ok(None)) => {}
                Some(Ok(Some(cookie))) => {
                    response.headers_mut().append(SET_COOKIE, cookie);
                }
                Some(Err(Conflict)) => *response.status_mut() = StatusCode::CONFLICT,
            }
            Ok(response)
        }))
    }
}
