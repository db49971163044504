//! A session is found wherever its request is, in whatever task.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use cloakroom::middleware::SessionBody;
use cloakroom::{
    Config, Cookie, Error, Memory, MessagePack, Session, Sessions, Unsigned, cookie_name,
};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};

type Counter = Session<Memory, MessagePack<u32>, Unsigned>;
type Answer = Result<Response<String>, Infallible>;

fn text(text: impl ToString) -> Answer {
    Ok(Response::new(text.to_string()))
}

fn body(response: &Response<SessionBody<String>>) -> &str {
    response.body().get().map_or("", String::as_str)
}

async fn count(request: Request<String>) -> Result<u32, Error> {
    let mut counter = Counter::of_request(&request).await?;
    *counter += 1;
    Ok(*counter)
}

#[tokio::test]
async fn a_spawned_task_takes_the_session_and_the_layer_saves_it() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let counted = tokio::spawn(count(request)).await.expect("no panic");
        text(counted.expect("a session"))
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(body(&response), "1");
    assert!(response.headers().contains_key("set-cookie"));
    assert_eq!(sessions.store().len(), 1);
}

#[tokio::test]
async fn a_combinator_with_wakers_of_its_own_takes_the_session() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let counts = (0..3).map(|_| count(request.clone())).collect::<FuturesUnordered<_>>();
        let mut counts = counts.map(|count| count.expect("a session")).collect::<Vec<_>>().await;
        counts.sort_unstable();
        text(format!("{counts:?}"))
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(body(&response), "[1, 2, 3]");
    assert_eq!(sessions.store().len(), 1);
}

/// A layer that polls with a waker of its own, as layers that measure tasks do.
struct Instrumented<F>(Pin<Box<F>>);

struct Measured(Waker);

impl Wake for Measured {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let waker = Waker::from(Arc::new(Measured(cx.waker().clone())));
        self.0.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

#[tokio::test]
async fn a_layer_inside_that_polls_with_a_waker_of_its_own_changes_nothing() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let handler =
        service_fn(async |request: Request<String>| text(count(request).await.expect("a session")));
    let measured = service_fn(move |request: Request<String>| {
        let mut handler = handler;
        Instrumented(Box::pin(async move { handler.call(request).await }))
    });
    let service = sessions.layer().layer(measured);
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(body(&response), "1");
    assert!(response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn a_session_that_a_task_keeps_is_saved_by_the_task() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut counter = Counter::of_request(&request).await.expect("a session");
        let (response_is_there, wait) = tokio::sync::oneshot::channel::<()>();
        let (saved, task) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            *counter = 7;
            saved.send(counter.save().await).expect("the handler waits");
            let _ = wait.await;
            drop(counter);
        });
        task.await.expect("no panic").expect("saved");
        let mut response = Response::new(String::new());
        response.extensions_mut().insert(Arc::new(response_is_there));
        Ok::<_, Infallible>(response)
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(sessions.store().len(), 1);
    assert!(!response.headers().contains_key("set-cookie"), "the task has the session");
}

/// The session of a request with this header, which outlives the response.
async fn kept(
    sessions: &Sessions<Memory, MessagePack<u32>, Unsigned>,
    cookie: Option<&str>,
) -> Counter {
    let (send, mut sent) = tokio::sync::mpsc::channel(1);
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let counter = Counter::of_request(&request).await.expect("a session");
        send.send(counter).await.expect("the test waits");
        text("")
    }));
    let mut request = Request::<String>::default();
    if let Some(cookie) = cookie {
        request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
    }
    service.oneshot(request).await.expect("an answer");
    sent.recv().await.expect("a session")
}

#[tokio::test]
async fn a_new_session_that_outlives_its_response_is_never_said_to_be_saved() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let mut counter = kept(&sessions, None).await;
    *counter = 7;
    let saved = counter.save().await;
    assert!(matches!(saved, Err(Error::Closed)), "{saved:?}");
    let updated = counter.update(|count| *count += 1).await;
    assert!(matches!(updated, Err(Error::Closed)), "{updated:?}");
    assert_eq!(sessions.store().len(), 0, "no browser has its id");
}

#[tokio::test]
async fn a_session_that_outlives_its_response_gets_no_id_that_the_browser_does_not_have() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let mut first = sessions.open(&HeaderMap::new()).await.expect("a session");
    *first = 1;
    let mut headers = HeaderMap::new();
    first.close(&mut headers).await.expect("saved");
    let cookie = headers["set-cookie"].to_str().expect("ASCII");
    let cookie = cookie.split(';').next().expect("a pair");

    let acts: [fn(&mut Counter); 3] = [Counter::rotate, Counter::sign_in, Counter::restart];
    for act in acts {
        let mut counter = kept(&sessions, Some(cookie)).await;
        *counter = 8;
        counter.save().await.expect("the browser has the id");
        act(&mut counter);
        let saved = counter.save().await;
        assert!(matches!(saved, Err(Error::Closed)), "{saved:?}");
        let browser =
            HeaderMap::from_iter([(http::header::COOKIE, cookie.parse().expect("ASCII"))]);
        assert_eq!(*sessions.open(&browser).await.expect("a session"), 8);
    }
    let mut counter = kept(&sessions, Some(cookie)).await;
    counter.destroy();
    counter.save().await.expect("a sign-out needs no cookie");
}

#[tokio::test]
async fn a_taker_that_asks_when_the_response_is_ready_is_told_that_the_session_is_closed() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut response = Response::new(String::new());
        response.extensions_mut().insert(request.map(drop));
        Ok::<_, Infallible>(response)
    }));
    let mut response = service.oneshot(Request::default()).await.expect("an answer");
    assert!(!response.headers().contains_key("vary"));
    let request = response.extensions_mut().remove::<Request<()>>().expect("the request");
    let taken = Counter::of_request(&request).await;
    assert!(matches!(taken, Err(Error::Closed)), "{taken:?}");
    let read = Counter::read(&request, |count| *count).await;
    assert!(matches!(read, Err(Error::Closed)), "{read:?}");
}

#[tokio::test]
async fn a_taker_that_asks_when_the_request_was_dropped_is_told_that_the_session_is_closed() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let (send, mut sent) = tokio::sync::mpsc::channel(1);
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        send.send(request).await.expect("the test waits");
        std::future::pending::<Answer>().await
    }));
    let mut handling = Box::pin(service.oneshot(Request::default()));
    assert!(handling.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let request = sent.recv().await.expect("a request");
    drop(Counter::of_request(&request).await.expect("a session"));
    drop(handling);
    let taken = Counter::of_request(&request).await;
    assert!(matches!(taken, Err(Error::Closed)), "{taken:?}");
}

/// A shared future may be polled by another request than the one that made it.
#[tokio::test]
async fn a_future_of_another_request_has_no_session_of_the_request_that_polls_it() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |_: Request<String>| {
        let other = Request::<String>::default();
        let mut taken = pin!(Counter::of_request(&other));
        match taken.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(Error::MissingLayer)) => text("refused"),
            Poll::Ready(Ok(_)) => text("the session of another request"),
            other => text(format!("{:?}", other.map(Result::err))),
        }
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(body(&response), "refused");
    assert!(!response.headers().contains_key("vary"));
}

#[tokio::test]
async fn a_session_that_was_dropped_elsewhere_costs_that_of_another_layer_nothing() {
    type Inner = Session<Memory, MessagePack<i32>, Unsigned>;

    let store = Memory::new();
    let outer = Config::new().store(store.clone()).data::<u32>().build();
    let cookie = Cookie::host(cookie_name!("inner"));
    let inner = Config::new().store(store.clone()).data::<i32>().cookie(cookie).build();
    let count = service_fn(async |request: Request<String>| {
        let elsewhere = Inner::of_request(&request).await.expect("a session");
        tokio::spawn(async move { drop(elsewhere) }).await.expect("no panic");
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter = 7;
        text(*counter)
    });
    let service = outer.layer().layer(inner.layer().layer(count));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert!(response.headers().contains_key("set-cookie"));
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn a_session_that_is_dropped_in_another_request_is_not_sent_with_its_response() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    // One request at most waits for a session, the other for the signal.
    let (hand_over, handed_over) = tokio::sync::mpsc::channel::<Counter>(1);
    let handed_over = tokio::sync::Mutex::new(handed_over);
    let signal = tokio::sync::Notify::new();
    let one = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let own = Counter::of_request(&request).await.expect("a session");
        tokio::spawn(async move { drop(own) }).await.expect("no panic");
        signal.notify_one();
        drop(handed_over.lock().await.recv().await.expect("a session"));
        text("")
    }));
    let other = sessions.layer().layer(service_fn(async |request: Request<String>| {
        signal.notified().await;
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter = 42;
        hand_over.send(counter).await.expect("the first request waits");
        text("")
    }));
    let (one, _) = tokio::join!(one.oneshot(Request::default()), other.oneshot(Request::default()));
    let response = one.expect("an answer");
    assert!(!response.headers().contains_key("set-cookie"), "the cookie of another request");
}
