//! Two or three requests on one session, in every order in which their store
//! calls can follow each other.

use std::task::Poll;

use cloakroom::{Error, Ttl};
use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::bank::{ADA, Account, Bank, Customer, GRACE, after_response};
use crate::sampling::in_sampled_orders;
use crate::schedule::{Process, in_every_order};

/// What a request does with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Read,
    /// Changes a field.
    Note,
    /// Counts with `update`.
    Visit,
    Rotate,
    /// Signs in as Grace.
    SignIn,
    /// Signs out, and leaves a note.
    Restart,
    SignOut,
}

/// What came of a request.
struct Reply {
    act: Act,
    headers: HeaderMap,
    /// `update` counted a visit of Ada's.
    counted: bool,
    /// The session was gone before it could be saved.
    refused: bool,
}

async fn request(bank: Bank, headers: HeaderMap, act: Act) -> Reply {
    let session = bank.sessions.open(&headers).await.expect("the store works");
    go_on(session, act).await
}

/// What a request does once it has its session.
async fn go_on(mut session: Customer, act: Act) -> Reply {
    let is_ada = session.user == ADA;
    let mut counted = false;
    match act {
        Act::Read => {}
        Act::Note => session.note = "noted".to_owned(),
        Act::Visit => match session.update(|account| account.visits += 1).await {
            Ok(()) => counted = is_ada,
            Err(Error::Ended) => {}
            Err(error) => panic!("{error}"),
        },
        Act::Rotate => session.rotate(),
        Act::SignIn => {
            session.user = GRACE.to_owned();
            session.sign_in();
        }
        Act::Restart => {
            session.restart();
            session.note = "goodbye".to_owned();
        }
        Act::SignOut => session.destroy(),
    }
    let mut headers = HeaderMap::new();
    let refused = match session.close(&mut headers).await {
        Ok(()) => false,
        Err(Error::Ended) => true,
        Err(error) => panic!("{error}"),
    };
    Reply { act, headers, counted, refused }
}

/// The end of a race.
struct Outcome {
    bank: Bank,
    /// Ada's browser, which got the replies in the order in which they were
    /// sent.
    browser: HeaderMap,
    /// Every cookie there ever was, the first one first.
    cookies: Vec<HeaderMap>,
    replies: Vec<Reply>,
    counted: u32,
    story: String,
}

impl Outcome {
    /// What Ada sees.
    fn account(&self) -> Option<Account> {
        self.bank.account(&self.browser)
    }

    /// How many cookies lead to Ada's data.
    fn good_cookies(&self) -> usize {
        self.cookies_of(ADA)
    }

    fn cookies_of(&self, user: &str) -> usize {
        let accounts = self.cookies.iter().filter_map(|cookie| self.bank.account(cookie));
        accounts.filter(|account| account.user == user).count()
    }

    /// How many requests did this, and were not refused.
    fn done(&self, act: Act) -> usize {
        self.replies.iter().filter(|reply| reply.act == act && !reply.refused).count()
    }
}

/// Runs the acts in every order, as requests that Ada's browser sent with the
/// same cookie.
fn race(acts: &[Act], check: impl Fn(Outcome)) {
    race_from(Start::Opening, acts, check);
}

/// Where the requests are when the race begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Opening,
    /// All of them have opened their session.
    Opened,
}

fn race_from(from: Start, acts: &[Act], check: impl Fn(Outcome)) {
    // Once more with a session so old that every use renews it; three requests
    // would then meet in a hundred thousand orders.
    let ages = [None, Some(Ttl::hours(3))];
    for age in ages.into_iter().take(if acts.len() > 2 { 1 } else { 2 }) {
        let start = || {
            let bank = Bank::new(1, 0);
            let cookie = bank.ada();
            if let Some(age) = age {
                bank.clock.advance(age.as_duration());
            }
            let requests = acts.iter().map(|act| -> Process<Reply> {
                match from {
                    Start::Opening => Box::pin(request(bank.clone(), cookie.clone(), *act)),
                    Start::Opened => Box::pin(go_on(bank.open(&cookie), *act)),
                }
            });
            let requests = requests.collect();
            ((bank, cookie), requests)
        };
        in_every_order(start, |(bank, first), replies, schedule| {
            let story = format!("{acts:?} at age {age:?} in the order {schedule:?}");
            let mut cookies = vec![first.clone()];
            let mut browser = first;
            for reply in &replies {
                browser = after_response(browser, &reply.headers);
                cookies.push(after_response(HeaderMap::new(), &reply.headers));
            }
            cookies.dedup();
            for reply in &replies {
                // Only a rotation has to be told at its end that the session is gone.
                assert!(!reply.refused || reply.act == Act::Rotate, "{story}");
                let sent = reply.headers.contains_key(SET_COOKIE);
                let (act, refused) = (reply.act, reply.refused);
                match act {
                    Act::SignIn | Act::Restart => assert!(sent, "{act:?}: {story}"),
                    Act::Read | Act::Note | Act::Visit => {}
                    Act::Rotate => assert!(!(sent && refused), "{story}"),
                    Act::SignOut => {}
                }
            }
            let counted = replies.iter().map(|reply| u32::from(reply.counted)).sum();
            check(Outcome { bank, browser, cookies, replies, counted, story });
        });
    }
}

#[test]
fn no_update_loses_another() {
    for acts in [&[Act::Visit, Act::Visit, Act::Visit][..], &[Act::Visit, Act::Read]] {
        race(acts, |end| {
            let visits = acts.iter().filter(|act| **act == Act::Visit).count() as u32;
            let account = end.account().expect("still signed in");
            assert_eq!((end.counted, account.visits), (visits, visits), "{}", end.story);
        });
    }
}

#[test]
fn changes_to_different_fields_never_lose_each_other() {
    for acts in [&[Act::Note, Act::Visit][..], &[Act::Note, Act::Visit, Act::Visit]] {
        race(acts, |end| {
            let account = end.account().expect("still signed in");
            let visits = acts.len() as u32 - 1;
            let expected = Account { user: ADA.into(), visits, note: "noted".into() };
            assert_eq!(account, expected, "{}", end.story);
        });
    }
}

#[test]
fn nothing_brings_back_a_session_that_was_signed_out() {
    for other in [Act::Read, Act::Note, Act::Visit, Act::Rotate, Act::Restart, Act::SignOut] {
        race(&[Act::SignOut, other], assert_gone);
        race(&[Act::Restart, other], assert_gone);
    }
}

#[test]
fn no_two_requests_bring_back_a_session_that_was_signed_out() {
    race(&[Act::SignOut, Act::Note, Act::Visit], assert_gone);
    for other in [Act::Rotate, Act::SignIn, Act::Restart, Act::SignOut] {
        for change in [Act::Note, Act::Visit] {
            race_from(Start::Opened, &[Act::SignOut, other, change], assert_gone);
        }
    }
    race_from(Start::Opened, &[Act::Restart, Act::Rotate, Act::Note], assert_gone);
}

#[test]
fn no_two_rotations_bring_back_a_session_that_was_signed_out() {
    race_from(Start::Opened, &[Act::SignOut, Act::Rotate, Act::Rotate], assert_gone);
}

fn assert_gone(end: Outcome) {
    assert_eq!(end.bank.records_of_ada(), 0, "{}", end.story);
    assert_eq!(end.good_cookies(), 0, "{}", end.story);
}

/// Who signs in meanwhile has checked a password, and stays. What was there before is gone
/// unless the sign-in came after the sign-out.
#[test]
fn a_sign_in_beside_a_sign_out_is_ended_by_it_or_begins_anew() {
    for ending in [Act::SignOut, Act::Restart] {
        race(&[ending, Act::SignIn], |end| {
            let sessions = end.bank.records_of(GRACE);
            assert!(sessions <= 1, "{}", end.story);
            assert_eq!(end.cookies_of(GRACE), sessions, "{}", end.story);
            assert_gone(end);
        });
    }
}

#[test]
fn a_rotation_leaves_one_session_with_one_cookie_and_the_browser_has_it() {
    for other in [Act::Read, Act::Note, Act::Visit, Act::Rotate] {
        race(&[Act::Rotate, other], assert_rotated);
    }
}

#[test]
fn a_rotation_among_two_requests_leaves_one_session_with_one_cookie() {
    for [one, other] in [[Act::Note, Act::Visit], [Act::Rotate, Act::Read]] {
        race(&[Act::Rotate, one, other], assert_rotated);
    }
}

fn assert_rotated(end: Outcome) {
    assert_eq!(end.bank.records_of_ada(), 1, "{}", end.story);
    assert_eq!(end.good_cookies(), 1, "{}", end.story);
    assert_eq!(end.bank.account(&end.cookies[0]), None, "{}", end.story);
    let account = end.account().unwrap_or_default();
    assert_eq!(account.user, ADA, "the browser has the new id: {}", end.story);
    assert_eq!(account.visits, end.counted, "no counted visit is lost: {}", end.story);
    // A rotation that came with the old id found nothing that it could rotate.
    assert!(end.done(Act::Rotate) == 1, "the others are refused: {}", end.story);
}

#[test]
fn a_sign_in_leaves_one_session_with_one_cookie_and_the_browser_has_it() {
    for other in [Act::Read, Act::Note, Act::Visit] {
        race(&[Act::SignIn, other], assert_signed_in);
    }
}

/// What a rotation has made of the id ends, wherever it was planted.
#[test]
fn a_sign_in_beside_a_rotation_leaves_one_session() {
    race(&[Act::SignIn, Act::Rotate], |end| {
        let signed_in = end.replies.iter().find(|reply| reply.act == Act::SignIn);
        let signed_in = after_response(HeaderMap::new(), &signed_in.expect("it is").headers);
        let account = end.bank.account(&signed_in).expect("it lives");
        assert_eq!(account.user, GRACE, "{}", end.story);
        assert_eq!(end.bank.records_of(GRACE), 1, "{}", end.story);
        assert_gone(end);
    });
}

fn assert_signed_in(end: Outcome) {
    assert_eq!(end.bank.records_of(GRACE), 1, "{}", end.story);
    assert_eq!(end.cookies_of(GRACE), 1, "{}", end.story);
    let account = end.account().unwrap_or_default();
    assert_eq!(account.user, GRACE, "the browser has the new id: {}", end.story);
    assert_eq!(account.visits, end.counted, "no counted visit is lost: {}", end.story);
    assert_gone(end);
}

#[test]
fn two_sign_ins_are_two_sessions() {
    race(&[Act::SignIn, Act::SignIn], |end| {
        assert_eq!(end.bank.records_of(GRACE), 2, "{}", end.story);
        assert_eq!(end.cookies_of(GRACE), 2, "{}", end.story);
        assert_gone(end);
    });
}

#[test]
fn what_a_restart_begins_outlives_every_other_request() {
    for other in [Act::Read, Act::Note, Act::Visit, Act::Rotate, Act::Restart, Act::SignOut] {
        race(&[Act::Restart, other], |end| {
            for reply in end.replies.iter().filter(|reply| reply.act == Act::Restart) {
                let cookies = after_response(HeaderMap::new(), &reply.headers);
                let note = end.bank.account(&cookies).map(|account| account.note);
                assert_eq!(note.as_deref(), Some("goodbye"), "{}", end.story);
            }
        });
    }
}

/// A request beside the sign-out was cut off at any of its awaits.
#[test]
fn nothing_of_a_request_that_was_cut_off_outlives_a_sign_out() {
    let others = [Act::Note, Act::Visit, Act::Rotate, Act::SignIn, Act::Restart, Act::SignOut];
    for ending in [Act::SignOut, Act::Restart] {
        for other in others {
            for polls in 2..=10 {
                let start = || {
                    let bank = Bank::new(1, 0);
                    let ada = bank.ada();
                    let ends = request(bank.clone(), ada.clone(), ending);
                    let cut = cut_off(polls, request(bank.clone(), ada.clone(), other));
                    let requests: Vec<Process<Option<Reply>>> =
                        vec![Box::pin(async { Some(ends.await) }), Box::pin(cut)];
                    ((bank, ada), requests)
                };
                in_every_order(start, |(bank, ada), replies, schedule| {
                    let story = format!("{ending:?}, {other:?}, {polls} polls, {schedule:?}");
                    assert_eq!(bank.account(&ada), None, "{story}");
                    for reply in replies.iter().flatten() {
                        let cookies = after_response(HeaderMap::new(), &reply.headers);
                        let account = bank.account(&cookies).unwrap_or_default();
                        assert_ne!(account.user, ADA, "{story}");
                    }
                });
            }
        }
    }
}

/// Two requests beside the sign-out, one of them or both cut off at some await, in some of
/// their orders.
#[test]
fn nothing_of_two_requests_that_were_cut_off_outlives_a_sign_out() {
    let acts = [Act::Note, Act::Visit, Act::Rotate, Act::SignIn, Act::Restart, Act::SignOut];
    for ending in [Act::SignOut, Act::Restart] {
        for one in acts {
            for other in acts {
                in_sampled_orders(
                    300,
                    |dice| {
                        let bank = Bank::new(1, 0);
                        let ada = bank.ada();
                        let ends = request(bank.clone(), ada.clone(), ending);
                        let mut requests: Vec<Process<Option<Reply>>> =
                            vec![Box::pin(async { Some(ends.await) })];
                        for act in [one, other] {
                            let polls = 2 + dice.below(12);
                            let request = request(bank.clone(), ada.clone(), act);
                            requests.push(Box::pin(cut_off(polls, request)));
                        }
                        ((bank, ada), requests)
                    },
                    |(bank, ada), replies, schedule| {
                        let story = format!("{ending:?}, {one:?}, {other:?}: {schedule:?}");
                        assert_eq!(bank.account(&ada), None, "{story}");
                        for reply in replies.iter().flatten() {
                            let cookies = after_response(HeaderMap::new(), &reply.headers);
                            let account = bank.account(&cookies).unwrap_or_default();
                            assert_ne!(account.user, ADA, "{story}");
                        }
                    },
                );
            }
        }
    }
}

/// Polls a future so often, and drops it then.
async fn cut_off<F: Future>(mut polls: usize, future: F) -> Option<F::Output> {
    let mut future = Some(Box::pin(future));
    std::future::poll_fn(move |cx| match &mut future {
        Some(running) if polls > 0 => {
            polls -= 1;
            running.as_mut().poll(cx).map(Some)
        }
        _ => {
            future = None;
            Poll::Ready(None)
        }
    })
    .await
}
