//! What a session adds to a response besides the cookie, and when it adds
//! nothing.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderMap, HeaderName, Request};
use tower::{Service, ServiceExt};

use crate::site::{Site, Visitor, routes};
use crate::support::browser::Reply;
use crate::support::watched::Op;

#[tokio::test]
async fn a_handler_that_ignores_the_session_costs_nothing() {
    let site = Site::new();
    let browser = site.known_browser().await;
    site.take_calls();

    let reply = browser.get("/ignore").await;
    assert_eq!(reply.body, "ignored");
    assert_eq!(site.take_calls(), []);
    assert_eq!(values(&reply, VARY), [""; 0]);
    assert_eq!(values(&reply, CACHE_CONTROL), [""; 0]);
    assert_eq!(reply.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn a_handler_that_only_reads_sets_no_cookie_and_varies_by_cookie() {
    let site = Site::new();
    let browser = site.known_browser().await;
    site.take_calls();

    let reply = browser.get("/read").await;
    assert_eq!(reply.body, "1 visits");
    assert_eq!(site.take_calls(), [Op::Load]);
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert_eq!(values(&reply, VARY), ["cookie"]);
    assert_eq!(values(&reply, CACHE_CONTROL), [""; 0]);
}

#[tokio::test]
async fn a_reader_without_a_cookie_varies_by_cookie_too() {
    let site = Site::new();
    let reply = site.browser().get("/read").await;
    assert_eq!(reply.body, "new");
    assert_eq!(values(&reply, VARY), ["cookie"]);
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), []);
}

#[tokio::test]
async fn vary_is_added_to_what_the_application_set_and_never_twice() {
    for (set, expected) in [
        ("accept-encoding", &["accept-encoding", "cookie"][..]),
        ("x-cookie", &["x-cookie", "cookie"]),
        ("cookie", &["cookie"]),
        ("accept, COOKIE", &["accept, COOKIE"]),
        ("accept,Cookie ,origin", &["accept,Cookie ,origin"]),
        ("*", &["*"]),
    ] {
        let answer = move |_: Visitor| async move { [(VARY, set)] };
        let site = Site::new();
        let reply = site.browser_on(Router::new().route("/", get(answer))).get("/").await;
        assert_eq!(values(&reply, VARY), expected);
    }
}

#[tokio::test]
async fn a_response_that_sets_or_removes_the_cookie_is_private() {
    let site = Site::new();
    let browser = site.browser();
    for path in ["/visit", "/sign-in", "/sign-out"] {
        let reply = browser.get(path).await;
        assert_eq!(reply.set_cookies().len(), 1, "{path}");
        assert_eq!(values(&reply, CACHE_CONTROL), ["private"], "{path}");
        assert_eq!(values(&reply, VARY), ["cookie"], "{path}");
    }
}

#[tokio::test]
async fn what_the_application_says_to_caches_stays_unless_it_lets_them_share_a_cookie() {
    for (said, sent) in [
        ("no-store", "no-store"),
        ("private, max-age=60", "private, max-age=60"),
        ("public, max-age=60", "private, max-age=60"),
        ("s-maxage=60, no-transform", "private, no-transform"),
        ("max-age=60", "private, max-age=60"),
    ] {
        let visit = move |mut session: Visitor| async move {
            session.visits += 1;
            [(CACHE_CONTROL, said)]
        };
        let site = Site::new();
        let browser = site.browser_on(Router::new().route("/", get(visit)));
        let reply = browser.get("/").await;
        assert_eq!(reply.set_cookies().len(), 1);
        assert_eq!(values(&reply, CACHE_CONTROL), [sent]);

        let reply = browser.get("/").await;
        assert_eq!(reply.set_cookies(), [""; 0]);
        assert_eq!(values(&reply, CACHE_CONTROL), [said], "without a cookie");
    }
}

#[tokio::test]
async fn a_hundred_thousand_readers_without_a_cookie_leave_no_record_and_get_no_cookie() {
    let site = Site::new();
    let mut router = routes().layer(site.config().layer());
    let mut service = router.as_service::<Body>();
    for _ in 0..100_000 {
        let request = Request::get("/read").body(Body::empty()).expect("a request");
        let Ok(ready) = service.ready().await;
        let Ok(response) = ready.call(request).await;
        assert!(!response.headers().contains_key("set-cookie"));
    }
    assert_eq!(site.take_calls(), []);
    assert_eq!(site.store.memory.len(), 0);
}

#[track_caller]
fn values(reply: &Reply, name: HeaderName) -> Vec<&str> {
    let headers: &HeaderMap = &reply.headers;
    headers.get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect()
}
