//! Two or three requests on one session, in every order in which their store
//! calls can follow each other.

use cloakroom::{Error, Ttl};
use http::HeaderMap;

use crate::bank::{ADA, Account, Bank, after_response};
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
    SignOut,
}

/// What came of a request.
struct Reply {
    headers: HeaderMap,
    /// `update` counted a visit of Ada's.
    counted: bool,
}

async fn request(bank: Bank, headers: HeaderMap, act: Act) -> Reply {
    let mut session = bank.sessions.open(&headers).await.expect("the store works");
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
        Act::SignOut => session.destroy(),
    }
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("the store works");
    Reply { headers, counted }
}

/// The end of a race.
struct Outcome {
    bank: Bank,
    /// Ada's browser, which got the replies in the order in which they were
    /// sent.
    browser: HeaderMap,
    /// Every ticket there ever was, the first one first.
    tickets: Vec<HeaderMap>,
    counted: u32,
    story: String,
}

impl Outcome {
    /// What Ada sees.
    fn account(&self) -> Option<Account> {
        self.bank.account(&self.browser)
    }

    /// How many tickets lead to Ada's data.
    fn good_tickets(&self) -> usize {
        let accounts = self.tickets.iter().filter_map(|ticket| self.bank.account(ticket));
        accounts.filter(|account| account.user == ADA).count()
    }
}

/// Runs the acts in every order, as requests that Ada's browser sent with the
/// same ticket.
fn race(acts: &[Act], check: impl Fn(Outcome)) {
    // Once more with a session so old that every use renews it; three requests
    // would then meet in a hundred thousand orders.
    let ages = [None, Some(Ttl::hours(3))];
    for age in ages.into_iter().take(if acts.len() > 2 { 1 } else { 2 }) {
        let start = || {
            let bank = Bank::new(1, 0);
            let ticket = bank.ada();
            if let Some(age) = age {
                bank.clock.advance(age.as_duration());
            }
            let requests = acts.iter().map(|act| -> Process<Reply> {
                Box::pin(request(bank.clone(), ticket.clone(), *act))
            });
            let requests = requests.collect();
            ((bank, ticket), requests)
        };
        in_every_order(start, |(bank, first), replies, schedule| {
            let story = format!("{acts:?} at age {age:?} in the order {schedule:?}");
            let mut tickets = vec![first.clone()];
            let mut browser = first;
            for reply in &replies {
                browser = after_response(browser, &reply.headers);
                tickets.push(after_response(HeaderMap::new(), &reply.headers));
            }
            tickets.dedup();
            let counted = replies.iter().map(|reply| u32::from(reply.counted)).sum();
            check(Outcome { bank, browser, tickets, counted, story });
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
    for other in [Act::Read, Act::Note, Act::Visit, Act::Rotate, Act::SignOut] {
        race(&[Act::SignOut, other], assert_gone);
    }
}

#[test]
fn no_two_requests_bring_back_a_session_that_was_signed_out() {
    for [one, other] in [
        [Act::Note, Act::Visit],
        [Act::Rotate, Act::Visit],
        [Act::Rotate, Act::Rotate],
        [Act::Rotate, Act::SignOut],
    ] {
        race(&[Act::SignOut, one, other], assert_gone);
    }
}

fn assert_gone(end: Outcome) {
    assert_eq!(end.bank.records_of_ada(), 0, "{}", end.story);
    assert_eq!(end.good_tickets(), 0, "{}", end.story);
}

#[test]
fn a_rotation_leaves_one_session_with_one_ticket_and_the_browser_has_it() {
    for other in [Act::Read, Act::Note, Act::Visit, Act::Rotate] {
        race(&[Act::Rotate, other], assert_rotated);
    }
}

#[test]
fn a_rotation_among_two_requests_leaves_one_session_with_one_ticket() {
    for [one, other] in [[Act::Note, Act::Visit], [Act::Rotate, Act::Read]] {
        race(&[Act::Rotate, one, other], assert_rotated);
    }
}

fn assert_rotated(end: Outcome) {
    assert_eq!(end.bank.records_of_ada(), 1, "{}", end.story);
    assert_eq!(end.good_tickets(), 1, "{}", end.story);
    assert_eq!(end.bank.account(&end.tickets[0]), None, "{}", end.story);
    let account = end.account().unwrap_or_default();
    assert_eq!(account.user, ADA, "the browser has the new ticket: {}", end.story);
    assert_eq!(account.visits, end.counted, "no counted visit is lost: {}", end.story);
}
