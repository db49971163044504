//! axum_session, over axum, with no database behind its memory.

use std::hint::black_box;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use axum_session::{
    Key, SessionConfig, SessionLayer, SessionMode, SessionNullPool, SessionNullSession,
    SessionStore,
};

use super::bare::ignore;
use crate::visitor::Visitor;

type Session = SessionNullSession;

pub async fn in_memory() -> Router {
    let config =
        SessionConfig::default().with_key(Key::generate()).with_mode(SessionMode::Persistent);
    let store = SessionStore::<SessionNullPool>::new(None, config).await.expect("a store");
    Router::new()
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/change", get(change))
        .route("/fill/{bytes}", get(fill))
        .route("/show", get(show))
        .layer(SessionLayer::new(store))
}

fn visitor(session: &Session) -> Visitor {
    session.get(KEY).unwrap_or_default()
}

async fn read(session: Session) -> &'static str {
    black_box(visitor(&session));
    "seen"
}

async fn change(session: Session) -> &'static str {
    let mut visitor = visitor(&session);
    visitor.visits += 1;
    session.set(KEY, visitor);
    "seen"
}

async fn fill(session: Session, Path(bytes): Path<usize>) -> &'static str {
    session.set(KEY, Visitor::of_size(bytes));
    "seen"
}

async fn show(session: Session) -> String {
    visitor(&session).describe()
}

const KEY: &str = "visitor";
