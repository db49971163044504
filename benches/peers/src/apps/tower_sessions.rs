//! tower-sessions, over axum: the current version with its memory store, and the
//! version before it, which is the newest that its Redis store has a release for.

/// One version. The types of the two have the same names, and nothing in common.
macro_rules! version {
    ($module:ident, $package:ident) => {
        pub mod $module {
            use std::hint::black_box;
            use std::time::Duration;

            use axum::Router;
            use axum::extract::Path;
            use axum::routing::get;
            use $package::cookie::Key;
            use $package::{Expiry, Session, SessionManagerLayer, SessionStore};

            use crate::apps::bare::ignore;
            use crate::visitor::Visitor;

            pub fn router(
                store: impl SessionStore + Clone + 'static,
                lifetime: Duration,
            ) -> Router {
                let idle = lifetime.try_into().expect("not for ever");
                let layer = SessionManagerLayer::new(store)
                    .with_expiry(Expiry::OnInactivity(idle))
                    .with_signed(Key::generate());
                Router::new()
                    .route("/ignore", get(ignore))
                    .route("/read", get(read))
                    .route("/change", get(change))
                    .route("/fill/{bytes}", get(fill))
                    .route("/show", get(show))
                    .layer(layer)
            }

            async fn visitor(session: &Session) -> Visitor {
                session.get(KEY).await.expect("the store answers").unwrap_or_default()
            }

            async fn store(session: &Session, visitor: Visitor) {
                session.insert(KEY, visitor).await.expect("the store answers");
            }

            async fn read(session: Session) -> &'static str {
                black_box(visitor(&session).await);
                "seen"
            }

            async fn change(session: Session) -> &'static str {
                let mut visitor = visitor(&session).await;
                visitor.visits += 1;
                store(&session, visitor).await;
                "seen"
            }

            async fn fill(session: Session, Path(bytes): Path<usize>) -> &'static str {
                store(&session, Visitor::of_size(bytes)).await;
                "seen"
            }

            async fn show(session: Session) -> String {
                visitor(&session).await.describe()
            }

            const KEY: &str = "visitor";
        }
    };
}

version!(current, tower_sessions);
version!(before, tower_sessions_014);

use std::time::Duration;

use axum::Router;
use tower_sessions::MemoryStore;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

pub fn in_memory(lifetime: Duration) -> Router {
    current::router(MemoryStore::default(), lifetime)
}

pub async fn in_redis(url: &str, lifetime: Duration) -> Router {
    let config = Config::from_url(url).expect("a URL");
    // As many as its documentation shows.
    let pool = Pool::new(config, None, None, None, 6).expect("a pool");
    pool.connect();
    pool.wait_for_connect().await.expect("Redis is there");
    before::router(RedisStore::new(pool), lifetime)
}
