//! Several layers around one handler, and requests that a handler makes itself.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use cloakroom::middleware::SessionBody;
use cloakroom::{Config, Cookie, Error, Memory, MessagePack, Session, Unsigned, cookie_name};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::trace::TraceLayer;

use crate::site::{Site, Visitor, routes, visit};
use crate::support::browser::{Browser, send};
use crate::support::watched::Op;

type Counter = Session<Memory, MessagePack<u32>, Unsigned>;

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A site whose handler `/then` calls `inner` before it takes its own session.
///
/// `inner` gets a clone of the request, and the cookie of Ada, who has signed in.
async fn then<F>(
    inner: impl Fn(Request, HeaderValue) -> F + Clone + Send + Sync + 'static,
) -> [String; 3]
where
    F: Future<Output = String> + Send,
{
    let site = Site::new();
    let ada = site.known_browser().await;
    ada.get("/sign-in").await;
    let cookie = HeaderValue::try_from(ada.cookies().expect("a cookie")).expect("ASCII");
    let of_ada = cookie.clone();
    let handler = async move |request: Request| {
        let mut clone = Request::new(Body::empty());
        *clone.headers_mut() = request.headers().clone();
        *clone.extensions_mut() = request.extensions().clone();
        let inner = inner(clone, cookie.clone()).await;
        let mut session = match Visitor::of_request(&request).await {
            Ok(session) => session,
            Err(error) => return error.to_string(),
        };
        session.visits += 1;
        format!("{inner}; {:?}", session.user)
    };
    let with_then = routes().route("/then", get(handler));
    let eve = site.known_browser().await.on(site.browser_on(with_then));
    let reply = eve.get("/then").await;
    let ada = send(&ada.router, "/read", HeaderMap::from_iter([(COOKIE, of_ada)])).await;
    assert_eq!(ada.body, "ada, 1 visits", "her session is untouched");
    [reply.body.clone(), reply.set_cookies().concat(), eve.get("/read").await.body]
}

/// What a router without a layer of its own says.
fn api() -> Router {
    async fn who(session: Result<Visitor, Error>) -> String {
        match session {
            Ok(mut session) => {
                session.rotate();
                format!("{:?}", session.user)
            }
            Err(error) => format!("{error:?}"),
        }
    }
    Router::new().fallback(who)
}

#[tokio::test]
async fn a_request_that_a_handler_makes_has_no_session_without_a_layer_and_the_outer_one_keeps_its()
{
    let made = then(async |_, cookie| {
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert(COOKIE, cookie);
        text(api().oneshot(request).await.expect("an answer")).await
    });
    assert_eq!(made.await, ["MissingLayer; None", "", "2 visits"]);

    let cloned = then(async |mut request: Request, cookie| {
        request.headers_mut().insert(COOKIE, cookie);
        text(api().oneshot(request).await.expect("an answer")).await
    });
    assert_eq!(cloned.await, ["OtherRequest; None", "", "2 visits"]);

    let with_a_token = then(async |mut request: Request, _| {
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
        text(api().oneshot(request).await.expect("an answer")).await
    });
    assert_eq!(with_a_token.await, ["OtherRequest; None", "", "2 visits"]);
}

#[tokio::test]
async fn a_clone_with_the_same_cookie_has_the_session_of_its_request() {
    let cloned = then(async |request, _| {
        let mut session = Visitor::of_request(&request).await.expect("a session");
        session.visits += 40;
        "cloned".to_owned()
    });
    assert_eq!(cloned.await, ["cloned; None", "", "42 visits"]);
}

#[tokio::test]
async fn a_request_within_a_request_has_a_session_of_its_own_behind_a_layer_of_its_own() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let layer = sessions.layer();
    let count = async |request: http::Request<String>| {
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter += 1;
        Ok::<_, Infallible>(http::Response::new(counter.to_string()))
    };
    let body = |response: &http::Response<SessionBody<String>>| {
        response.body().get().cloned().unwrap_or_default()
    };
    let inner = layer.layer(service_fn(count));
    let outer = layer.layer(service_fn(async |request: http::Request<String>| {
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter = 40;
        // One that is made, and one that is cloned and has another cookie.
        let mut cloned = request.clone();
        cloned.headers_mut().insert(COOKIE, HeaderValue::from_static("a=b"));
        for made in [http::Request::default(), cloned] {
            let answer = inner.clone().oneshot(made).await?;
            assert_eq!(body(&answer), "1");
            assert!(answer.headers().contains_key("set-cookie"));
        }
        Ok::<_, Infallible>(http::Response::new(counter.to_string()))
    }));
    let response = outer.oneshot(http::Request::default()).await.expect("an answer");
    assert_eq!(body(&response), "40");
    assert_eq!(sessions.store().len(), 3);
}

#[tokio::test]
async fn one_configuration_that_is_applied_twice_is_one_session() {
    let site = Site::new();
    let sessions = site.config().build();
    let browser =
        Browser::new(routes().layer(sessions.layer()).layer(sessions.layer()).layer(sessions));
    let reply = browser.get("/visit").await;
    assert_eq!((&*reply.body, reply.set_cookies().len()), ("1", 1));
    assert_eq!(site.take_calls(), [Op::Create]);
    assert_eq!(browser.get("/visit").await.body, "2");
    assert_eq!(site.take_calls(), [Op::Load, Op::Update]);
}

#[tokio::test]
async fn two_configurations_with_one_cookie_name_are_refused_at_the_first_request() {
    async fn ignore() {}
    let site = Site::new();
    let other = || Config::new().store(Memory::new()).data::<u32>();
    for router in [
        Router::new().route("/", get(ignore)).layer(other().layer()).layer(site.config().layer()),
        Router::new().route("/", get(ignore)).layer(other().layer()).layer(other().layer()),
    ] {
        let reply = Browser::new(router).get("/").await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        let sentence = Error::SameCookieName.to_string();
        assert_eq!(reply.body, sentence);
        assert!(sentence.contains("same cookie name"), "{sentence}");
    }
    let named = other().cookie(Cookie::host(cookie_name!("other")));
    let router = routes().layer(named.layer()).layer(site.config().layer());
    assert_eq!(Browser::new(router).get("/visit").await.body, "1");
}

#[tokio::test]
async fn a_layer_inside_may_answer_with_any_body_and_a_failed_save_empties_it() {
    let site = Site::new();
    let stack = || {
        ServiceBuilder::new().layer(site.config().build().layer()).layer(TraceLayer::new_for_http())
    };
    let browser = Browser::new(Router::new().route("/", get(visit)).layer(stack()));
    assert_eq!(browser.get("/").await.body, "1");
    site.break_store(Op::Update);
    let reply = browser.get("/").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::SERVICE_UNAVAILABLE, ""));
    site.repair_store();
    assert_eq!(browser.get("/").await.body, "2");
}

#[tokio::test]
async fn a_body_that_came_through_the_layer_tells_its_length_as_before() {
    let site = Site::new();
    let router = routes().layer(site.config().layer());
    let request = Request::get("/visit").body(Body::empty()).expect("a request");
    let response = router.oneshot(request).await.expect("an answer");
    assert_eq!(response.headers()[CONTENT_LENGTH], "1");
    assert_eq!(http_body::Body::size_hint(response.body()).exact(), Some(1));
    assert!(http_body::Body::is_end_stream(&SessionBody::<String>::default()));
}
