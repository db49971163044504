//! The baseline of all contestants: handlers without a session.

use axum::Router;
use axum::routing::get;
use tower::layer::util::Identity;

/// The routes of every contestant, without sessions.
pub fn router() -> Router {
    Router::new()
        .route("/ignore", get(ignore))
        .route("/read", get(ignore))
        .route("/change", get(ignore))
        .route("/fill/{bytes}", get(ignore))
        .route("/show", get(ignore))
}

/// A layer that does nothing: what axum asks for any layer.
pub fn with_empty_layer() -> Router {
    router().layer(Identity::new())
}

pub async fn ignore() -> &'static str {
    "seen"
}
