//! Stores that fail, handlers that fail: what is saved, and what is answered.

use axum::Router;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloakroom::middleware::SessionFailed;
use http::StatusCode;

use crate::site::{Site, Visitor, routes};
use crate::support::browser::{Browser, Reply};
use crate::support::watched::Op;

#[tokio::test]
async fn a_store_that_fails_to_load_is_a_503_and_never_an_anonymous_session() {
    let site = Site::new();
    let browser = site.known_browser().await;
    let before = site.record().await;
    site.take_calls();

    site.break_store(Op::Load);
    for path in ["/read", "/visit", "/sign-in", "/sign-out"] {
        assert_unavailable(&browser.get(path).await);
        assert_eq!(site.take_calls(), [Op::Load], "{path}");
    }
    assert_eq!(site.record().await, before);

    site.repair_store();
    assert_eq!(browser.get("/visit").await.body, "2");
}

#[tokio::test]
async fn a_store_that_fails_to_save_replaces_the_response_by_a_503() {
    async fn visit(mut session: Visitor) -> ([(&'static str, &'static str); 1], &'static str) {
        session.visits += 1;
        ([("x-secret", "of the handler")], "a body")
    }
    let site = Site::new();
    let routes = || routes().route("/visit-in-vain", get(visit));

    site.break_store(Op::Create);
    let stranger = site.browser_on(routes());
    assert_unavailable(&stranger.get("/visit-in-vain").await);
    assert_eq!(site.store.memory.len(), 0);
    site.repair_store();

    let browser = site.known_browser().await.on(site.browser_on(routes()));
    for (op, path) in
        [(Op::Update, "/visit-in-vain"), (Op::Create, "/sign-in"), (Op::Update, "/sign-in")]
    {
        site.break_store(op);
        assert_unavailable(&browser.get(path).await);
        site.repair_store();
        assert_eq!(browser.get("/read").await.body, "1 visits", "{op:?} at {path}");
    }
    site.break_store(Op::Remove);
    assert_unavailable(&browser.get("/sign-out").await);
    site.repair_store();
    assert_eq!(browser.get("/read").await.body, "1 visits");
}

#[tokio::test]
async fn an_outer_middleware_recognizes_the_response_of_a_session_that_failed() {
    async fn own_fault() -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
    async fn greedy(_first: Visitor, _second: Visitor) {}
    async fn shape(response: Response) -> Response {
        match response.extensions().get::<SessionFailed>() {
            Some(failed) => (failed.status(), "Please try again.").into_response(),
            None => response,
        }
    }
    let site = Site::new();
    let routes = routes().route("/own-fault", get(own_fault)).route("/greedy", get(greedy));
    let shaped = routes.layer(site.config().layer()).layer(map_response(shape));
    let browser = site.known_browser().await.on(Browser::new(shaped));

    let unavailable = (StatusCode::SERVICE_UNAVAILABLE, "Please try again.");
    for (op, path) in [(Op::Load, "/read"), (Op::Update, "/visit"), (Op::Remove, "/sign-out")] {
        site.break_store(op);
        let reply = browser.get(path).await;
        assert_eq!((reply.status, &*reply.body), unavailable, "{op:?} at {path}");
        site.repair_store();
    }
    let reply = browser.get("/greedy").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reply.body, "Please try again.");

    let reply = browser.get("/own-fault").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert_eq!(browser.get("/visit").await.body, "2");
}

#[track_caller]
fn assert_unavailable(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.body, "");
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert!(!reply.headers.contains_key("x-secret"), "{:?}", reply.headers);
}

#[tokio::test]
async fn a_server_error_saves_nothing() {
    async fn fail(mut session: Visitor) -> (StatusCode, &'static str) {
        session.visits = 99;
        session.rotate();
        (StatusCode::BAD_GATEWAY, "the handler's own words")
    }
    let site = Site::new();
    let failing = || site.browser_on(routes().route("/fail", get(fail)));

    let stranger = failing();
    let reply = stranger.get("/fail").await;
    assert_eq!((reply.status, reply.set_cookies().len()), (StatusCode::BAD_GATEWAY, 0));
    assert_eq!(site.store.memory.len(), 0);

    let browser = site.known_browser().await.on(failing());
    site.take_calls();
    let reply = browser.get("/fail").await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert_eq!(reply.body, "the handler's own words");
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), [Op::Load]);
    assert_eq!(browser.get("/read").await.body, "1 visits");
}

#[tokio::test]
async fn a_client_error_saves() {
    async fn refuse(mut session: Visitor) -> StatusCode {
        session.visits += 1;
        StatusCode::UNPROCESSABLE_ENTITY
    }
    let site = Site::new();
    let browser = site.browser_on(routes().route("/refuse", get(refuse)));
    assert_eq!(browser.get("/refuse").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(browser.get("/read").await.body, "1 visits");
}

#[tokio::test]
async fn a_server_error_does_not_stop_a_sign_out() {
    async fn fail(mut session: Visitor) -> StatusCode {
        session.destroy();
        StatusCode::INTERNAL_SERVER_ERROR
    }
    let site = Site::new();
    let browser = site.known_browser().await.on(site.browser_on(routes().route("/out", get(fail))));
    let thief = browser.copy();

    let reply = browser.get("/out").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(browser.cookies(), None);
    assert_eq!(site.record().await, None);
    assert_eq!(thief.get("/read").await.body, "new");
}

#[tokio::test]
async fn what_was_saved_before_a_server_error_stays_and_its_ticket_is_sent() {
    async fn save_and_fail(mut session: Visitor) -> StatusCode {
        session.visits = 5;
        session.save().await.expect("saved");
        session.visits = 6;
        StatusCode::INTERNAL_SERVER_ERROR
    }
    let site = Site::new();
    let browser = site.browser_on(routes().route("/fail", get(save_and_fail)));
    browser.get("/fail").await;
    assert_eq!(browser.get("/read").await.body, "5 visits");
}

#[tokio::test]
async fn a_panic_in_the_handler_saves_nothing_and_breaks_nothing() {
    async fn panic(mut session: Visitor) {
        session.visits = 99;
        panic!("the handler gives up");
    }
    let site = Site::new();
    let routes = routes().route("/panic", get(panic));
    let browser = site.browser_on(routes);
    browser.get("/visit").await;

    let tab = browser.clone();
    let task = tokio::spawn(async move { tab.get("/panic").await.status });
    assert!(task.await.expect_err("the handler panics").is_panic());

    assert_eq!(browser.get("/read").await.body, "1 visits");
    let stranger = site.browser().on(browser.clone());
    assert_eq!(stranger.get("/read").await.body, "new", "nothing of it is left in the layer");
    assert_eq!(browser.get("/visit").await.body, "2");
}

#[tokio::test]
async fn a_handler_may_answer_a_fault_itself() {
    async fn lenient(session: Result<Visitor, cloakroom::Error>) -> &'static str {
        match session {
            Ok(_) => "with a session",
            Err(cloakroom::Error::Store(_)) => "the store is down",
            Err(_) => "something else",
        }
    }
    let site = Site::new();
    let lenient = site.browser_on(Router::new().route("/", get(lenient)));
    let browser = site.known_browser().await.on(lenient);
    assert_eq!(browser.get("/").await.body, "with a session");
    site.break_store(Op::Load);
    let reply = browser.get("/").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "the store is down"));
}
