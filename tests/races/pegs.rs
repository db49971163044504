//! Requests that are handled at once, or one within the other, where one of them
//! is still opening its session: none gets at that of another.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use cloakroom::Error;
use http::{HeaderMap, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use crate::bank::{ADA, Bank, Customer, after_response};
use crate::schedule::finish;

type Answer = Result<Response<String>, Infallible>;

fn text(text: impl Into<String>) -> Answer {
    Ok(Response::new(text.into()))
}

fn request(headers: &HeaderMap) -> Request<String> {
    let mut request = Request::default();
    *request.headers_mut() = headers.clone();
    request
}

async fn user(request: Request<String>) -> String {
    let session = Customer::of_request(&request).await.expect("a session");
    session.user.clone()
}

/// What a single poll says.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

#[test]
fn an_opening_that_another_request_finishes_does_not_become_its_session() {
    type Opening = Pin<Box<dyn Future<Output = String>>>;

    let bank = Bank::new(1, 1);
    let handed_over: Mutex<Option<Opening>> = Mutex::default();
    let take = || handed_over.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begin = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut opening: Opening = Box::pin(user(request));
        assert!(poll_once(&mut opening).await.is_pending());
        *handed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(opening);
        text("begun")
    }));
    let end = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let opening = take().expect("it was begun");
        assert_eq!(opening.await, ADA);
        text(user(request).await)
    }));

    let Ok(_) = finish(begin.oneshot(request(&bank.ada())));
    let Ok(response) = finish(end.oneshot(request(&HeaderMap::new())));
    assert_eq!(response.body(), "", "a stranger got the session of Ada");
}

#[test]
fn an_inner_request_that_is_dropped_while_it_opens_does_not_free_the_outer_one() {
    let bank = Bank::new(1, 1);
    let ada = bank.ada();
    let layer = bank.sessions.layer();
    let inner = layer.layer(service_fn(async |request: Request<String>| text(user(request).await)));
    let outer = layer.layer(service_fn(async |of_outer: Request<String>| {
        let mut first = Box::pin(Customer::of_request(&of_outer));
        let mut within = Box::pin(inner.clone().oneshot(request(&ada)));
        assert!(poll_once(&mut first).await.is_pending());
        assert!(poll_once(&mut within).await.is_pending());
        drop(within);

        let mut second = Box::pin(Customer::of_request(&of_outer));
        let second = poll_once(&mut second).await;
        assert!(matches!(second, Poll::Ready(Err(Error::InUse))), "two sessions of one request");
        text(first.await.expect("a session").user.clone())
    }));
    let Ok(response) = finish(outer.oneshot(request(&ada)));
    assert_eq!(response.body(), ADA);
}

#[test]
fn an_opening_that_is_dropped_leaves_the_session_to_whoever_asks_next() {
    let bank = Bank::new(1, 1);
    let ada = bank.ada();
    let service = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut first = Box::pin(Customer::of_request(&request));
        assert!(poll_once(&mut first).await.is_pending());
        drop(first);
        let mut second = Customer::of_request(&request).await.expect("a session");
        second.visits += 1;
        text(second.user.clone())
    }));
    let Ok(response) = finish(service.oneshot(request(&ada)));
    assert_eq!(response.body(), ADA);
    assert_eq!(bank.account(&ada).expect("a session").visits, 1, "the layer has taken it back");
}

#[test]
fn a_session_that_is_dropped_within_an_inner_request_goes_back_to_its_own() {
    let [outer_bank, inner_bank] = [(); 2].map(|()| Bank::new(1, 1));
    let handed_over: Mutex<Option<Customer>> = Mutex::default();
    let lock = || handed_over.lock().unwrap_or_else(PoisonError::into_inner);
    let inner = inner_bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut own = Customer::of_request(&request).await.expect("a session");
        own.visits = 2;
        let of_outer = lock().take();
        drop(of_outer);
        text("")
    }));
    let outer = outer_bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut own = Customer::of_request(&request).await.expect("a session");
        own.visits = 1;
        *lock() = Some(own);
        let Ok(of_inner) = inner.clone().oneshot(Request::default()).await;
        assert_eq!(visits(&inner_bank, &of_inner), Some(2));
        text("")
    }));
    let Ok(of_outer) = finish(outer.oneshot(Request::default()));
    assert_eq!(visits(&outer_bank, &of_outer), Some(1));
}

/// What the bank finds under the ticket that a response has brought.
fn visits(bank: &Bank, response: &Response<String>) -> Option<u32> {
    let headers = after_response(HeaderMap::new(), response.headers());
    bank.account(&headers).map(|account| account.visits)
}
