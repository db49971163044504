//! A fresh id, while Flask knows nothing of it.

use std::time::Duration;

use cloakroom::{Clock, Config, Error};
use http::HeaderMap;

use crate::schedule::{drop_after, drop_everywhere, finish, in_every_order};
use crate::shelf::{
    Account, PackedSession, SID, Shelf, close, cookie_in, id_in, packed, with_cookie,
};

const RECORD: &[u8] = b"\x82\xa5value\xa242\xa6theirs\x05";

fn shelf() -> Shelf {
    let shelf = Shelf::default();
    shelf.put(SID, RECORD);
    shelf
}

fn open(shelf: &Shelf, id: &str) -> PackedSession {
    finish(packed(shelf).open(&with_cookie(id))).expect("opened")
}

/// What Flask-Session sees in a record: its keys, unless that is no session.
fn flask_sees(record: &[u8]) -> bool {
    // A map of one key, `_permanent`, is falsy there.
    !record.starts_with(b"\x81\xaa_permanent") && record != b"\x80"
}

/// The ids under which there is a session.
fn live(shelf: &Shelf) -> Vec<String> {
    let ids = shelf.ids().into_iter();
    ids.filter(|id| flask_sees(&shelf.get(id).expect("listed"))).collect()
}

/// A record whose making was dropped is left, and expires: no browser has its id.
#[track_caller]
fn assert_moved(shelf: &Shelf, id: &str, polls: usize) {
    let live = live(shelf);
    let has = |id: &str| live.iter().any(|live| live == id);
    assert!(has(id) && !has(SID), "after {polls} polls");
}

#[test]
fn a_rotated_session_has_a_fresh_id_and_flask_sees_none_under_the_old_one() {
    let shelf = shelf();
    let mut session = open(&shelf, SID);
    session.user_id = Some(7);
    session.rotate();
    let id = id_in(&finish(close(session)).expect("a cookie"));

    assert_ne!(id, SID);
    assert_eq!(live(&shelf), [&*id]);
    let fresh = shelf.get(&id).expect("a record");
    assert_eq!(fresh, b"\x83\xa5value\xa242\xa6theirs\x05\xa7user_id\x07");
    assert_eq!(shelf.ttl(SID), Some(cloakroom::Ttl::minutes(1)));
    // Flask may show what is left to a visitor who has the old cookie.
    let left = String::from_utf8_lossy(&shelf.get(SID).expect("a record")).into_owned();
    assert!(left.contains("moved:") && !left.contains(&id), "{left}");
}

#[test]
fn a_request_with_the_old_id_saves_nothing_and_leaves_the_cookie_alone() {
    let shelf = shelf();
    let mut session = open(&shelf, SID);
    session.rotate();
    let fresh = id_in(&finish(close(session)).expect("a cookie"));

    let mut late = open(&shelf, SID);
    assert_eq!(*late, Account::default());
    late.value = Some("late".to_owned());
    assert!(matches!(finish(late.save()), Err(Error::Ended)));
    assert_eq!(finish(close(late)), None);
    assert_eq!(live(&shelf), [&*fresh]);

    let mut late = open(&shelf, SID);
    late.rotate();
    let mut response = HeaderMap::new();
    assert!(matches!(finish(late.close(&mut response)), Err(Error::Ended)));
    assert!(response.is_empty());
    assert_eq!(live(&shelf), [&*fresh]);

    // A user who signs in again gets a session of their own.
    let mut late = open(&shelf, SID);
    late.value = Some("ann".to_owned());
    late.sign_in();
    let other = id_in(&finish(close(late)).expect("a cookie"));
    assert!(other != fresh && other != SID);
    assert_eq!(live(&shelf).len(), 2);

    // A logout finds nothing to end, but the browser forgets the cookie.
    let mut late = open(&shelf, SID);
    late.destroy();
    assert!(finish(close(late)).expect("the removal").contains("Max-Age=0"));
    assert_eq!(live(&shelf).len(), 2);
}

/// Loading postpones what is left under the old id, so it says itself when it
/// is over.
#[test]
fn a_browser_that_keeps_the_old_cookie_is_not_shut_out_for_longer_than_a_minute() {
    let clock = Clock::manual();
    let shelf = shelf();
    let config = Config::flask_session().store(shelf.clone()).data::<Account>();
    let sessions = config.clock(clock.clone()).build();
    let mut session = finish(sessions.open(&with_cookie(SID))).expect("opened");
    session.rotate();
    finish(close(session));

    for (seconds, saves) in [(30, false), (29, false), (1, true)] {
        clock.advance(Duration::from_secs(seconds));
        let mut late = finish(sessions.open(&with_cookie(SID))).expect("opened");
        late.value = Some("late".to_owned());
        assert_eq!(finish(close(late)).is_some(), saves);
    }
}

#[test]
fn a_rotation_may_be_dropped_and_repeated() {
    drop_everywhere(|polls| {
        let shelf = shelf();
        let mut session = open(&shelf, SID);
        session.user_id = Some(7);
        session.rotate();
        let is_ready = drop_after(polls, session.save()).is_some();

        session.value = Some("later".to_owned());
        finish(session.save()).unwrap_or_else(|error| panic!("{error} after {polls} polls"));
        let id = id_in(&finish(close(session)).expect("a cookie"));
        assert_moved(&shelf, &id, polls);
        let fresh = shelf.get(&id).expect("a record");
        assert_eq!(fresh, b"\x83\xa5value\xa5later\xa6theirs\x05\xa7user_id\x07");
        is_ready
    });
}

/// Flask saves at every request by default, also what it read before.
#[test]
fn a_rotation_that_is_dropped_and_overwritten_by_flask_is_repeated() {
    drop_everywhere(|polls| {
        let shelf = shelf();
        let mut session = open(&shelf, SID);
        session.user_id = Some(7);
        session.rotate();
        let is_ready = drop_after(polls, session.save()).is_some();
        if is_ready {
            return true;
        }
        shelf.put(SID, b"\x82\xa5value\xa242\xa6theirs\x06");

        finish(session.save()).expect("saved");
        let id = id_in(&finish(close(session)).expect("a cookie"));
        assert_moved(&shelf, &id, polls);
        let fresh = shelf.get(&id).expect("a record");
        assert_eq!(fresh, b"\x83\xa5value\xa242\xa6theirs\x06\xa7user_id\x07", "{polls} polls");
        false
    });
}

#[test]
fn a_rotation_that_is_dropped_leaves_no_session_when_flask_signs_out() {
    drop_everywhere(|polls| {
        let shelf = shelf();
        let mut session = open(&shelf, SID);
        session.user_id = Some(7);
        session.rotate();
        if drop_after(polls, session.save()).is_some() {
            return true;
        }
        shelf.delete(SID);
        assert!(matches!(finish(session.save()), Err(Error::Ended)), "after {polls} polls");
        assert!(!live(&shelf).contains(&SID.to_owned()), "after {polls} polls");
        false
    });
}

#[test]
fn a_sign_out_may_be_dropped_and_repeated_also_amid_a_rotation() {
    for polls in 0..12 {
        drop_everywhere(|more| {
            let shelf = shelf();
            let mut session = open(&shelf, SID);
            session.rotate();
            let _ = drop_after(polls, session.save());
            session.destroy();
            let is_ready = drop_after(more, session.save()).is_some();
            finish(close(session));
            let ended = !live(&shelf).contains(&SID.to_owned());
            assert!(ended, "after {polls} and {more} polls");
            is_ready
        });
    }
}

#[test]
fn emptying_may_be_dropped_and_loses_nothing_of_flask() {
    drop_everywhere(|polls| {
        let shelf = Shelf::default();
        shelf.put(SID, b"\x81\xa5value\xa242");
        let mut session = open(&shelf, SID);
        session.value = None;
        let is_ready = drop_after(polls, session.save()).is_some();
        // The second time, the session may have ended already.
        let _ = finish(session.save());
        assert!(live(&shelf).is_empty(), "after {polls} polls");
        is_ready
    });
}

#[test]
fn two_rotations_leave_one_session_and_one_good_cookie() {
    in_every_order(
        || {
            let shelf = shelf();
            let processes = (0..2)
                .map(|_| {
                    let shelf = shelf.clone();
                    let process: crate::schedule::Process<Option<String>> = Box::pin(async move {
                        let opened = packed(&shelf).open(&with_cookie(SID)).await;
                        let mut session = opened.expect("opened");
                        session.rotate();
                        let mut response = HeaderMap::new();
                        match session.close(&mut response).await {
                            Ok(()) => cookie_in(&response),
                            Err(Error::Ended) => None,
                            Err(error) => panic!("{error}"),
                        }
                    });
                    process
                })
                .collect();
            (shelf, processes)
        },
        |shelf, cookies, order| {
            let sent: Vec<_> = cookies.iter().flatten().map(|cookie| id_in(cookie)).collect();
            assert_eq!(sent.len(), 1, "the other is refused: {order:?}");
            assert_eq!(live(&shelf), sent, "{order:?}");
        },
    );
}

#[test]
fn a_change_of_another_request_is_in_the_fresh_record_or_refused() {
    in_every_order(
        || {
            let shelf = shelf();
            let rotate = shelf.clone();
            let change = shelf.clone();
            let processes: Vec<crate::schedule::Process<bool>> = vec![
                Box::pin(async move {
                    let opened = packed(&rotate).open(&with_cookie(SID)).await;
                    let mut session = opened.expect("opened");
                    session.rotate();
                    close(session).await;
                    false
                }),
                Box::pin(async move {
                    let opened = packed(&change).open(&with_cookie(SID)).await;
                    let mut session = opened.expect("opened");
                    session.user_id = Some(7);
                    session.save().await.is_ok()
                }),
            ];
            (shelf, processes)
        },
        |shelf, saved, order| {
            let ids = live(&shelf);
            assert_eq!(ids.len(), 1, "{order:?}");
            let record = shelf.get(&ids[0]).expect("a record");
            let is_there = record.ends_with(b"\xa7user_id\x07");
            assert_eq!(saved.contains(&true), is_there, "{order:?}");
        },
    );
}
