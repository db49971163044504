//! Requests that meet in one session.

use std::time::Duration;

use cloakroom::{Config, Error};
use http::HeaderMap;
use http::header::COOKIE;

use crate::visitor::{Account, Sent, Visitor};

#[tokio::test]
async fn concurrent_changes_of_different_fields_are_both_kept() {
    let mut visitor = Visitor::returning().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    first.cart.push(7);
    second.user = Some("ada".to_owned());
    visitor.close(first).await;
    visitor.close(second).await;

    assert_eq!(visitor.calls(), ["load", "load", "update", "update", "load", "update"]);
    let session = visitor.open().await;
    assert_eq!(
        (session.visits, &*session.cart, session.user.as_deref()),
        (1, &[7][..], Some("ada"))
    );
}

#[tokio::test]
async fn an_untouched_map_does_not_undo_what_another_request_put_into_it() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.labels = (0..50).map(|n| (n.to_string(), n)).collect();
    visitor.close(session).await;

    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    first.labels.insert("new".to_owned(), 1);
    second.visits = 5;
    visitor.close(first).await;
    visitor.close(second).await;

    let session = visitor.open().await;
    assert_eq!((session.labels.len(), session.visits), (51, 5));
}

#[tokio::test]
async fn of_two_changes_to_one_field_the_later_wins() {
    let mut visitor = Visitor::returning().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    (first.visits, second.visits) = (10, 20);
    visitor.close(first).await;
    visitor.close(second).await;
    assert_eq!(visitor.open().await.visits, 20);
}

#[tokio::test]
async fn a_conflict_can_be_rejected() {
    let mut visitor = Visitor::configured(Config::reject_conflicts).returned().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    (first.visits, second.cart) = (10, vec![1]);
    visitor.close(first).await;
    let rejected = second.close(&mut HeaderMap::new()).await;
    assert!(matches!(rejected, Err(Error::Conflict)));

    let session = visitor.open().await;
    assert_eq!((session.visits, session.cart.len()), (10, 0));
}

#[tokio::test]
async fn a_conflict_can_be_settled_by_the_application() {
    let mut visitor = Visitor::configured(|config| {
        config.merge_conflicts_with(|versions| Account {
            visits: versions.theirs.visits + versions.mine.visits - versions.base.visits,
            ..versions.theirs
        })
    });
    visitor = visitor.returned().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    (first.visits, second.visits) = (11, 101);
    visitor.close(first).await;
    visitor.close(second).await;
    assert_eq!(visitor.open().await.visits, 111);
}

#[tokio::test]
async fn a_save_that_comes_after_a_logout_brings_nothing_back() {
    let mut visitor = Visitor::returning().await;
    let [mut logout, mut late, mut later] =
        [visitor.open().await, visitor.open().await, visitor.open().await];
    late.visits = 2;
    later.visits = 3;
    logout.destroy();
    visitor.close(logout).await;

    assert_eq!(visitor.close(late).await, Sent::Nothing, "the logout has removed the cookie");
    assert!(matches!(later.save().await, Err(Error::Ended)));
    assert!(matches!(later.update(|account| account.visits).await, Err(Error::Ended)));
    assert!(visitor.sessions.store().is_empty());
}

/// The browser of the second request has a newer ticket by the time it gets the
/// response of the first.
#[tokio::test]
async fn a_session_that_ended_under_a_save_leaves_a_newer_cookie_alone() {
    for saves in [false, true] {
        let mut visitor = Visitor::returning().await;
        let mut slow = visitor.open().await;
        let mut logout = visitor.open().await;
        logout.destroy();
        assert_eq!(visitor.close(logout).await, Sent::Removal);
        let mut sign_in = visitor.open().await;
        sign_in.user = Some("ada".to_owned());
        assert_eq!(visitor.close(sign_in).await, Sent::Cookie);

        slow.visits = 9;
        if saves {
            assert!(matches!(slow.save().await, Err(Error::Ended)));
        }
        assert_eq!(visitor.close(slow).await, Sent::Nothing, "saves: {saves}");
        assert_eq!(visitor.open().await.user.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn an_update_works_on_the_newest_version() {
    let mut visitor = Visitor::returning().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    let add_visit = |account: &mut Account| {
        account.visits += 1;
        account.visits
    };
    assert_eq!(first.update(add_visit).await.expect("updated"), 2);
    assert_eq!(second.update(add_visit).await.expect("updated"), 3);
    assert_eq!(second.visits, 3);
    assert_eq!(visitor.calls(), ["load", "load", "update", "update", "load", "update"]);

    visitor.close(first).await;
    visitor.close(second).await;
    assert_eq!(visitor.calls(), [""; 0]);
}

#[tokio::test]
async fn an_update_creates_a_new_session() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.update(|account| account.visits += 1).await.expect("created");
    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["create"]);
    assert_eq!(visitor.open().await.visits, 1);
}

#[tokio::test]
async fn an_update_saves_earlier_changes_too() {
    let mut visitor = Visitor::returning().await;
    let mut session = visitor.open().await;
    session.user = Some("ada".to_owned());
    session.update(|account| account.visits += 1).await.expect("updated");
    visitor.close(session).await;
    let session = visitor.open().await;
    assert_eq!((session.visits, session.user.as_deref()), (2, Some("ada")));
}

#[tokio::test]
async fn a_rotation_meets_a_concurrent_change_and_keeps_it() {
    let mut visitor = Visitor::returning().await;
    let [mut rotating, mut changing] = [visitor.open().await, visitor.open().await];
    rotating.user = Some("ada".to_owned());
    rotating.rotate();
    changing.cart.push(7);
    visitor.close(changing).await;
    visitor.close(rotating).await;

    let session = visitor.open().await;
    assert_eq!((&*session.cart, session.user.as_deref()), (&[7][..], Some("ada")));
    assert_eq!(visitor.sessions.store().len(), 2, "the session, and where it moved to");
}

#[tokio::test]
async fn of_two_rotations_one_wins_and_one_record_is_left() {
    let mut visitor = Visitor::returning().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    first.rotate();
    second.rotate();
    assert_eq!(visitor.close(first).await, Sent::Cookie);
    assert_eq!(visitor.close(second).await, Sent::Nothing);
    assert!(!visitor.open().await.is_new());
    visitor.clock.advance(Duration::from_secs(61));
    visitor.sessions.sweep().await.expect("swept");
    assert_eq!(visitor.sessions.store().len(), 1);
}

#[tokio::test]
async fn a_close_that_fails_writes_the_ticket_of_what_was_saved_and_nothing_else() {
    for rotated in [false, true] {
        let mut visitor = Visitor::configured(Config::reject_conflicts).returned().await;
        let mut session = visitor.open().await;
        if rotated {
            session.rotate();
            session.save().await.expect("saved");
        }
        let ticket = format!("__Host-id={}", session.id().expect("stored").as_str());
        let cookies = HeaderMap::from_iter([(COOKIE, ticket.parse().expect("a header"))]);
        let mut other = visitor.sessions.open(&cookies).await.expect("open");
        other.visits = 5;
        other.close(&mut HeaderMap::new()).await.expect("saved");

        session.visits = 9;
        let mut response = HeaderMap::new();
        let refused = session.close(&mut response).await.expect_err("somebody else wrote");
        assert!(matches!(refused, Error::Conflict), "{refused}");

        assert_eq!(response.is_empty(), !rotated, "{response:?}");
        assert_eq!(visitor.keep(&response), if rotated { Sent::Cookie } else { Sent::Nothing });
        assert_eq!(visitor.open().await.visits, 5, "rotated: {rotated}");
    }
}
