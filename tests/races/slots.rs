//! Requests that are handled at once, or one within the other, where one of them
//! is still opening its session: none gets at that of another.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use cloakroom::Error;
use cloakroom::middleware::SessionBody;
use http::{HeaderMap, Request, Response};
use tower::{Layer, ServiceExt, service_fn};

use crate::bank::{ADA, Bank, Customer, after_response};
use crate::schedule::finish;

type Answer = Result<Response<String>, Infallible>;

fn text(text: impl Into<String>) -> Answer {
    Ok(Response::new(text.into()))
}

fn body(response: &Response<SessionBody<String>>) -> &str {
    response.body().get().map_or("", String::as_str)
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

type Opening = Pin<Box<dyn Future<Output = Result<Customer, Error>>>>;

/// What a single poll says.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

#[test]
fn an_opening_that_its_response_overtakes_is_closed_and_gives_no_other_request_its_session() {
    let bank = Bank::new(1, 1);
    let handed_over: Mutex<Option<Opening>> = Mutex::default();
    let take = || handed_over.lock().unwrap_or_else(PoisonError::into_inner).take();
    let begin = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut opening: Opening = Box::pin(Customer::of_request(&request));
        assert!(poll_once(&mut opening).await.is_pending());
        *handed_over.lock().unwrap_or_else(PoisonError::into_inner) = Some(opening);
        text("begun")
    }));
    let end = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let overtaken = take().expect("it was begun").await;
        assert!(matches!(overtaken, Err(Error::Closed)), "{overtaken:?}");
        text(user(request).await)
    }));

    let Ok(_) = finish(begin.oneshot(request(&bank.ada())));
    let Ok(response) = finish(end.oneshot(request(&HeaderMap::new())));
    assert_eq!(body(&response), "", "a stranger got the session of Ada");
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
        assert!(poll_once(&mut second).await.is_pending(), "it waits for the first one");
        let first = first.await.expect("a session");
        let second = poll_once(&mut second).await;
        assert!(matches!(second, Poll::Ready(Err(Error::InUse))), "two sessions of one request");
        text(first.user.clone())
    }));
    let Ok(response) = finish(outer.oneshot(request(&ada)));
    assert_eq!(body(&response), ADA);
}

/// Two takers that are polled at the same time, as actix polls a handler's arguments.
fn two_takers_at_once(polls: usize) -> String {
    let bank = Bank::new(polls, 0);
    let ada = bank.ada();
    let service = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let [one, other] = [(); 2].map(|()| Customer::of_request(&request));
        let (one, other) = futures_util::future::join(one, other).await;
        text(format!("{:?}, {:?}", one.map(|one| one.user.clone()), other.map(drop)))
    }));
    let Ok(response) = finish(service.oneshot(request(&ada)));
    body(&response).to_owned()
}

#[test]
fn the_second_of_two_takers_finds_the_session_in_use_however_fast_the_store_is() {
    for polls in 0..4 {
        assert_eq!(two_takers_at_once(polls), "Ok(\"ada lovelace\"), Err(InUse)", "{polls} polls");
    }
}

#[test]
fn readers_that_ask_at_the_same_time_read_one_after_the_other_and_the_store_is_asked_once() {
    for polls in 0..4 {
        let bank = Bank::new(polls, 0);
        let ada = bank.ada();
        let service = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
            let readers = (0..5).map(|_| Customer::read(&request, |account| account.user.clone()));
            let read = futures_util::future::join_all(readers);
            let (read, keeper) =
                futures_util::future::join(read, Customer::of_request(&request)).await;
            assert!(read.into_iter().all(|name| name.is_ok_and(|name| name == ADA)));
            keeper.expect("a session").visits += 1;
            text("")
        }));
        let Ok(_) = finish(service.oneshot(request(&ada)));
        assert_eq!(bank.account(&ada).expect("a session").visits, 1, "{polls} polls");
    }
}

#[test]
fn a_taker_that_waited_for_one_that_gives_up_opens_the_session_itself() {
    let bank = Bank::new(1, 1);
    let ada = bank.ada();
    let service = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let [mut first, mut second, mut third] =
            [(); 3].map(|()| Box::pin(Customer::of_request(&request)));
        assert!(poll_once(&mut first).await.is_pending());
        assert!(poll_once(&mut second).await.is_pending());
        assert!(poll_once(&mut third).await.is_pending());
        drop(first);
        let mut session = second.await.expect("a session");
        assert!(matches!(third.await, Err(Error::InUse)));
        session.visits += 1;
        text(session.user.clone())
    }));
    let Ok(response) = finish(service.oneshot(request(&ada)));
    assert_eq!(body(&response), ADA);
    assert_eq!(bank.account(&ada).expect("a session").visits, 1);
}

#[test]
fn a_taker_that_waits_when_the_response_is_ready_is_woken_and_told_that_it_is_closed() {
    let bank = Bank::new(1, 1);
    let kept: Mutex<Vec<Opening>> = Mutex::default();
    let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
    let wakes = Arc::new(Wakes::default());
    let service = bank.sessions.layer().layer(service_fn(async |request: Request<String>| {
        let mut opening: Opening = Box::pin(Customer::of_request(&request));
        let mut waiting: Opening = Box::pin(Customer::of_request(&request));
        assert!(poll_once(&mut opening).await.is_pending());
        let waker = Waker::from(wakes.clone());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        lock().extend([opening, waiting]);
        text("")
    }));
    let Ok(response) = finish(service.oneshot(request(&bank.ada())));
    assert!(!response.headers().contains_key("vary"), "it depends on no session");
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    let kept = std::mem::take(&mut *lock());
    for taker in kept {
        assert!(matches!(finish(taker), Err(Error::Closed)));
    }
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_opening_that_is_dropped_leaves_the_session_to_the_next_taker() {
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
    assert_eq!(body(&response), ADA);
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

/// What the bank finds under the id that a response has brought.
fn visits(bank: &Bank, response: &Response<SessionBody<String>>) -> Option<u32> {
    let headers = after_response(HeaderMap::new(), response.headers());
    bank.account(&headers).map(|account| account.visits)
}
