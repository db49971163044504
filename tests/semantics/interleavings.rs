//! Requests on one session that meet in every order, also where one of them is dropped at
//! any of its awaits.

use std::pin::pin;
use std::task::Poll;

use http::{HeaderMap, StatusCode};

use crate::sampling::in_sampled_orders;
use crate::schedule::{Process, drop_after, drop_everywhere, finish, in_every_order};
use crate::site::{ADA, Account, Answer, Customer, FROM_BEFORE, Sent, Site, close};

/// What a request does with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Read,
    /// Changes a field, which is saved at the end.
    Change,
    /// Changes a field, and saves.
    Save,
    Update,
    Rotate,
    SignIn(&'static str),
    Restart,
    SignOut,
}

const ACTS: [Act; 8] = [
    Act::Read,
    Act::Change,
    Act::Save,
    Act::Update,
    Act::Rotate,
    Act::SignIn("bob"),
    Act::Restart,
    Act::SignOut,
];

const GOODBYE: &str = "goodbye";

/// Whether what the request did before its end was refused.
async fn does(session: &mut Customer, act: Act) -> StatusCode {
    let done = match act {
        Act::Read => Ok(()),
        Act::Change => {
            session.n += 1;
            Ok(())
        }
        Act::Save => {
            session.n += 1;
            session.save().await
        }
        Act::Update => session.update(|account| account.n += 1).await,
        Act::Rotate => {
            session.rotate();
            Ok(())
        }
        Act::SignIn(user) => {
            session.user = user.to_owned();
            session.sign_in();
            Ok(())
        }
        Act::Restart => {
            session.restart();
            session.done = true;
            session.user = GOODBYE.to_owned();
            Ok(())
        }
        Act::SignOut => {
            session.destroy();
            Ok(())
        }
    };
    done.map_or_else(|error| error.status(), |()| StatusCode::OK)
}

struct Reply {
    act: Act,
    /// Whether the session was there when the request opened it.
    was_live: bool,
    answer: Answer,
}

impl Reply {
    fn is_acknowledged(&self) -> bool {
        self.answer.status == StatusCode::OK
    }
}

async fn request(site: Site, cookies: HeaderMap, act: Act) -> Reply {
    let mut session = site.open(&cookies).await;
    let was_live = !session.is_new();
    let done = does(&mut session, act).await;
    let mut answer = close(session).await;
    if done != StatusCode::OK {
        answer.status = done;
    }
    Reply { act, was_live, answer }
}

/// Lets the future be polled so often, and drops it then.
async fn cut_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = Some(Box::pin(future));
    let mut left = polls;
    std::future::poll_fn(move |cx| {
        let Some(running) = &mut future else { return Poll::Ready(None) };
        if left == 0 {
            future = None;
            return Poll::Ready(None);
        }
        left -= 1;
        pin!(running).as_mut().poll(cx).map(Some)
    })
    .await
}

/// The end of a race.
struct Outcome {
    site: Site,
    replies: Vec<Reply>,
    /// Every cookie there ever was, the first one first.
    cookies: Vec<HeaderMap>,
    story: String,
}

impl Outcome {
    fn reply(&self, act: Act) -> Option<&Reply> {
        self.replies.iter().find(|reply| reply.act == act)
    }

    fn is_acknowledged(&self, act: Act) -> bool {
        self.reply(act).is_some_and(Reply::is_acknowledged)
    }

    /// What the cookies lead to.
    fn accounts(&self) -> Vec<Account> {
        self.cookies.iter().filter_map(|cookies| finish(self.site.account(cookies))).collect()
    }

    /// What a reply's own cookie leads to.
    fn account_of(&self, act: Act) -> Option<Account> {
        finish(self.site.account(&self.reply(act)?.answer.cookies()))
    }
}

/// Runs the acts in every order, as requests of one browser with the same cookie. The
/// request of `cut` is dropped after so many polls.
fn race(acts: &[Act], cut: Option<Cut>, check: impl Fn(&Outcome)) {
    // One await a call: two would make more orders than a test has time for.
    in_every_order(
        || started(acts, cut),
        |start, replies, schedule| check(&Outcome::of(acts, cut, start, replies, schedule)),
    );
}

/// A request by its place among the others, and the polls after which it is dropped.
type Cut = (usize, usize);

/// Where a race begins, and its requests.
type Started = ((Site, HeaderMap), Vec<Process<Option<Reply>>>);

fn started(acts: &[Act], cut: Option<Cut>) -> Started {
    let site = Site::slow(1, 0);
    let cookies = finish(site.ada());
    let requests = acts.iter().enumerate().map(|(at, act)| -> Process<Option<Reply>> {
        let request = request(site.clone(), cookies.clone(), *act);
        let polls = cut.filter(|(which, _)| *which == at).map_or(usize::MAX, |(_, polls)| polls);
        Box::pin(cut_after(polls, request))
    });
    let requests = requests.collect();
    ((site, cookies), requests)
}

impl Outcome {
    fn of(
        acts: &[Act],
        cut: Option<Cut>,
        (site, first): (Site, HeaderMap),
        replies: Vec<Option<Reply>>,
        schedule: &[usize],
    ) -> Self {
        let replies: Vec<_> = replies.into_iter().flatten().collect();
        let mut cookies = vec![first];
        cookies.extend(replies.iter().map(|reply| reply.answer.cookies()));
        let statuses: Vec<_> =
            replies.iter().map(|reply| (reply.act, reply.answer.status.as_u16())).collect();
        let story = format!("{acts:?}, cut {cut:?}, in the order {schedule:?}: {statuses:?}");
        Self { site, replies, cookies, story }
    }
}

/// After a sign-out that was acknowledged, nothing of the session is left.
fn assert_signed_out(end: &Outcome) {
    if !end.is_acknowledged(Act::SignOut) && !end.is_acknowledged(Act::Restart) {
        return;
    }
    for account in end.accounts() {
        assert_ne!(account.note, FROM_BEFORE, "{}", end.story);
    }
}

/// What holds whenever every request was answered.
fn assert_all_answered(end: &Outcome) {
    let story = &end.story;
    let is_signed_out = end.is_acknowledged(Act::SignOut) || end.is_acknowledged(Act::Restart);
    for Reply { act, was_live, answer } in &end.replies {
        let sent = answer.sent();
        let may_begin = matches!(act, Act::Change | Act::Save | Act::Update | Act::Rotate);
        if may_begin && is_signed_out && !was_live {
            // It came with an id that led nowhere any more: at most, it began a new session.
            assert_ne!(sent, Sent::Removal, "{story}");
            let account = finish(end.site.account(&answer.cookies())).unwrap_or_default();
            assert_eq!((&*account.user, &*account.note), ("", ""), "{story}");
            continue;
        }
        match act {
            // Who may be refused, and is told so then.
            Act::Rotate | Act::Save | Act::Update => {
                let refused = answer.status == StatusCode::CONFLICT;
                assert!(refused || answer.status == StatusCode::OK, "{story}");
                let is_fresh = *act == Act::Rotate && !refused;
                let expected = if is_fresh { Sent::Cookie } else { Sent::Nothing };
                assert_eq!(sent, expected, "{act:?}: {story}");
            }
            Act::SignIn(_) | Act::Restart => {
                assert_eq!((answer.status, sent), (StatusCode::OK, Sent::Cookie), "{story}");
            }
            Act::SignOut => {
                assert_eq!((answer.status, sent), (StatusCode::OK, Sent::Removal), "{story}");
            }
            Act::Read | Act::Change => {
                assert_eq!((answer.status, sent), (StatusCode::OK, Sent::Nothing), "{story}");
            }
        }
    }
    if is_signed_out {
        assert_eq!(finish(end.site.records_from_before()), 0, "{story}");
    }
    if end.is_acknowledged(Act::Restart) {
        let expected = Account { user: GOODBYE.into(), done: true, ..Account::default() };
        assert_eq!(end.account_of(Act::Restart), Some(expected), "{story}");
    }
    for Reply { act, .. } in &end.replies {
        if let (Act::SignIn(user), Some(account)) = (act, end.account_of(*act)) {
            assert_eq!(account.user, *user, "{story}");
        }
    }
    assert_signed_out(end);
}

#[test]
fn no_session_outlives_a_sign_out_in_any_order() {
    for act in ACTS {
        race(&[Act::SignOut, act], None, assert_all_answered);
    }
}

#[test]
fn no_session_outlives_a_restart_in_any_order() {
    for act in ACTS {
        if act != Act::Restart {
            race(&[Act::Restart, act], None, assert_all_answered);
        }
    }
}

#[test]
fn no_session_outlives_a_sign_out_among_two_requests() {
    // Three requests have many orders: others would take minutes.
    race(&[Act::SignOut, Act::Rotate, Act::Change], None, assert_all_answered);
}

/// All groups of an ending and two other requests, each in some of their orders.
#[test]
fn no_session_outlives_a_sign_out_among_any_two_requests() {
    for ending in [Act::SignOut, Act::Restart] {
        for (at, one) in ACTS.into_iter().enumerate() {
            for other in ACTS.into_iter().skip(at) {
                let acts = [ending, one, other];
                in_sampled_orders(
                    ORDERS,
                    |_| started(&acts, None),
                    |start, replies, schedule| {
                        let end = Outcome::of(&acts, None, start, replies, schedule);
                        assert_nothing_left(&end);
                    },
                );
            }
        }
    }
}

/// The second of the others is dropped at some await.
#[test]
fn no_session_outlives_a_sign_out_among_two_requests_of_which_one_is_dropped() {
    for ending in [Act::SignOut, Act::Restart] {
        for one in ACTS {
            for other in ACTS {
                let acts = [ending, one, other];
                for polls in 2..8 {
                    let cut = Some((2, polls));
                    in_sampled_orders(
                        ORDERS / 8,
                        |_| started(&acts, cut),
                        |start, replies, schedule| {
                            let end = Outcome::of(&acts, cut, start, replies, schedule);
                            assert_signed_out(&end);
                        },
                    );
                }
            }
        }
    }
}

/// In so many orders does each group of three requests meet.
const ORDERS: u64 = 200;

fn assert_nothing_left(end: &Outcome) {
    let story = &end.story;
    for Reply { act, answer, .. } in &end.replies {
        let may_be_refused = matches!(act, Act::Rotate | Act::Save | Act::Update);
        let is_refused = may_be_refused && answer.status == StatusCode::CONFLICT;
        assert!(is_refused || answer.status == StatusCode::OK, "{story}");
    }
    assert_eq!(finish(end.site.records_from_before()), 0, "{story}");
    assert_signed_out(end);
    for Reply { act, answer, .. } in &end.replies {
        let account = finish(end.site.account(&answer.cookies()));
        match act {
            Act::SignIn(user) => {
                assert!(account.is_none_or(|account| account.user == *user), "{story}");
            }
            // No other request has the id of what it began.
            Act::Restart => {
                let user = account.map(|account| account.user);
                assert_eq!(user.as_deref(), Some(GOODBYE), "{story}");
            }
            _ => {}
        }
    }
}

#[test]
fn no_session_outlives_a_sign_out_though_a_request_beside_it_is_dropped() {
    for ending in [Act::SignOut, Act::Restart] {
        for act in ACTS {
            // It has opened its session by then.
            for polls in 2..8 {
                race(&[ending, act], Some((1, polls)), assert_signed_out);
            }
        }
    }
}

/// Who signs in is never given the session of another who did.
#[test]
fn two_sign_ins_are_two_sessions_in_any_order() {
    let acts = [Act::SignIn("bob"), Act::SignIn("eve")];
    race(&acts, None, |end| {
        assert_all_answered(end);
        let [bob, eve] = acts.map(|act| end.account_of(act).expect("both are signed in"));
        assert_eq!((&*bob.user, &*eve.user), ("bob", "eve"), "{}", end.story);
        let from_before = [bob, eve].iter().filter(|account| account.note == FROM_BEFORE).count();
        assert_eq!(from_before, 1, "the other began anew: {}", end.story);
    });
}

/// An attacker who planted the id, and rotates it, does not get what a sign-in keeps.
#[test]
fn a_rotation_beside_a_sign_in_leaves_one_session_in_any_order() {
    for polls in [None, Some((1, 2)), Some((1, 4)), Some((1, 6))] {
        race(&[Act::SignIn("bob"), Act::Rotate], polls, |end| {
            let bob = end.account_of(Act::SignIn("bob")).expect("signed in");
            assert_eq!(bob.user, "bob", "{}", end.story);
            assert_eq!(end.accounts(), [bob], "the old id and the rotated one: {}", end.story);
            if polls.is_none() {
                assert_all_answered(end);
            }
        });
    }
}

#[test]
fn of_two_rotations_one_wins_and_the_other_is_refused_in_any_order() {
    race(&[Act::Rotate, Act::Rotate], None, |end| {
        let statuses: Vec<_> = end.replies.iter().map(|reply| reply.answer.status).collect();
        assert!(statuses.contains(&StatusCode::OK), "{}", end.story);
        assert!(statuses.contains(&StatusCode::CONFLICT), "{}", end.story);
        assert_eq!(end.accounts().len(), 1, "{}", end.story);
    });
}

#[test]
fn changes_beside_a_sign_in_are_kept_or_refused_in_any_order() {
    for act in [Act::Update, Act::Save] {
        race(&[Act::SignIn("bob"), act], None, |end| {
            assert_all_answered(end);
            let bob = end.account_of(Act::SignIn("bob")).expect("signed in");
            let added = i64::from(end.is_acknowledged(act));
            assert_eq!((bob.n, &*bob.note), (1 + added, FROM_BEFORE), "{}", end.story);
        });
    }
}

/// The browser that hung up signs out with what it holds: the cookie from before.
#[test]
fn a_sign_out_ends_what_a_dropped_request_left() {
    for act in ACTS {
        drop_everywhere(|polls| {
            let site = Site::slow(1, 1);
            let ada = finish(site.ada());
            let dropped = drop_after(polls, request(site.clone(), ada.clone(), act));
            let held = dropped.as_ref().map_or(ada.clone(), |reply| reply.answer.after(&ada));
            let is_restarted = act == Act::Restart && dropped.is_some();

            let signed_out = finish(request(site.clone(), ada.clone(), Act::SignOut));
            assert!(signed_out.is_acknowledged(), "{act:?} after {polls} polls");
            for cookies in [&ada, &held] {
                let account = finish(site.account(cookies));
                let expected = (is_restarted && cookies == &held).then_some(GOODBYE.to_owned());
                assert_eq!(account.map(|account| account.user), expected, "{act:?}, {polls} polls");
            }
            dropped.is_some()
        });
    }
}

/// A handler whose save was dropped, for example by a timeout of its own, goes on.
#[test]
fn an_act_whose_save_was_dropped_may_be_saved_again() {
    for act in [Act::Rotate, Act::SignIn("bob"), Act::Restart, Act::SignOut] {
        drop_everywhere(|polls| {
            let site = Site::slow(1, 1);
            let ada = finish(site.ada());
            let mut session = finish(site.open(&ada));
            assert_eq!(finish(does(&mut session, act)), StatusCode::OK);
            let is_ready = drop_after(polls, session.save()).is_some();

            let answer = finish(close(session));
            assert_eq!(answer.status, StatusCode::OK, "{act:?} after {polls} polls");
            let account = finish(site.account(&answer.after(&ada)));
            let account = account.as_ref().map(|account| (&*account.user, &*account.note));
            let expected = match act {
                Act::SignIn(user) => Some((user, FROM_BEFORE)),
                Act::Restart => Some((GOODBYE, "")),
                Act::SignOut => None,
                _ => Some((ADA, FROM_BEFORE)),
            };
            assert_eq!(account, expected, "{act:?} after {polls} polls");
            assert_eq!(finish(site.account(&ada)), None, "the old id: {act:?}, {polls} polls");
            is_ready
        });
    }
}

/// It may also read the newest version first.
#[test]
fn a_session_whose_save_was_dropped_may_be_reloaded() {
    for act in [Act::Rotate, Act::SignIn("bob"), Act::Restart] {
        drop_everywhere(|polls| {
            let site = Site::slow(1, 1);
            let ada = finish(site.ada());
            let mut session = finish(site.open(&ada));
            assert_eq!(finish(does(&mut session, act)), StatusCode::OK);
            let is_ready = drop_after(polls, session.save()).is_some();

            let reloaded = finish(session.reload());
            assert!(reloaded.is_ok(), "{reloaded:?}: {act:?} after {polls} polls");
            let user = match act {
                Act::SignIn(user) => user,
                Act::Restart => GOODBYE,
                _ => ADA,
            };
            assert_eq!(session.user, user, "{act:?} after {polls} polls");
            let answer = finish(close(session));
            answer.assert(StatusCode::OK, Sent::Cookie);
            let account = finish(site.account(&answer.cookies()));
            let account = account.expect("lives");
            assert_eq!(account.user, user, "{act:?} after {polls} polls");
            assert_eq!(finish(site.account(&ada)), None, "the old id: {act:?}, {polls} polls");
            is_ready
        });
    }
}
