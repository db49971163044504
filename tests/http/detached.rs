//! Sessions that go on after the response: sockets, streams and jobs.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cloakroom::{Detached, Error, HmacSha256, MessagePack};
use futures_util::{SinkExt, StreamExt, stream};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::site::{Account, Probe, Site, Visitor, routes};
use crate::support::browser::Browser;
use crate::support::watched::{Op, Watched};

type DetachedVisitor = Detached<Watched<Probe>, MessagePack<Account>, HmacSha256>;

/// What a socket says to each message: the visits, or the error.
async fn answer(session: &mut DetachedVisitor, message: &str) -> String {
    let answered = match message {
        "visit" => session.update(|account| account.visits += 1).await,
        "save" => {
            session.visits += 10;
            session.save().await
        }
        "reload" => session.reload().await,
        other => panic!("{other}"),
    };
    answered.map_or_else(|error| format!("{error:?}"), |()| session.visits.to_string())
}

async fn socket(session: Visitor, upgrade: WebSocketUpgrade) -> Result<Response, Error> {
    let mut session = session.detach().await?;
    Ok(upgrade.on_upgrade(async move |mut socket: WebSocket| {
        while let Some(Ok(Message::Text(text))) = socket.recv().await {
            let answer = answer(&mut session, &text).await;
            if socket.send(answer.into()).await.is_err() {
                break;
            }
        }
    }))
}

type Socket = tokio_tungstenite::WebSocketStream<TcpStream>;

/// A server on this machine, and a socket to it that was opened with this cookie.
async fn connect(router: Router, cookie: Option<&str>) -> (Socket, http::HeaderMap) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let url = format!("ws://{address}/socket");
    let mut request = url.into_client_request().expect("a request");
    if let Some(cookie) = cookie {
        request.headers_mut().insert(COOKIE, HeaderValue::from_str(cookie).expect("ASCII"));
    }
    let stream = TcpStream::connect(address).await.expect("a connection");
    let connected = tokio_tungstenite::client_async(request, stream).await;
    let (socket, response) = connected.expect("a socket");
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    (socket, response.headers().clone())
}

async fn ask(socket: &mut Socket, message: &str) -> String {
    socket.send(tungstenite::Message::text(message)).await.expect("sent");
    let answer = socket.next().await.expect("an answer").expect("an answer");
    answer.into_text().expect("text").to_string()
}

fn with_socket(site: &Site) -> Router {
    routes().route("/socket", get(socket)).layer(site.config().layer())
}

#[tokio::test]
async fn a_socket_saves_its_session_before_the_upgrade_and_the_101_carries_the_cookie() {
    let site = Site::new();
    let (mut socket, headers) = connect(with_socket(&site), None).await;
    assert_eq!(site.take_calls(), [Op::Create], "saved, though nothing was changed");
    assert!(headers.contains_key(SET_COOKIE));
    assert_eq!(headers["vary"], "cookie");
    assert_eq!(headers["cache-control"], "private");

    assert_eq!(ask(&mut socket, "visit").await, "1");
    assert_eq!(ask(&mut socket, "save").await, "11");
    let browser = Browser::new(with_socket(&site));
    browser.keep(&headers);
    assert_eq!(browser.get("/visit").await.body, "12");
    assert_eq!(ask(&mut socket, "reload").await, "12");
    assert_eq!(ask(&mut socket, "visit").await, "13");
}

#[tokio::test]
async fn a_socket_whose_session_was_signed_out_or_rotated_is_told_so() {
    for end in ["/sign-out", "/sign-in"] {
        let site = Site::new();
        let browser = site.known_browser().await;
        let (mut socket, headers) = connect(with_socket(&site), browser.cookies().as_deref()).await;
        assert!(!headers.contains_key(SET_COOKIE), "the browser has the cookie");
        assert_eq!(ask(&mut socket, "visit").await, "2");

        browser.get(end).await;
        for message in ["save", "visit", "reload"] {
            assert_eq!(ask(&mut socket, message).await, "Ended", "{message} after {end}");
        }
        let expected = if end == "/sign-out" { "new" } else { "ada, 2 visits" };
        assert_eq!(browser.get("/read").await.body, expected);
    }
}

#[tokio::test]
async fn a_stream_of_events_goes_on_with_its_session_after_the_response_has_begun() {
    async fn events(session: Visitor) -> Result<Response, Error> {
        let session = session.detach().await?;
        let events = stream::unfold((session, 0), async |(mut session, sent)| {
            if sent == 3 {
                return None;
            }
            let visits = session.update(|account| {
                account.visits += 1;
                account.visits
            });
            let event = Event::default().data(visits.await.expect("saved").to_string());
            Some((Ok::<_, Infallible>(event), (session, sent + 1)))
        });
        Ok(Sse::new(events).into_response())
    }
    let site = Site::new();
    let browser = site.browser_on(routes().route("/events", get(events)));
    let reply = browser.get("/events").await;
    assert_eq!(reply.body, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    assert_eq!(reply.set_cookies().len(), 1);
    assert_eq!(browser.get("/read").await.body, "3 visits");
}

/// A site whose handler at `/job` detaches its session, sends it to the test, and
/// answers with `status`.
fn with_job(site: &Site, status: StatusCode) -> (Browser, mpsc::Receiver<DetachedVisitor>) {
    let (send, sent) = mpsc::channel(1);
    let job = move |mut session: Visitor| {
        let send = send.clone();
        async move {
            session.visits += 1;
            let detached = session.detach().await?;
            send.send(detached).await.expect("the test waits");
            Ok::<_, Error>(status)
        }
    };
    (site.browser_on(routes().route("/job", get(job))), sent)
}

#[tokio::test]
async fn what_was_changed_before_detaching_is_saved_and_its_cookie_sent_whatever_the_answer() {
    for status in [StatusCode::OK, StatusCode::BAD_GATEWAY, StatusCode::REQUEST_TIMEOUT] {
        let site = Site::new();
        let (browser, mut sent) = with_job(&site, status);
        let reply = browser.get("/job").await;
        assert_eq!((reply.status, reply.set_cookies().len()), (status, 1));
        let session = sent.recv().await.expect("a session");
        assert_eq!(browser.get("/read").await.body, "1 visits");
        drop(session);
    }
}

#[tokio::test]
async fn changes_of_a_detached_session_are_lost_unless_they_are_saved() {
    let site = Site::new();
    let (browser, mut sent) = with_job(&site, StatusCode::OK);
    browser.get("/job").await;
    let mut session = sent.recv().await.expect("a session");
    session.visits = 40;
    drop(session);
    assert_eq!(browser.get("/read").await.body, "1 visits");
}

#[tokio::test]
async fn a_detached_session_can_be_destroyed() {
    let site = Site::new();
    let (browser, mut sent) = with_job(&site, StatusCode::OK);
    browser.get("/job").await;
    sent.recv().await.expect("a session").destroy().await.expect("destroyed");
    site.assert_ended_without_data().await;
    assert_eq!(browser.get("/read").await.body, "new");
}

#[tokio::test]
async fn a_session_that_was_detached_is_in_use_for_the_rest_of_its_request() {
    async fn twice(request: axum::extract::Request) -> String {
        let session = Visitor::of_request(&request).await.expect("a session");
        let _detached = session.detach().await.expect("detached");
        format!("{:?}", Visitor::of_request(&request).await.map(drop))
    }
    let site = Site::new();
    let browser = site.browser_on(routes().route("/twice", get(twice)));
    assert_eq!(browser.get("/twice").await.body, "Err(InUse)");
}

#[tokio::test]
async fn a_session_that_was_destroyed_cannot_be_detached_and_its_cookie_is_removed() {
    async fn out(mut session: Visitor) -> StatusCode {
        session.destroy();
        let detached = session.detach().await;
        assert!(matches!(detached, Err(Error::Ended)), "{detached:?}");
        StatusCode::OK
    }
    let site = Site::new();
    let browser = site.known_browser().await.on(site.browser_on(routes().route("/out", get(out))));
    assert_eq!(browser.get("/out").await.status, StatusCode::OK);
    assert_eq!(browser.cookies(), None);
    site.assert_ended_without_data().await;
}

#[tokio::test]
async fn a_session_whose_store_fails_when_it_is_detached_returns_to_its_request() {
    async fn try_twice(request: axum::extract::Request) -> &'static str {
        let session = Visitor::of_request(&request).await.expect("a session");
        assert!(matches!(session.detach().await, Err(Error::Store(_))));
        let mut session = Visitor::of_request(&request).await.expect("it came back");
        session.visits += 1;
        "ok"
    }
    let site = Site::new();
    let browser = site.browser_on(routes().route("/try", get(try_twice)));
    site.break_store(Op::Create);
    assert_eq!(browser.get("/try").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(site.take_calls(), [Op::Create, Op::Create]);
}

#[tokio::test]
async fn a_session_cannot_be_detached_when_the_response_is_ready_or_without_a_layer() {
    let site = Site::new();
    let (answered, is_answered) = oneshot::channel::<()>();
    let (done, outcome) = oneshot::channel();
    let channels = Arc::new(Mutex::new(Some((is_answered, done))));
    let late = move |session: Visitor| {
        let (is_answered, done) = channels.lock().expect("no panic").take().expect("one request");
        async move {
            tokio::spawn(async move {
                is_answered.await.expect("the response is there");
                done.send(session.detach().await.map(drop)).expect("the test waits");
            });
        }
    };
    let browser = site.browser_on(routes().route("/late", get(late)));
    browser.get("/late").await;
    answered.send(()).expect("the task waits");
    let detached = outcome.await.expect("no panic");
    assert!(matches!(detached, Err(Error::Closed)), "{detached:?}");
    assert_eq!(site.store.memory.len(), 0);

    let session = site.config().build().open(&http::HeaderMap::new()).await.expect("a session");
    assert!(matches!(session.detach().await, Err(Error::MissingLayer)));
}
