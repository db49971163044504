//! Several cookies of one name, as browsers send them where domains, paths or
//! partitions overlap. The server cannot tell which of them is which.

use cloakroom::Error;
use http::header::COOKIE;

use crate::visitor::{Sent, Visitor};

/// Gives a visitor's browser one cookie for each id, in this order.
fn holds(visitor: &mut Visitor, ids: &[&str]) {
    let pairs = ids.iter().map(|id| format!("__Host-id={id}"));
    let header = pairs.collect::<Vec<_>>().join("; ");
    visitor.cookies.insert(COOKIE, header.parse().expect("a header"));
}

/// An id that no session ever had.
fn unknown(letter: &str) -> String {
    format!("{}A", letter.repeat(42))
}

async fn id(visitor: &Visitor) -> String {
    visitor.open().await.id().expect("stored").as_str().to_owned()
}

#[tokio::test]
async fn a_dead_id_does_not_hide_a_live_one_and_takes_no_cookie_away() {
    let mut visitor = Visitor::returning().await;
    let live = id(&visitor).await;
    let [one, two] = ["1", "2"].map(unknown);
    for ids in [&[&*one, &*live][..], &[&live, &one], &[&one, &two, &live], &["!", &live]] {
        holds(&mut visitor, ids);
        visitor.calls();
        let session = visitor.open().await;
        assert_eq!((session.is_new(), session.visits), (false, 1), "{ids:?}");
        assert_eq!(session.id().expect("stored").as_str(), live);
        assert_eq!(visitor.close(session).await, Sent::Nothing, "{ids:?}");
        let found = ids.iter().filter(|id| **id != "!");
        let look_ups = found.take_while(|id| **id != live).count() + 1;
        assert_eq!(visitor.calls(), vec!["load"; look_ups], "{ids:?}");
    }
}

#[tokio::test]
async fn a_user_who_signs_in_beside_a_cookie_from_before_is_signed_in() {
    let mut visitor = Visitor::returning().await;
    let before = id(&visitor).await;
    let mut session = visitor.open().await;
    session.destroy();
    assert_eq!(visitor.close(session).await, Sent::Removal);

    // The removal had other attributes than the cookie, which stays.
    holds(&mut visitor, &[&before]);
    let mut session = visitor.open().await;
    session.user = Some("ada".to_owned());
    session.sign_in();
    assert_eq!(visitor.close(session).await, Sent::Cookie);
    let fresh = id(&visitor).await;

    holds(&mut visitor, &[&before, &fresh]);
    let mut session = visitor.open().await;
    assert_eq!(session.user.as_deref(), Some("ada"));
    session.visits += 1;
    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.open().await.visits, 1);
}

#[tokio::test]
async fn eight_ids_are_looked_up_at_most_and_none_of_them_twice() {
    let mut visitor = Visitor::returning().await;
    let live = id(&visitor).await;
    let dead = ["1", "2", "3", "4", "5", "6", "7", "8"].map(unknown);
    let [one, two, ..] = dead.each_ref().map(String::as_str);
    for (before, look_ups, is_new) in [
        (dead[..7].iter().map(String::as_str).collect(), 8, false),
        (dead.iter().map(String::as_str).collect(), 8, true),
        (vec![one, two, one, two], 3, false),
        // 32 values are verified.
        (vec![one; 31], 2, false),
        (vec![one; 32], 1, true),
    ] {
        let ids = [&before[..], &[live.as_str()]].concat();
        holds(&mut visitor, &ids);
        visitor.calls();
        let session = visitor.open().await;
        assert_eq!(session.is_new(), is_new, "{ids:?}");
        assert_eq!(visitor.close(session).await, Sent::Nothing, "{ids:?}");
        assert_eq!(visitor.calls(), vec!["load"; look_ups], "{ids:?}");
    }
}

#[tokio::test]
async fn signing_out_ends_every_session_that_was_presented() {
    for restarts in [false, true] {
        let mut visitor = Visitor::returning().await;
        let first = id(&visitor).await;
        visitor.cookies.clear();
        visitor = visitor.returned().await;
        let second = id(&visitor).await;
        let mut rotating = visitor.open().await;
        rotating.rotate();
        visitor.close(rotating).await;
        let third = id(&visitor).await;
        visitor.cookies.clear();
        visitor = visitor.returned().await;
        let fourth = id(&visitor).await;

        holds(&mut visitor, &[&unknown("1"), &first, &second, &fourth]);
        visitor.calls();
        let mut session = visitor.open().await;
        match restarts {
            true => session.restart(),
            false => session.destroy(),
        }
        let sent = if restarts { Sent::Cookie } else { Sent::Removal };
        assert_eq!(visitor.close(session).await, sent);
        // The loaded one takes one call, any other two, and one more for the move.
        let ended = ["load", "load", "update", "load", "update", "load", "load", "update"];
        let created = restarts.then_some("create");
        assert_eq!(visitor.calls(), ended.into_iter().chain(created).collect::<Vec<_>>());
        for dead in [first, second, third, fourth] {
            holds(&mut visitor, &[&dead]);
            assert!(visitor.open().await.is_new(), "{dead}");
        }
    }
}

#[tokio::test]
async fn of_several_ids_a_moved_one_counts_more_than_a_dead_one() {
    let mut visitor = Visitor::returning().await;
    let moved = id(&visitor).await;
    let mut session = visitor.open().await;
    session.rotate();
    visitor.close(session).await;

    let dead = unknown("1");
    for ids in [[&*dead, &*moved], [&moved, &dead]] {
        holds(&mut visitor, &ids);
        let mut late = visitor.open().await;
        assert!(late.is_new());
        late.visits = 9;
        assert!(matches!(late.save().await, Err(Error::Ended)));
        assert_eq!(visitor.close(late).await, Sent::Nothing, "it waits for the new id");
    }
}

#[tokio::test]
async fn of_several_ids_an_unreadable_one_counts_most() {
    let mut visitor = Visitor::returning().await;
    let unreadable = id(&visitor).await;
    visitor.sessions.store().overwrite_all(b"not a session").await;
    // A rotation of another session, in the same store.
    let mut other = Visitor {
        sessions: visitor.sessions.clone(),
        clock: visitor.clock.clone(),
        cookies: http::HeaderMap::new(),
    }
    .returned()
    .await;
    let moved = id(&other).await;
    let mut session = other.open().await;
    session.rotate();
    other.close(session).await;

    let dead = unknown("1");
    for ids in [[&*dead, &*moved, &*unreadable], [&unreadable, &moved, &dead]] {
        holds(&mut visitor, &ids);
        let session = visitor.open().await;
        assert_eq!(visitor.close(session).await, Sent::Nothing);
    }
    let mut late = visitor.open().await;
    late.visits = 9;
    assert!(matches!(late.save().await, Err(Error::Unreadable)));

    let records = visitor.sessions.store().len();
    let mut logout = visitor.open().await;
    logout.destroy();
    assert_eq!(visitor.close(logout).await, Sent::Removal);
    assert_eq!(visitor.sessions.store().len(), records);
    let notes = visitor.sessions.store().sessions_and_notes().await;
    assert_eq!(notes, (0, records), "what cannot be read, and what moved, are ended");
}
