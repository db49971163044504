//! Where handlers and middlewares get their session from.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloakroom::{Config, Cookie, Memory, MessagePack, Session, Unsigned, cookie_name};
use http::StatusCode;
use http::header::VARY;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::site::{Site, Visitor, routes, visit};
use crate::support::browser::Browser;
use crate::support::watched::Op;

#[test]
fn a_program_that_imports_all_of_cloakroom_still_names_the_crate_axum() {
    mod application {
        use cloakroom::*;

        pub(super) fn router() -> axum::Router {
            axum::Router::new().layer(Config::new().store(Memory::new()).data::<u8>().layer())
        }
    }
    assert!(!application::router().has_routes());
}

#[tokio::test]
async fn a_second_extraction_while_the_first_is_held_explains_itself() {
    async fn greedy(mut first: Visitor, _second: Visitor) {
        first.visits = 99;
    }
    let site = Site::new();
    let browser = site.known_browser().await.on(site.browser_on(routes().route("/", get(greedy))));

    let reply = browser.get("/").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        reply.body,
        "the session is already taken in this request: a handler takes one `Session` argument; an extractor of your own reads it with `Session::read(&request, |data| ..)` and stands left of that argument; a middleware drops its `Session` before it calls `next.run(request)`, and takes it again afterwards"
    );
    assert_eq!(browser.get("/read").await.body, "1 visits", "nothing was saved or blocked");
}

/// An extractor that reads the session.
struct User(String);

impl<A: Send + Sync> FromRequestParts<A> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &A) -> Result<Self, Response> {
        let name = Visitor::read(parts, |account| account.user.clone()).await;
        let name = name.map_err(IntoResponse::into_response)?;
        name.map(User).ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())
    }
}

#[tokio::test]
async fn an_extractor_that_reads_the_session_stands_left_of_the_argument_that_keeps_it() {
    async fn borrowed_first(User(name): User, mut session: Visitor) -> String {
        session.visits += 1;
        name
    }
    async fn kept_first(mut session: Visitor, User(name): User) -> String {
        session.visits += 1;
        name
    }
    let site = Site::new();
    let routes = routes().route("/right", get(borrowed_first)).route("/wrong", get(kept_first));
    let browser = site.known_browser().await.on(site.browser_on(routes));

    assert_eq!(browser.get("/right").await.status, StatusCode::UNAUTHORIZED);
    browser.get("/sign-in").await;
    site.take_calls();
    assert_eq!(browser.get("/right").await.body, "ada");
    assert_eq!(site.take_calls(), [Op::Load, Op::Update], "the two share one load");

    let reply = browser.get("/wrong").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(reply.body.contains("stands left of that argument"), "{}", reply.body);
    assert_eq!(browser.get("/read").await.body, "ada, 2 visits", "the other order saved nothing");
}

#[tokio::test]
async fn a_middleware_that_holds_the_session_gets_the_same_explanation_from_the_handler() {
    async fn hold(session: Visitor, request: Request, next: Next) -> Response {
        let response = next.run(request).await;
        drop(session);
        response
    }
    let site = Site::new();
    let reply = site.browser_on(routes().layer(from_fn(hold))).get("/visit").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(reply.body.contains("already taken in this request"), "{}", reply.body);
}

#[tokio::test]
async fn a_middleware_and_the_handler_see_each_others_changes_and_the_store_is_asked_once() {
    async fn around(request: Request, next: Next) -> Response {
        let (mut parts, body) = request.into_parts();
        let mut again = parts.clone();
        match Visitor::from_request_parts(&mut parts, &()).await {
            Ok(mut session) => session.visits += 10,
            Err(error) => return error.into_response(),
        }
        let response = next.run(Request::from_parts(parts, body)).await;
        match Visitor::from_request_parts(&mut again, &()).await {
            Ok(mut session) => session.visits += 100,
            Err(error) => return error.into_response(),
        }
        response
    }
    let site = Site::new();
    let around = site.browser_on(routes().layer(from_fn(around)));
    let browser = site.known_browser().await;
    site.take_calls();

    let reply = browser.on(around).get("/visit").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "12"));
    assert_eq!(site.take_calls(), [Op::Load, Op::Update]);
    assert_eq!(browser.get("/read").await.body, "112 visits");
}

#[tokio::test]
async fn a_missing_layer_names_what_to_add() {
    let reply = Browser::new(Router::new().route("/", get(visit))).get("/").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        reply.body.contains("no session layer") && reply.body.contains(".layer(sessions.layer())"),
        "{}",
        reply.body
    );
}

#[tokio::test]
async fn a_layer_of_another_session_type_is_a_missing_layer() {
    let other = Config::new().store(Memory::new()).data::<u8>();
    let router = Router::new().route("/", get(visit)).layer(other.layer());
    let reply = Browser::new(router).get("/").await;
    assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(reply.body.contains("same store, codec and signer"), "{}", reply.body);
}

#[tokio::test]
async fn routes_added_after_the_layer_have_no_session() {
    let site = Site::new();
    let router = routes().layer(site.config().layer()).route("/late", get(visit));
    let reply = Browser::new(router).get("/late").await;
    assert!(reply.body.contains("after its routes"), "{}", reply.body);
}

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: u32,
}

type CartSession = Session<Memory, MessagePack<Cart>, Unsigned>;

#[tokio::test]
async fn two_layers_give_a_router_two_independent_sessions() {
    async fn add(mut cart: CartSession, mut visitor: Visitor) -> String {
        cart.items += 1;
        visitor.visits += 10;
        format!("{} items, {} visits", cart.items, visitor.visits)
    }
    async fn forget(mut cart: CartSession, visitor: Visitor) -> String {
        cart.destroy();
        visitor.visits.to_string()
    }
    let site = Site::new();
    let carts = Config::new()
        .store(Memory::new())
        .data::<Cart>()
        .cookie(Cookie::host(cookie_name!("cart")));
    let routes = routes().route("/add", get(add)).route("/forget", get(forget));
    let browser = site.browser_on(routes.layer(carts.layer()));

    assert_eq!(browser.get("/add").await.set_cookies().len(), 2);
    let reply = browser.get("/add").await;
    assert_eq!(reply.body, "2 items, 20 visits");
    let vary = reply.headers.get_all(VARY).iter().collect::<Vec<_>>();
    assert_eq!(vary, ["cookie"], "both sessions vary by the same header");

    assert_eq!(browser.get("/forget").await.body, "20");
    assert_eq!(browser.get("/add").await.body, "1 items, 30 visits");
}

#[tokio::test]
async fn a_session_that_outlives_its_response_does_not_disturb_it() {
    let site = Site::new();
    let browser = site.known_browser().await;
    let (finish, finished) = oneshot::channel::<()>();
    let (done, saved) = oneshot::channel();
    let channels = Arc::new(Mutex::new(Some((finished, done))));
    let keep = move |mut session: Visitor| {
        let taken = channels.lock().expect("no panic").take();
        let (response_is_there, done) = taken.expect("one request");
        async move {
            tokio::spawn(async move {
                session.visits += 10;
                response_is_there.await.expect("the response is there");
                session.save().await.expect("saved");
                session.visits += 100;
                drop(session);
                done.send(()).expect("the test waits");
            });
            "at once"
        }
    };
    let keeper = site.browser_on(routes().route("/keep", get(keep)));

    let reply = browser.on(keeper.clone()).get("/keep").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "at once"));
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert_eq!(browser.get("/read").await.body, "1 visits", "nothing is saved yet");

    finish.send(()).expect("the task waits");
    saved.await.expect("the task is done");
    assert_eq!(browser.get("/read").await.body, "11 visits", "only what `save` was called for");
    assert_eq!(keeper.get("/read").await.body, "new", "the layer hands it to no other request");
}

#[tokio::test]
async fn a_response_whose_session_is_still_open_varies_by_cookie() {
    // A body that is written with the session at hand depends on the cookie as
    // much as any other, and a shared cache must know.
    async fn stream(session: Visitor) -> String {
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(session);
        });
        "a stream".to_owned()
    }
    let site = Site::new();
    let reply = site.browser_on(Router::new().route("/", get(stream))).get("/").await;
    assert_eq!(reply.headers.get(VARY).expect("vary"), "cookie");
}

#[tokio::test]
async fn a_session_that_was_read_is_given_to_the_handler_as_it_was_and_the_store_is_asked_once() {
    async fn read_twice(request: Request, next: Next) -> Response {
        let first = Visitor::read(&request, |account| account.visits).await;
        let second = Visitor::read(&request, |account| account.visits).await;
        assert_eq!((first.expect("a session"), second.expect("a session")), (1, 1));
        next.run(request).await
    }
    let site = Site::new();
    let browser = site.known_browser().await;
    site.take_calls();
    let browser = browser.on(site.browser_on(routes().layer(from_fn(read_twice))));
    assert_eq!(browser.get("/visit").await.body, "2");
    assert_eq!(site.take_calls(), [Op::Load, Op::Update]);
}

#[tokio::test]
async fn the_future_of_a_session_borrows_nothing_from_its_request() {
    async fn late(request: Request) -> String {
        let name = Visitor::read(&request, |account| account.visits);
        let session = Visitor::of_request(&request);
        drop(request);
        let (visits, session) = (name.await.expect("read"), session.await.expect("taken"));
        format!("{visits} {}", session.visits)
    }
    let site = Site::new();
    let late = site.browser_on(routes().route("/late", get(late)));
    assert_eq!(site.known_browser().await.on(late).get("/late").await.body, "1 1");
}

#[tokio::test]
async fn both_spellings_of_the_layer_do_the_same() {
    let site = Site::new();
    let sessions = site.config().build();
    for router in [routes().layer(sessions.layer()), routes().layer(sessions.clone())] {
        let browser = Browser::new(router);
        assert_eq!(browser.get("/visit").await.body, "1");
        assert_eq!(browser.get("/visit").await.body, "2");
    }
}

#[test]
fn a_session_can_be_sent_to_and_shared_with_any_task() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<Visitor>();
    assert_shared::<cloakroom::Detached<Memory, MessagePack<Cart>, Unsigned>>();
}
