//! The tower middleware: a layer that opens the session when a handler asks for
//! it, and saves it when the response is ready.
//!
//! The layer leaves a slot for the session in the request's extensions, and closes it when
//! the response is there. A request whose handler does not ask costs no store call and adds
//! no header.
//!
//! `.layer(sessions.layer())` and `.layer(sessions.clone())` are the same. Where one
//! [`Sessions`] is applied twice, the inner layer does nothing; several of
//! them, with cookie names of their own, give a request several sessions. Two with the same
//! cookie name are a mistake: every request gets a 500 that says so.
//!
//! # Example
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "messagepack"))] {
//! use cloakroom::{Config, Memory, MessagePack, Session, Unsigned};
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::{Layer, Service, ServiceExt, service_fn};
//!
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! struct Visits {
//!     count: u32,
//! }
//!
//! async fn visit(request: Request<String>) -> Result<Response<String>, Infallible> {
//!     let opened = Session::<Memory, MessagePack<Visits>, Unsigned>::of_request(&request).await;
//!     let Ok(mut session) = opened else { return Ok(Response::default()) };
//!     session.count += 1;
//!     Ok(Response::new(format!("visit {}", session.count)))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let sessions = Config::new().store(Memory::new()).data::<Visits>().build();
//! let mut service = sessions.layer().layer(service_fn(visit));
//!
//! let response = service.ready().await?.call(Request::default()).await?;
//! assert!(response.headers().contains_key("set-cookie"));
//! assert_eq!(response.into_body().into_inner().as_deref(), Some("visit 1"));
//! # Ok::<(), Infallible>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod future;

use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::SessionBody;
#[cfg(feature = "axum")]
pub(crate) use self::future::log;
pub use self::future::{ResponseFuture, SessionFailed};
use crate::codec::Codec;
use crate::config::{ChosenStore, Config, Sessions};
use crate::cookie::Credentials;
use crate::error::Error;
use crate::session::{Owner, Slot, Slots};
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    /// The layer that gives handlers their sessions. Add it to a router after
    /// the routes: `Router::new().route(..).layer(sessions.layer())`.
    #[must_use]
    pub fn layer(&self) -> SessionLayer<S, C, K> {
        SessionLayer { sessions: self.clone() }
    }
}

impl<S, C, K> Config<S, C, K> {
    /// The layer of the finished configuration; short for `.build().layer()`.
    #[must_use]
    pub fn layer(self) -> SessionLayer<S, C, K>
    where
        S: ChosenStore,
        C: Codec,
        K: Signer,
    {
        self.build().layer()
    }
}

/// As [`Sessions::layer`], so that `.layer(sessions.clone())` does the same as
/// `.layer(sessions.layer())`.
impl<I, S: Store, C: Codec, K: Signer> Layer<I> for Sessions<S, C, K> {
    type Service = SessionService<I, S, C, K>;

    fn layer(&self, inner: I) -> Self::Service {
        SessionService { inner, sessions: self.clone() }
    }
}

/// Gives every request of a service a session. Made by [`Sessions::layer`].
pub struct SessionLayer<S: Store, C: Codec, K: Signer> {
    sessions: Sessions<S, C, K>,
}

impl<I, S: Store, C: Codec, K: Signer> Layer<I> for SessionLayer<S, C, K> {
    type Service = SessionService<I, S, C, K>;

    fn layer(&self, inner: I) -> Self::Service {
        SessionService { inner, sessions: self.sessions.clone() }
    }
}

impl<S: Store, C: Codec, K: Signer> Clone for SessionLayer<S, C, K> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone() }
    }
}

impl<S: Store, C: Codec, K: Signer> fmt::Debug for SessionLayer<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").finish_non_exhaustive()
    }
}

/// A service whose requests have a session. Made by [`SessionLayer`].
///
/// The response's body is a [`SessionBody`], which is empty in the error when the session
/// cannot be saved. That response has none of the headers which
/// were set inside this service; a layer that adds headers to all responses, such
/// as one for CORS, belongs outside. [`SessionFailed`] tells it from others.
pub struct SessionService<I, S: Store, C: Codec, K: Signer> {
    inner: I,
    sessions: Sessions<S, C, K>,
}

impl<I, S, C, K, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<I, S, C, K>
where
    I: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: Store,
    C: Codec,
    K: Signer,
{
    type Response = Response<SessionBody<ResBody>>;
    type Error = I::Error;
    type Future = ResponseFuture<I::Future, ResBody, S, C, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        match self.enter(&mut request) {
            Ok(slot) => ResponseFuture::new(self.inner.call(request), slot),
            Err(error) => ResponseFuture::refused(error),
        }
    }
}

impl<I, S: Store, C: Codec, K: Signer> SessionService<I, S, C, K> {
    /// Leaves a slot in the request, unless that of a layer outside is the same.
    fn enter<B>(&self, request: &mut Request<B>) -> Result<Option<Owner<S, C, K>>, Error> {
        let credentials = Credentials::of(request.headers());
        let outer = request.extensions().get::<Slots>();
        let Some(slot) = Slot::enter(&self.sessions, credentials, outer)? else { return Ok(None) };
        request.extensions_mut().insert(Slots::new(&slot));
        Ok(Some(Owner::new(slot)))
    }
}

impl<I: Clone, S: Store, C: Codec, K: Signer> Clone for SessionService<I, S, C, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), sessions: self.sessions.clone() }
    }
}

impl<I, S: Store, C: Codec, K: Signer> fmt::Debug for SessionService<I, S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").finish_non_exhaustive()
    }
}
