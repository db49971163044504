//! Redis by hand: handlers that verify the cookie, send the commands themselves
//! over one multiplexed connection, and know the one type that is stored.

use std::hint::black_box;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::BASE64URL_NOPAD;
use http::StatusCode;
use http::header::SET_COOKIE;
use http::request::Parts;
use redis::aio::MultiplexedConnection;
use redis::{Client, Value, cmd};

use super::bare::ignore;
use crate::encoding::{decode, encode};
use crate::signed_ids::{Id, SignedIds};
use crate::visitor::Visitor;

const SWAP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1 end return 0";
const LIFETIME_MILLIS: u64 = 24 * 60 * 60 * 1_000;

#[derive(Clone)]
struct ByHand {
    connection: MultiplexedConnection,
    ids: Arc<SignedIds>,
    swap: Arc<str>,
}

pub async fn in_redis(url: &str) -> Router {
    let client = Client::open(url).expect("a URL");
    let connection = client.get_multiplexed_async_connection().await;
    let mut connection = connection.expect("Redis is there");
    let swap: String =
        cmd("SCRIPT").arg("LOAD").arg(SWAP).query_async(&mut connection).await.expect("a script");
    let state = ByHand { connection, ids: Arc::default(), swap: swap.into() };
    Router::new()
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", get(change))
        .route("/overwrite", get(overwrite))
        .route("/fill/{bytes}", get(fill))
        .route("/show", get(show))
        .with_state(state)
}

/// One GET.
async fn read(State(app): State<ByHand>, id: Option<SessionId>) -> &'static str {
    black_box(app.load(id).await);
    "seen"
}

/// One GET, and the script that compares and swaps.
async fn change(State(app): State<ByHand>, SessionId(id): SessionId) -> Response {
    let Some((mut visitor, old)) = app.load(Some(SessionId(id))).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    visitor.visits += 1;
    let mut swap = cmd("EVALSHA");
    swap.arg(&*app.swap).arg(1).arg(&key(&id)).arg(old).arg(encode(&visitor)).arg(LIFETIME_MILLIS);
    match swap.query_async(&mut app.connection.clone()).await.expect("Redis answers") {
        1 => "seen".into_response(),
        _ => StatusCode::CONFLICT.into_response(),
    }
}

/// One GET and one SET, whatever another request wrote in between.
async fn overwrite(State(app): State<ByHand>, SessionId(id): SessionId) -> Response {
    let Some((mut visitor, _)) = app.load(Some(SessionId(id))).await else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    visitor.visits += 1;
    app.store(&id, &visitor).await;
    "seen".into_response()
}

async fn fill(State(app): State<ByHand>, Path(bytes): Path<usize>) -> Response {
    let (id, cookie) = app.ids.issue();
    app.store(&id, &Visitor::of_size(bytes)).await;
    ([(SET_COOKIE, cookie)], "seen").into_response()
}

async fn show(State(app): State<ByHand>, id: Option<SessionId>) -> String {
    app.load(id).await.map(|(visitor, _)| visitor).unwrap_or_default().describe()
}

impl ByHand {
    /// The session, and its bytes as they are stored.
    async fn load(&self, id: Option<SessionId>) -> Option<(Visitor, Vec<u8>)> {
        let mut get = cmd("GET");
        get.arg(&key(&id?.0));
        match get.query_async(&mut self.connection.clone()).await.expect("Redis answers") {
            Value::BulkString(bytes) => Some((decode(&bytes)?, bytes)),
            _ => None,
        }
    }

    async fn store(&self, id: &Id, visitor: &Visitor) {
        let mut set = cmd("SET");
        set.arg(&key(id)).arg(encode(visitor)).arg("PX").arg(LIFETIME_MILLIS);
        set.query_async::<()>(&mut self.connection.clone()).await.expect("Redis answers");
    }
}

const PREFIX: &[u8; 8] = b"by-hand:";

fn key(id: &Id) -> [u8; 51] {
    let mut key = [0; 51];
    let (prefix, text) = key.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(PREFIX);
    BASE64URL_NOPAD.encode_mut(id, text);
    key
}

/// An id from a cookie that verified.
struct SessionId(Id);

impl FromRequestParts<ByHand> for SessionId {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, app: &ByHand) -> Result<Self, StatusCode> {
        app.ids.id(&parts.headers).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl axum::extract::OptionalFromRequestParts<ByHand> for SessionId {
    type Rejection = StatusCode;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &ByHand,
    ) -> Result<Option<Self>, StatusCode> {
        Ok(app.ids.id(&parts.headers).map(Self))
    }
}
