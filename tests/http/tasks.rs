//! A session belongs to the task that handles its request.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cloakroom::{Config, Error, Memory, Postcard, Session, Unsigned};
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
            Poll::Ready(Err(Error::ForeignTask)) => text("refused"),
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
