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

/// What ended is no conflict: its record was replaced by a note.
#[tokio::test]
async fn a_session_that_ended_says_so_though_conflicts_are_rejected() {
    for rotates in [false, true] {
        let mut visitor = Visitor::configured(Config::reject_conflicts).returned().await;
        let [mut other, mut late, mut later, mut sign_in] = [
            visitor.open().await,
            visitor.open().await,
            visitor.open().await,
            visitor.open().await,
        ];
        match rotates {
            true => other.rotate(),
            false => other.destroy(),
        }
        visitor.close(other).await;
        visitor.calls();

        late.visits = 2;
        assert_eq!(visitor.close(late).await, Sent::Nothing);
        assert_eq!(visitor.calls(), ["update", "load"]);
        later.visits = 3;
        assert!(matches!(later.save().await, Err(Error::Ended)));
        sign_in.user = Some("ada".to_owned());
        sign_in.sign_in();
        assert_eq!(visitor.close(sign_in).await, Sent::Cookie);
        let session = visitor.open().await;
        assert_eq!((session.visits, session.user.as_deref()), (0, Some("ada")));
    }
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
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 1));
}

#[tokio::test]
async fn a_session_that_ended_says_so_also_to_a_request_that_changed_nothing() {
    for is_renewal_due in [false, true] {
        let mut visitor = Visitor::returning().await;
        if is_renewal_due {
            visitor.clock.advance(Duration::from_secs(1_800));
        }
        let [mut logout, mut saves, mut updates, mut reloads] = [
            visitor.open().await,
            visitor.open().await,
            visitor.open().await,
            visitor.open().await,
        ];
        logout.destroy();
        visitor.close(logout).await;

        assert!(matches!(saves.save().await, Err(Error::Ended)), "{is_renewal_due}");
        let seen = updates.update(|account| account.visits).await;
        assert!(matches!(seen, Err(Error::Ended)), "{is_renewal_due}");
        assert!(matches!(reloads.reload().await, Err(Error::Ended)), "{is_renewal_due}");
        for session in [saves, updates, reloads] {
            assert_eq!(visitor.close(session).await, Sent::Nothing);
        }
        assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 1));
    }
}

/// The browser of the second request has a newer cookie by the time it gets the
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
async fn an_update_that_changes_nothing_has_seen_the_newest_version() {
    let mut visitor = Visitor::returning().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    first.visits = 11;
    visitor.close(first).await;
    visitor.calls();

    let is_enough = second.update(|account| account.visits > 5).await;
    assert!(is_enough.expect("the session lives"));
    assert_eq!((visitor.calls(), second.visits), (vec!["load"], 11));
    assert_eq!(visitor.close(second).await, Sent::Nothing);
    assert_eq!(visitor.calls(), [""; 0], "nothing is written");
}

#[tokio::test]
async fn an_update_writes_once_though_a_renewal_is_due() {
    let mut visitor = Visitor::returning().await;
    visitor.clock.advance(Duration::from_secs(1_800));
    let mut session = visitor.open().await;
    session.update(|account| account.visits += 1).await.expect("updated");
    visitor.close(session).await;
    assert_eq!(visitor.calls(), ["load", "update"]);
    visitor.clock.advance(Duration::from_secs(3_599));
    assert_eq!(visitor.open().await.visits, 2, "it was renewed");
}

#[tokio::test]
async fn a_reload_keeps_what_was_changed_and_undoes_nothing_of_another() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.labels = (0..50).map(|n| (n.to_string(), n)).collect();
    visitor.close(session).await;

    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    first.visits = 7;
    second.cart.push(3);
    second.save().await.expect("saved");
    first.reload().await.expect("reloaded");
    assert_eq!((first.visits, &*first.cart, first.labels.len()), (7, &[3][..], 50));

    // The map has another order since it was read once more.
    second.labels.insert("new".to_owned(), 1);
    visitor.close(second).await;
    visitor.close(first).await;
    let session = visitor.open().await;
    assert_eq!((session.visits, &*session.cart, session.labels.len()), (7, &[3][..], 51));
}

#[tokio::test]
async fn a_reload_of_a_session_that_was_only_touched_leaves_it_unchanged() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.labels = (0..50).map(|n| (n.to_string(), n)).collect();
    visitor.close(session).await;
    visitor.calls();

    let mut session = visitor.open().await;
    session.labels.remove("no such label");
    session.reload().await.expect("reloaded");
    visitor.close(session).await;
    assert_eq!(visitor.calls(), ["load", "load"]);
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
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (1, 1));
}

#[tokio::test]
async fn of_two_rotations_one_wins_the_other_is_refused_and_one_record_is_left() {
    let mut visitor = Visitor::returning().await;
    let [mut first, mut second] = [visitor.open().await, visitor.open().await];
    first.rotate();
    second.rotate();
    assert_eq!(visitor.close(first).await, Sent::Cookie);
    visitor.close_refused(second).await;
    assert!(!visitor.open().await.is_new());
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (1, 1));
    visitor.clock.advance(Duration::from_secs(61));
    visitor.sessions.sweep().await.expect("swept");
    assert_eq!(visitor.sessions.store().len(), 1);
}

#[tokio::test]
async fn a_close_that_fails_writes_the_cookie_of_what_was_saved_and_nothing_else() {
    for rotated in [false, true] {
        let mut visitor = Visitor::configured(Config::reject_conflicts).returned().await;
        let mut session = visitor.open().await;
        if rotated {
            session.rotate();
            session.save().await.expect("saved");
        }
        let cookie = format!("__Host-id={}", session.id().expect("stored").as_str());
        let cookies = HeaderMap::from_iter([(COOKIE, cookie.parse().expect("a header"))]);
        let mut other = visitor.sessions.open(&cookies).await.expect("open");
        other.visits = 5;
        other.close(&mut HeaderMap::new()).await.expect("saved");

        session.visits = 9;
        let mut response = HeaderMap::new();
        let refused = session.close(&mut response).await.expect_err("another request wrote");
        assert!(matches!(refused, Error::Conflict), "{refused}");

        assert_eq!(response.is_empty(), !rotated, "{response:?}");
        assert_eq!(visitor.keep(&response), if rotated { Sent::Cookie } else { Sent::Nothing });
        assert_eq!(visitor.open().await.visits, 5, "rotated: {rotated}");
    }
}
