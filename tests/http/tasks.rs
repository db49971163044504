//! A session belongs to the task that handles its request.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cloakroom::{Config, Cookie, Error, Memory, Postcard, Session, Unsigned, cookie_name};
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

type Counter = Session<Memory, Postcard<u32>, Unsigned>;
type Answer = Result<Response<String>, Infallible>;

fn text(text: impl ToString) -> Answer {
    Ok(Response::new(text.to_string()))
}

#[tokio::test]
async fn a_task_of_its_own_has_no_session() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let spawned = tokio::spawn(async move { Counter::of_request(&request).await.map(drop) });
        let refused = spawned.await.expect("no panic").expect_err("another task");
        text(refused)
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert!(response.body().contains("no session layer"), "{}", response.body());
}

#[tokio::test]
async fn a_session_taken_before_spawning_can_be_saved_by_the_task() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter = 7;
        let saved = tokio::spawn(async move { counter.save().await }).await;
        saved.expect("no panic").expect("saved");
        text("")
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(sessions.store().len(), 1);
    assert!(!response.headers().contains_key("set-cookie"), "nobody gave the session back");
}

/// Somebody who polls a future of another request, as a shared future does, must
/// not lend it the session of his own.
#[tokio::test]
async fn a_future_of_another_request_does_not_get_this_session() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(async |_: Request<String>| {
        let other = Request::<String>::default();
        let mut taken = pin!(Counter::of_request(&other));
        match taken.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(Error::OtherRequest)) => text("refused"),
            Poll::Ready(Ok(_)) => text("the session of another request"),
            other => text(format!("{:?}", other.map(Result::err))),
        }
    }));
    let response = service.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(response.body(), "refused");
    assert!(!response.headers().contains_key("vary"));
}

#[tokio::test]
async fn a_request_within_a_request_has_a_session_of_its_own() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let layer = sessions.layer();
    let count = async |request: Request<String>| {
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter += 1;
        text(*counter)
    };
    let inner = layer.layer(service_fn(count));
    let outer = layer.layer(service_fn(async |request: Request<String>| {
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter = 40;
        let answer = inner.clone().oneshot(Request::default()).await?;
        assert_eq!(answer.body(), "1");
        assert!(answer.headers().contains_key("set-cookie"));
        text(*counter)
    }));
    let response = outer.oneshot(Request::default()).await.expect("an answer");
    assert_eq!(response.body(), "40");
    assert_eq!(sessions.store().len(), 2);
}

/// Memory that one session has left is where the next one is put.
#[tokio::test]
async fn a_session_that_was_dropped_elsewhere_costs_that_of_another_layer_nothing() {
    type Inner = Session<Memory, Postcard<i32>, Unsigned>;

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
    // One request at most waits for a session, the other for its turn.
    let (hand_over, handed_over) = tokio::sync::mpsc::channel::<Counter>(1);
    let handed_over = tokio::sync::Mutex::new(handed_over);
    let turn = tokio::sync::Notify::new();
    let one = sessions.layer().layer(service_fn(async |request: Request<String>| {
        let own = Counter::of_request(&request).await.expect("a session");
        tokio::spawn(async move { drop(own) }).await.expect("no panic");
        turn.notify_one();
        drop(handed_over.lock().await.recv().await.expect("a session"));
        text("")
    }));
    let other = sessions.layer().layer(service_fn(async |request: Request<String>| {
        turn.notified().await;
        let mut counter = Counter::of_request(&request).await.expect("a session");
        *counter = 42;
        hand_over.send(counter).await.expect("the first request waits");
        text("")
    }));
    let (one, _) = tokio::join!(one.oneshot(Request::default()), other.oneshot(Request::default()));
    let response = one.expect("an answer");
    assert!(!response.headers().contains_key("set-cookie"), "the ticket of another request");
}
