//! cloakroom, over axum.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use cloakroom::{Config, HmacSha256, Memory, MessagePack, SecretKey, Ttl, Writable};
use cloakroom_redis::{NearCache, Redis};

use super::bare::ignore;
use crate::visitor::Visitor;

type Session<S> = cloakroom::Session<S, MessagePack<Visitor>, HmacSha256>;

/// With room for that many sessions.
pub fn in_memory(sessions: usize, lifetime: Duration) -> Router {
    let room = NonZeroUsize::new(sessions * 2).expect("sessions");
    router(Memory::with_capacity(room), lifetime)
}

pub async fn in_redis(url: &str, lifetime: Duration) -> Router {
    router(Redis::connect(url).await.expect("Redis is there"), lifetime)
}

pub async fn in_near_cache(url: &str, lifetime: Duration) -> Router {
    let redis = Redis::connect(url).await.expect("Redis is there");
    router(NearCache::new(redis).await.expect("Redis tells of changes"), lifetime)
}

fn router<S: Writable + Clone>(store: S, lifetime: Duration) -> Router {
    let key = SecretKey::generate().expect("randomness");
    let seconds = lifetime.as_secs().try_into().expect("not for ever");
    let sessions = Config::new()
        .store(store)
        .data::<Visitor>()
        .signed()
        .secret_key(key)
        .idle_timeout(Ttl::seconds(seconds))
        .build();
    Router::new()
        .route("/ignore", get(ignore))
        .route("/read", get(read::<S>))
        .route("/change", get(change::<S>))
        .route("/fill/{bytes}", get(fill::<S>))
        .route("/show", get(show::<S>))
        .layer(sessions.layer())
}

async fn read<S: Writable>(session: Session<S>) -> &'static str {
    black_box(&*session);
    "seen"
}

async fn change<S: Writable>(mut session: Session<S>) -> &'static str {
    session.visits += 1;
    "seen"
}

async fn fill<S: Writable>(mut session: Session<S>, Path(bytes): Path<usize>) -> &'static str {
    *session = Visitor::of_size(bytes);
    "seen"
}

async fn show<S: Writable>(session: Session<S>) -> String {
    session.describe()
}
