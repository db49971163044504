//! Several cookies of one name, as browsers send them where domains, paths or
//! partitions overlap. Nobody knows which of them is which.

use http::header::COOKIE;

use crate::visitor::{Sent, Visitor};

/// Gives a visitor's browser one cookie for each ticket, in this order.
fn holds(visitor: &mut Visitor, tickets: &[&str]) {
    let pairs = tickets.iter().map(|ticket| format!("__Host-id={ticket}"));
    let header = pairs.collect::<Vec<_>>().join("; ");
    visitor.cookies.insert(COOKIE, header.parse().expect("a header"));
}

/// A ticket that no session ever had.
fn unknown(letter: &str) -> String {
    format!("{}A", letter.repeat(42))
}

async fn ticket(visitor: &Visitor) -> String {
    visitor.open().await.id().expect("stored").as_str().to_owned()
}

#[tokio::test]
async fn a_dead_ticket_does_not_hide_a_live_one_and_takes_no_cookie_away() {
    let mut visitor = Visitor::returning().await;
    let live = ticket(&visitor).await;
    let [one, two] = ["1", "2"].map(unknown);
    for tickets in [&[&*one, &*live][..], &[&live, &one], &[&one, &two, &live], &["!", &live]] {
        holds(&mut visitor, tickets);
        visitor.calls();
        let session = visitor.open().await;
        assert_eq!((session.is_new(), session.visits), (false, 1), "{tickets:?}");
        assert_eq!(session.id().expect("stored").as_str(), live);
        assert_eq!(visitor.close(session).await, Sent::Nothing, "{tickets:?}");
        let found = tickets.iter().filter(|ticket| **ticket != "!");
        let look_ups = found.take_while(|ticket| **ticket != live).count() + 1;
        assert_eq!(visitor.calls(), vec!["load"; look_ups], "{tickets:?}");
    }
}

#[tokio::test]
async fn a_user_who_signs_in_beside_a_cookie_from_before_is_signed_in() {
    let mut visitor = Visitor::returning().await;
    let before = ticket(&visitor).await;
    let mut session = visitor.open().await;
    session.destroy();
    assert_eq!(visitor.close(session).await, Sent::Removal);

    // The removal had other attributes than the cookie, which stays.
    holds(&mut visitor, &[&before]);
    let mut session = visitor.open().await;
    session.user = Some("ada".to_owned());
    session.rotate();
    assert_eq!(visitor.close(session).await, Sent::Cookie);
    let fresh = ticket(&visitor).await;

    holds(&mut visitor, &[&before, &fresh]);
    let mut session = visitor.open().await;
    assert_eq!(session.user.as_deref(), Some("ada"));
    session.visits += 1;
    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.open().await.visits, 1);
}

#[tokio::test]
async fn three_tickets_are_looked_up_at_most_and_none_of_them_twice() {
    let mut visitor = Visitor::returning().await;
    let live = ticket(&visitor).await;
    let [one, two, three] = ["1", "2", "3"].map(unknown);
    for (tickets, look_ups, is_new) in [
        (&[&*one, &two, &three, &live][..], 3, true),
        (&[&one, &one, &one, &live], 2, false),
        (&[&one, &two, &one, &two, &live], 3, false),
        (&[&one, &one], 1, true),
    ] {
        holds(&mut visitor, tickets);
        visitor.calls();
        let session = visitor.open().await;
        assert_eq!(session.is_new(), is_new, "{tickets:?}");
        // The removal could meet one that was not looked up.
        let sent = if is_new && !tickets.contains(&&*live) { Sent::Removal } else { Sent::Nothing };
        assert_eq!(visitor.close(session).await, sent, "{tickets:?}");
        assert_eq!(visitor.calls(), vec!["load"; look_ups], "{tickets:?}");
    }
}

#[tokio::test]
async fn of_several_tickets_a_moved_one_counts_more_than_a_dead_one() {
    let mut visitor = Visitor::returning().await;
    let moved = ticket(&visitor).await;
    let mut session = visitor.open().await;
    session.rotate();
    visitor.close(session).await;

    let dead = unknown("1");
    for tickets in [[&*dead, &*moved], [&moved, &dead]] {
        holds(&mut visitor, &tickets);
        let mut late = visitor.open().await;
        assert!(late.is_new());
        late.visits = 9;
        assert_eq!(visitor.close(late).await, Sent::Nothing, "it waits for the new ticket");
    }
}

#[tokio::test]
async fn of_several_tickets_an_unreadable_one_counts_most() {
    let mut visitor = Visitor::returning().await;
    let unreadable = ticket(&visitor).await;
    visitor.sessions.store().overwrite_all(b"not a session").await;
    // A rotation of another session, in the same store.
    let mut other = Visitor {
        sessions: visitor.sessions.clone(),
        clock: visitor.clock.clone(),
        cookies: http::HeaderMap::new(),
    }
    .returned()
    .await;
    let moved = ticket(&other).await;
    let mut session = other.open().await;
    session.rotate();
    other.close(session).await;

    let dead = unknown("1");
    for tickets in [[&*dead, &*moved, &*unreadable], [&unreadable, &moved, &dead]] {
        holds(&mut visitor, &tickets);
        let session = visitor.open().await;
        assert_eq!(visitor.close(session).await, Sent::Nothing);
    }
    let records = visitor.sessions.store().len();
    let mut logout = visitor.open().await;
    logout.destroy();
    assert_eq!(visitor.close(logout).await, Sent::Removal);
    assert_eq!(visitor.sessions.store().len(), records - 1, "the one that cannot be read");
}
