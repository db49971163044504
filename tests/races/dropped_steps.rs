//! Steps of a session that are dropped at each of their awaits: the store holds
//! old or new, and the session goes on.

use std::collections::HashMap;
use std::time::Duration;

use cloakroom::{Clock, Config, Error, Memory, MessagePack};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::bank::{ADA, Account, Bank, Customer, Pace, after_response};
use crate::schedule::{drop_after, drop_everywhere, finish};
use crate::support::watched::Watched;

fn bank() -> Bank {
    Bank::new(2, 2)
}

/// Closes the session, and hands out the browser's request headers afterwards.
fn close(session: Customer, browser: HeaderMap) -> HeaderMap {
    let mut response = HeaderMap::new();
    finish(session.close(&mut response)).expect("closed");
    after_response(browser, &response)
}

#[test]
fn opening_may_be_dropped() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        let is_ready = drop_after(polls, bank.sessions.open(&ada)).is_some();
        assert_eq!(bank.account(&ada).expect("still there").user, ADA);
        is_ready
    });
}

#[test]
fn saving_a_new_session_may_be_dropped_and_repeated() {
    drop_everywhere(|polls| {
        let bank = bank();
        let mut session = bank.open(&HeaderMap::new());
        session.visits = 1;
        let is_ready = drop_after(polls, session.save()).is_some();

        session.visits += 1;
        finish(session.save()).expect("saved");
        let browser = close(session, HeaderMap::new());
        assert_eq!(bank.account(&browser).expect("a session").visits, 2, "after {polls} polls");
        is_ready
    });
}

#[test]
fn saving_a_change_may_be_dropped_and_repeated() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        let mut session = bank.open(&ada);
        session.visits = 1;
        let is_ready = drop_after(polls, session.save()).is_some();
        let stored = bank.account(&ada).expect("a session");
        assert!(stored.visits <= 1 && stored.user == ADA, "{stored:?} after {polls} polls");

        session.note = "later".to_owned();
        finish(session.save()).expect("saved");
        let stored = bank.account(&ada).expect("a session");
        assert_eq!((stored.visits, &*stored.note), (1, "later"), "after {polls} polls");
        is_ready
    });
}

#[test]
fn an_update_that_is_dropped_happened_once_or_not_at_all() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        let mut session = bank.open(&ada);
        // Another request makes it repeat itself.
        let mut other = bank.open(&ada);
        finish(other.update(|account| account.visits += 10)).expect("updated");

        let dropped = drop_after(polls, session.update(|account| account.visits += 1));
        let stored = bank.account(&ada).expect("a session").visits;
        assert!(stored == 10 || stored == 11, "{stored} after {polls} polls");
        assert!(dropped.is_none() || stored == 11, "what was reported is there");

        finish(session.update(|account| account.visits += 1)).expect("updated");
        let later = bank.account(&ada).expect("a session").visits;
        assert_eq!(later, stored + 1, "after {polls} polls");
        assert_eq!(session.visits, later);
        dropped.is_some()
    });
}

#[test]
fn a_fresh_id_may_be_dropped_and_repeated() {
    for signs_in in [false, true] {
        drop_everywhere(|polls| {
            let bank = bank();
            let ada = bank.ada();
            bank.clock.advance(Duration::from_secs(60));
            let mut session = bank.open(&ada);
            let created_at = session.created_at();
            session.visits = 1;
            match signs_in {
                true => session.sign_in(),
                false => session.rotate(),
            }
            let is_ready = drop_after(polls, session.save()).is_some();

            session.note = "later".to_owned();
            finish(session.save()).unwrap_or_else(|error| panic!("{error} after {polls} polls"));
            let is_new = session.created_at() == Some(bank.clock.now());
            assert_eq!((is_new, session.created_at() != created_at), (signs_in, signs_in));
            let browser = close(session, ada.clone());
            let account = bank.account(&browser).expect("the browser has the new id");
            assert_eq!((&*account.user, account.visits, &*account.note), (ADA, 1, "later"));
            assert_eq!(bank.account(&ada), None, "the old id leads nowhere");
            is_ready
        });
    }
}

#[test]
fn a_sign_in_after_a_rotation_that_was_dropped_is_carried_out() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        bank.clock.advance(Duration::from_secs(60));
        let mut session = bank.open(&ada);
        session.rotate();
        let is_ready = drop_after(polls, session.save()).is_some();

        session.sign_in();
        finish(session.save()).unwrap_or_else(|error| panic!("{error} after {polls} polls"));
        assert_eq!(session.created_at(), Some(bank.clock.now()), "after {polls} polls");
        let browser = close(session, ada.clone());
        assert_eq!(bank.account(&browser).expect("the new id").user, ADA, "after {polls} polls");
        assert_eq!(bank.account(&ada), None, "the old id leads nowhere");
        is_ready
    });
}

#[test]
fn a_restart_may_be_dropped_and_repeated() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        let mut session = bank.open(&ada);
        session.restart();
        session.note = "goodbye".to_owned();
        let is_ready = drop_after(polls, session.save()).is_some();

        session.visits = 1;
        finish(session.save()).unwrap_or_else(|error| panic!("{error} after {polls} polls"));
        let browser = close(session, ada.clone());
        let expected = Account { visits: 1, note: "goodbye".to_owned(), ..Account::default() };
        assert_eq!(bank.account(&browser), Some(expected), "after {polls} polls");
        assert_eq!(bank.account(&ada), None, "after {polls} polls");
        assert_eq!(bank.records_of_ada(), 0, "after {polls} polls");
        is_ready
    });
}

/// The other's change reaches the fresh record by a merge, before the rotation
/// is dropped.
#[test]
fn a_rotation_that_is_dropped_after_a_merge_keeps_the_change_of_another() {
    for visits in [0, 1] {
        drop_everywhere(|polls| {
            let bank = bank();
            let ada = bank.ada();
            let mut session = bank.open(&ada);
            let mut other = bank.open(&ada);
            other.note = "of another".to_owned();
            close(other, ada.clone());

            session.visits = visits;
            session.rotate();
            let is_ready = drop_after(polls, session.save()).is_some();
            finish(session.save()).expect("saved");
            let browser = close(session, ada.clone());
            let account = bank.account(&browser).expect("the browser has the new id");
            assert_eq!((account.visits, &*account.note), (visits, "of another"), "{polls} polls");
            is_ready
        });
    }
}

/// As before, and the save that finishes the rotation is dropped, too.
#[test]
fn a_rotation_that_is_dropped_twice_after_a_merge_keeps_the_change_of_another() {
    for polls in 0..40 {
        drop_everywhere(|more| {
            let bank = bank();
            let ada = bank.ada();
            let mut session = bank.open(&ada);
            let mut other = bank.open(&ada);
            other.note = "of another".to_owned();
            close(other, ada.clone());

            session.visits = 1;
            session.rotate();
            let _ = drop_after(polls, session.save());
            session.visits = 2;
            let is_ready = drop_after(more, session.save()).is_some();
            finish(session.save()).expect("saved");
            let browser = close(session, ada.clone());
            let account = bank.account(&browser).expect("the browser has the new id");
            let merged = (account.visits, &*account.note);
            assert_eq!(merged, (2, "of another"), "{polls} and {more} polls");
            is_ready
        });
    }
}

#[test]
fn a_sign_out_may_be_dropped_and_repeated() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        let mut session = bank.open(&ada);
        session.destroy();
        let is_ready = drop_after(polls, session.save()).is_some();

        let browser = close(session, ada);
        assert_eq!(bank.records_of_ada(), 0, "after {polls} polls");
        assert!(browser.is_empty(), "the browser forgets the cookie");
        is_ready
    });
}

#[test]
fn a_sign_out_that_follows_a_rotation_may_be_dropped_and_repeated() {
    drop_everywhere(|polls| {
        let bank = bank();
        let ada = bank.ada();
        let mut session = bank.open(&ada);
        let mut rotating = bank.open(&ada);
        rotating.rotate();
        let elsewhere = close(rotating, ada.clone());

        session.destroy();
        let is_ready = drop_after(polls, session.save()).is_some();
        let browser = close(session, ada);
        assert_eq!(bank.records_of_ada(), 0, "after {polls} polls");
        assert_eq!(bank.account(&elsewhere), None);
        assert!(browser.is_empty(), "the browser forgets the cookie");
        is_ready
    });
}

#[test]
fn closing_may_be_dropped() {
    type Change = fn(&mut Customer);

    let change: [(&str, Change); 6] = [
        ("read", |_| {}),
        ("changed", |session| session.visits = 1),
        ("rotated", |session| session.rotate()),
        ("signed in", |session| session.sign_in()),
        ("restarted", |session| session.restart()),
        ("destroyed", |session| session.destroy()),
    ];
    for (what, change) in change {
        let mut polls = 0;
        loop {
            let bank = bank();
            let ada = bank.ada();
            let mut session = bank.open(&ada);
            change(&mut session);
            let mut response = HeaderMap::new();
            let closed = drop_after(polls, session.close(&mut response));

            match bank.account(&ada) {
                Some(account) => assert!(account.user == ADA && account.visits <= 1),
                None => assert!(what != "read" && what != "changed", "{what}"),
            }
            if closed.is_some() {
                break;
            }
            assert!(response.is_empty(), "{what} after {polls} polls");
            polls += 1;
        }
    }
}

/// Its data have a `HashMap`, whose order changes whenever it is decoded.
#[test]
fn a_save_that_is_dropped_and_repeated_overwrites_nothing_of_another() {
    #[derive(Default, Serialize, Deserialize)]
    struct Desk {
        seen: HashMap<u32, u32>,
        note: u32,
    }
    let seen = |at: u32| move |desk: &mut Desk| desk.seen.insert(at, 1);

    drop_everywhere(|polls| {
        let store = Watched::new(Memory::new(), Pace::new(1, 1));
        let sessions = Config::new()
            .store(store)
            .codec(MessagePack::<Desk>::new())
            .clock(Clock::manual())
            .build();
        let mut session = finish(sessions.open(&HeaderMap::new())).expect("opened");
        session.seen = (0..20).map(|at| (at, 0)).collect();
        let mut response = HeaderMap::new();
        finish(session.close(&mut response)).expect("closed");
        let headers = after_response(HeaderMap::new(), &response);

        let mut session = finish(sessions.open(&headers)).expect("opened");
        let mut other = finish(sessions.open(&headers)).expect("opened");
        session.note = 1;
        finish(other.update(seen(100))).expect("updated");
        let is_ready = drop_after(polls, session.save()).is_some();
        finish(other.update(seen(101))).expect("updated");
        finish(session.save()).expect("saved");

        let end = finish(sessions.open(&headers)).expect("opened");
        assert_eq!((end.note, end.seen.len()), (1, 22), "after {polls} polls");
        is_ready
    });
}

#[test]
fn a_session_that_ended_stays_ended_however_often_it_is_saved() {
    let bank = bank();
    let ada = bank.ada();
    let mut session = bank.open(&ada);
    let mut other = bank.open(&ada);
    other.destroy();
    close(other, ada);

    for _ in 0..3 {
        session.visits += 1;
        assert!(matches!(finish(session.save()), Err(Error::Ended)));
        let updated = finish(session.update(|account| account.visits += 1));
        assert!(matches!(updated, Err(Error::Ended)));
    }
    assert!(close(session, HeaderMap::new()).is_empty());
    assert_eq!((bank.records_of_ada(), bank.store.memory.len()), (0, 1), "a note");
}
