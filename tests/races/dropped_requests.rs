//! Whole requests under the layer that are dropped at each of their awaits, as
//! a server drops them when the client hangs up.

use std::sync::mpsc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;

use crate::bank::{ADA, Account, Bank, Customer, after_response};
use crate::schedule::{drop_after, drop_everywhere, finish, yield_once};

async fn whoami(session: Customer) -> String {
    yield_once().await;
    format!("{:?} {}", session.user, session.visits)
}

async fn visit(mut session: Customer) {
    session.visits += 1;
    yield_once().await;
}

async fn count(mut session: Customer) {
    let _ = session.update(|account| account.visits += 1).await;
    yield_once().await;
}

async fn rotate(mut session: Customer) {
    session.rotate();
    yield_once().await;
}

async fn sign_in(mut session: Customer) {
    session.sign_in();
    yield_once().await;
}

async fn restart(mut session: Customer) {
    session.restart();
    yield_once().await;
}

async fn sign_out(mut session: Customer) {
    session.destroy();
    yield_once().await;
}

fn router(bank: &Bank) -> Router {
    Router::new()
        .route("/whoami", get(whoami))
        .route("/visit", get(visit))
        .route("/count", get(count))
        .route("/rotate", get(rotate))
        .route("/sign-in", get(sign_in))
        .route("/restart", get(restart))
        .route("/sign-out", get(sign_out))
        .layer(bank.sessions.layer())
}

/// Sends a request to the very same router, and drops it after `polls` polls.
fn send(router: &Router, path: &str, headers: &HeaderMap, polls: usize) -> Option<String> {
    let mut request = Request::get(path).body(Body::empty()).expect("a path");
    *request.headers_mut() = headers.clone();
    let Ok(response) = drop_after(polls, router.clone().oneshot(request))?;
    let body = axum::body::to_bytes(response.into_body(), 1_024);
    Some(String::from_utf8(finish(body).expect("a body").to_vec()).expect("text"))
}

#[test]
fn a_dropped_request_leaves_old_or_new_and_nothing_of_it_in_the_layer() {
    const ENDING: [&str; 4] = ["/rotate", "/sign-in", "/restart", "/sign-out"];
    for path in ["/whoami", "/visit", "/count"].into_iter().chain(ENDING) {
        drop_everywhere(|polls| {
            let bank = Bank::new(2, 2);
            let router = router(&bank);
            let ada = bank.ada();
            let is_ready = send(&router, path, &ada, polls).is_some();

            let stranger = send(&router, "/whoami", &HeaderMap::new(), usize::MAX);
            assert_eq!(stranger.as_deref(), Some("\"\" 0"), "{path} after {polls} polls");
            match bank.account(&ada) {
                Some(account) => {
                    assert!(account.user == ADA && account.visits <= 1, "{account:?}");
                    assert!(!is_ready || !ENDING.contains(&path));
                    assert!(!is_ready || account.visits == 1 || path == "/whoami");
                }
                None => assert!(ENDING.contains(&path), "{path}"),
            }
            is_ready
        });
    }
}

#[test]
fn the_session_goes_on_after_a_dropped_request() {
    for path in ["/whoami", "/visit", "/count"] {
        drop_everywhere(|polls| {
            let bank = Bank::new(2, 2);
            let router = router(&bank);
            let ada = bank.ada();
            let is_ready = send(&router, path, &ada, polls).is_some();
            let visits = bank.account(&ada).expect("a session").visits;

            for path in ["/visit", "/count"] {
                send(&router, path, &ada, usize::MAX).expect("a response");
            }
            let account = bank.account(&ada).expect("a session");
            assert_eq!((&*account.user, account.visits), (ADA, visits + 2), "{path}, {polls}");
            is_ready
        });
    }
}

#[test]
fn requests_that_are_dropped_while_others_run_do_not_mix_their_sessions() {
    let bank = Bank::new(2, 2);
    let router = router(&bank);
    let ada = bank.ada();
    for polls in 0..40 {
        let mut request = Request::get("/whoami").body(Body::empty()).expect("a path");
        *request.headers_mut() = ada.clone();
        let mut slow = Box::pin(router.clone().oneshot(request));
        assert!(drop_after(3, slow.as_mut()).is_none(), "it waits for the store");

        send(&router, "/count", &HeaderMap::new(), polls % 20);
        let stranger = send(&router, "/whoami", &HeaderMap::new(), usize::MAX);
        assert_eq!(stranger.as_deref(), Some("\"\" 0"));
        let Ok(response) = finish(slow);
        let body = finish(axum::body::to_bytes(response.into_body(), 1_024)).expect("a body");
        assert_eq!(body, format!("{ADA:?} 0"));
    }
}

/// The old id may be dead by then, so the response has to bring the new one,
/// whatever became of the handler.
#[test]
fn a_fresh_id_that_is_dropped_before_a_server_error_does_not_sign_out() {
    for status in [StatusCode::GATEWAY_TIMEOUT, StatusCode::REQUEST_TIMEOUT] {
        for signs_in in [false, true] {
            drop_everywhere(|polls| {
                let bank = Bank::new(2, 2);
                let ada = bank.ada();
                let (sender, receiver) = mpsc::channel();
                let time_out = async move |mut session: Customer| {
                    match signs_in {
                        true => session.sign_in(),
                        false => session.rotate(),
                    }
                    let is_ready = drop_after(polls, session.save()).is_some();
                    sender.send(is_ready).expect("the test waits");
                    status
                };
                let router = Router::new().route("/", get(time_out)).layer(bank.sessions.layer());
                let mut request = Request::get("/").body(Body::empty()).expect("a path");
                *request.headers_mut() = ada.clone();

                let Ok(response) = finish(router.oneshot(request));
                assert_eq!(response.status(), status);
                let browser = after_response(ada, response.headers());
                let account = bank.account(&browser);
                assert_eq!(account.expect("still signed in").user, ADA, "after {polls} polls");
                receiver.recv().expect("the handler ran")
            });
        }
    }
}

/// A rotation was cut off, and then the handler signs out; the response is an error.
#[test]
fn a_sign_out_after_a_rotation_that_was_dropped_begins_nothing_on_a_server_error() {
    for restarts in [false, true] {
        drop_everywhere(|polls| {
            let bank = Bank::new(2, 2);
            let ada = bank.ada();
            let (sender, receiver) = mpsc::channel();
            let fail = async move |mut session: Customer| {
                session.rotate();
                let is_ready = drop_after(polls, session.save()).is_some();
                match restarts {
                    true => session.restart(),
                    false => session.destroy(),
                }
                session.note = "goodbye".to_owned();
                sender.send(is_ready).expect("the test waits");
                StatusCode::INTERNAL_SERVER_ERROR
            };
            let router = Router::new().route("/", get(fail)).layer(bank.sessions.layer());
            let mut request = Request::get("/").body(Body::empty()).expect("a path");
            *request.headers_mut() = ada.clone();

            let Ok(response) = finish(router.oneshot(request));
            let browser = after_response(ada.clone(), response.headers());
            for cookies in [&ada, &browser] {
                assert_eq!(bank.account(cookies), None, "{restarts}, after {polls} polls");
            }
            assert_eq!(bank.records_of("goodbye"), 0, "{restarts}, after {polls} polls");
            receiver.recv().expect("the handler ran")
        });
    }
}

/// A timeout of the handler's own has cut its save off; the response is an error.
#[test]
fn a_sign_out_that_is_dropped_before_a_server_error_signs_out() {
    for restarts in [false, true] {
        drop_everywhere(|polls| {
            let bank = Bank::new(2, 2);
            let ada = bank.ada();
            let (sender, receiver) = mpsc::channel();
            let time_out = async move |mut session: Customer| {
                match restarts {
                    true => session.restart(),
                    false => session.destroy(),
                }
                let is_ready = drop_after(polls, session.save()).is_some();
                sender.send(is_ready).expect("the test waits");
                StatusCode::GATEWAY_TIMEOUT
            };
            let router = Router::new().route("/", get(time_out)).layer(bank.sessions.layer());
            let mut request = Request::get("/").body(Body::empty()).expect("a path");
            *request.headers_mut() = ada.clone();

            let Ok(response) = finish(router.oneshot(request));
            let browser = after_response(ada.clone(), response.headers());
            assert_eq!(bank.records_of_ada(), 0, "after {polls} polls");
            for cookies in [&ada, &browser] {
                let account = bank.account(cookies).unwrap_or_default();
                assert_eq!(account, Account::default(), "after {polls} polls");
            }
            assert!(restarts || browser.is_empty(), "the browser forgets the cookie");
            receiver.recv().expect("the handler ran")
        });
    }
}
