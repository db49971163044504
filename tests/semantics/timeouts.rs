//! A timeout inside the layer, which cuts the handler off and answers for it.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;

use crate::site::{Customer, FROM_BEFORE, Site};
use crate::support::browser::{Browser, send};

/// Polls the handler once, then drops it.
async fn cut_off(State(status): State<StatusCode>, request: Request, next: Next) -> Response {
    let mut handler = pin!(next.run(request));
    let answered = poll_fn(|cx| match handler.as_mut().poll(cx) {
        Poll::Ready(response) => Poll::Ready(Some(response)),
        Poll::Pending => Poll::Ready(None),
    });
    answered.await.unwrap_or_else(|| status.into_response())
}

fn routes(site: &Site, status: StatusCode) -> Router {
    Router::new()
        .route(
            "/change",
            get(async |mut session: Customer| {
                session.n = 9;
                pending::<()>().await;
            }),
        )
        .route(
            "/save",
            get(async |mut session: Customer| {
                session.n = 5;
                session.save().await.expect("saved");
                session.n = 9;
                pending::<()>().await;
            }),
        )
        .route(
            "/rotate",
            get(async |mut session: Customer| {
                session.rotate();
                pending::<()>().await;
            }),
        )
        .route(
            "/sign-in",
            get(async |mut session: Customer| {
                session.sign_in();
                pending::<()>().await;
            }),
        )
        .route(
            "/sign-out",
            get(async |mut session: Customer| {
                session.destroy();
                pending::<()>().await;
            }),
        )
        .route("/read", get(async |session: Customer| session.n.to_string()))
        .layer(from_fn_with_state(status, cut_off))
        .layer(site.sessions.layer())
}

const TIMEOUTS: [StatusCode; 3] =
    [StatusCode::REQUEST_TIMEOUT, StatusCode::GATEWAY_TIMEOUT, StatusCode::SERVICE_UNAVAILABLE];

#[tokio::test]
async fn a_handler_that_a_timeout_cut_off_saves_nothing() {
    for status in TIMEOUTS {
        for path in ["/change", "/rotate", "/sign-in"] {
            let site = Site::new();
            let ada = site.ada().await;
            let reply = send(&routes(&site, status), path, ada.clone()).await;
            assert_eq!((reply.status, reply.set_cookies()), (status, vec![]), "{path}");
            assert_eq!(site.writes(), 0, "{status} {path}");
            let account = site.account(&ada).await.expect("lives");
            assert_eq!((account.n, &*account.note), (1, FROM_BEFORE), "{status} {path}");
        }
    }
}

#[tokio::test]
async fn a_handler_that_a_timeout_cut_off_begins_no_session() {
    for status in TIMEOUTS {
        for path in ["/change", "/sign-in"] {
            let site = Site::new();
            let reply = send(&routes(&site, status), path, http::HeaderMap::new()).await;
            assert_eq!((reply.status, reply.set_cookies()), (status, vec![]), "{path}");
            assert_eq!(site.records().await.len(), 0, "{status} {path}");
        }
    }
}

#[tokio::test]
async fn what_was_saved_before_a_timeout_stays_and_its_cookie_is_sent() {
    for status in TIMEOUTS {
        let site = Site::new();
        let browser = Browser::new(routes(&site, status));
        let reply = browser.get("/save").await;
        assert_eq!((reply.status, reply.set_cookies().len()), (status, 1));
        assert_eq!(browser.get("/read").await.body, "5", "{status}");
    }
}

#[tokio::test]
async fn a_sign_out_that_a_timeout_cut_off_signs_out() {
    for status in TIMEOUTS {
        let site = Site::new();
        let ada = site.ada().await;
        let reply = send(&routes(&site, status), "/sign-out", ada.clone()).await;
        assert_eq!((reply.status, reply.set_cookies().len()), (status, 1));
        assert_eq!(site.account(&ada).await, None, "{status}");
    }
}

#[tokio::test]
async fn a_handler_that_answers_with_another_error_of_the_client_is_saved() {
    for status in [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::CONFLICT] {
        let site = Site::new();
        let ada = site.ada().await;
        let answer = move |mut session: Customer| async move {
            session.n = 9;
            status
        };
        let router = Router::new().route("/", get(answer)).layer(site.sessions.layer());
        assert_eq!(send(&router, "/", ada.clone()).await.status, status);
        assert_eq!(site.account(&ada).await.expect("lives").n, 9, "{status}");
    }
}

#[tokio::test]
async fn a_handler_that_answers_itself_with_a_timeout_saves_nothing() {
    for status in TIMEOUTS {
        let site = Site::new();
        let ada = site.ada().await;
        let answer = move |mut session: Customer| async move {
            session.n = 9;
            status
        };
        let router = Router::new().route("/", get(answer)).layer(site.sessions.layer());
        assert_eq!(send(&router, "/", ada.clone()).await.status, status);
        assert_eq!(site.account(&ada).await.expect("lives").n, 1, "{status}");
    }
}
