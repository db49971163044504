//! What `save`, `update` and `reload` answer is as new as the store.

use std::cell::Cell;
use std::rc::Rc;

use cloakroom::Error;
use http::{HeaderMap, StatusCode};

use crate::schedule::{Process, finish, in_every_order};
use crate::site::{Account, Elsewhere, Sent, Site, close, request};
use crate::support::watched::Op;

/// Takes five away, and says whether there were so many.
fn withdraw(account: &mut Account) -> bool {
    if account.n < 5 {
        return false;
    }
    account.n -= 5;
    true
}

#[tokio::test]
async fn an_update_that_changes_nothing_has_seen_the_newest_version() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    let mut other = site.open(&ada).await;
    other.update(|account| account.n += 10).await.expect("acknowledged");

    assert!(session.update(withdraw).await.expect("updated"));
    assert_eq!((session.n, site.account(&ada).await.expect("lives").n), (6, 6));
    assert!(session.update(withdraw).await.expect("updated"));
    assert!(!session.update(withdraw).await.expect("seen"), "one is left");
}

#[test]
fn an_update_that_changes_nothing_is_as_new_as_any_in_every_order() {
    let start = || {
        let site = Site::slow(1, 1);
        let ada = finish(site.ada());
        let acknowledged = Rc::new(Cell::new(false));
        let paying_in: Process<()> = {
            let (site, ada, acknowledged) = (site.clone(), ada.clone(), acknowledged.clone());
            Box::pin(async move {
                let mut session = site.open(&ada).await;
                session.update(|account| account.n += 10).await.expect("updated");
                acknowledged.set(true);
            })
        };
        let withdrawing: Process<()> = {
            let site = site.clone();
            let ada = ada.clone();
            Box::pin(async move {
                let mut session = site.open(&ada).await;
                let is_paid_in = acknowledged.get();
                let withdrawn = session.update(withdraw).await.expect("updated");
                assert!(withdrawn || !is_paid_in, "ten were paid in before");
                let expected = if withdrawn { 6 } else { 11 };
                // The other request may still be on its way, where nothing was taken.
                let left = site.account(&ada).await.expect("lives").n;
                assert!(left == expected || (!withdrawn && left == 1), "{left}");
            })
        };
        (site, vec![paying_in, withdrawing])
    };
    in_every_order(start, |_, _, _| {});
}

#[tokio::test]
async fn a_loop_that_polls_with_updates_sees_what_another_request_did() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut polling = site.open(&ada).await;
    for _ in 0..3 {
        assert!(!polling.update(|account| account.done).await.expect("seen"));
    }
    request(&site, &ada, |session| session.done = true).await.assert(StatusCode::OK, Sent::Nothing);
    assert!(polling.update(|account| account.done).await.expect("seen"));
    assert!(polling.done, "what the update has seen is what the session holds");
}

#[tokio::test]
async fn what_an_update_has_only_seen_is_not_written() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    request(&site, &ada, |session| session.n = 7).await;
    site.calls();
    assert_eq!(session.update(|account| account.n).await.expect("seen"), 7);
    assert_eq!(close(session).await.sent(), Sent::Nothing);
    assert_eq!(site.writes(), 0);
}

#[tokio::test]
async fn an_update_that_changes_nothing_still_saves_what_was_changed_before() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    request(&site, &ada, |session| session.n = 7).await;
    session.note = "mine".into();
    let seen = session.update(|account| (account.n, account.note.clone())).await.expect("seen");
    assert_eq!(seen, (7, "mine".to_owned()));
    let stored = site.account(&ada).await.expect("lives");
    assert_eq!((stored.n, &*stored.note), (7, "mine"));
}

#[tokio::test]
async fn neither_saving_nor_looking_makes_a_session() {
    let site = Site::new();
    let mut session = site.open(&HeaderMap::new()).await;
    session.save().await.expect("nothing to be saved");
    assert_eq!(session.update(|account| account.n).await.expect("nothing to be saved"), 0);
    close(session).await.assert(StatusCode::OK, Sent::Nothing);
    assert_eq!(site.calls(), []);
}

#[tokio::test]
async fn a_save_of_an_unchanged_session_says_whether_it_has_ended() {
    for elsewhere in Elsewhere::ALL {
        let site = Site::new();
        let ada = site.ada().await;
        let mut session = site.open(&ada).await;
        session.save().await.expect("it lives");
        elsewhere.happens(&site, &ada).await;
        for _ in 0..2 {
            let saved = session.save().await;
            assert!(matches!(saved, Err(Error::Ended)), "{elsewhere:?}: {saved:?}");
        }
        assert_eq!(close(session).await.sent(), Sent::Nothing, "{elsewhere:?}");
    }
}

#[tokio::test]
async fn a_save_of_an_unchanged_live_session_writes_nothing() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    session.save().await.expect("it lives");
    close(session).await.assert(StatusCode::OK, Sent::Nothing);
    assert_eq!(site.writes(), 0);
}

#[tokio::test]
async fn an_update_that_changes_nothing_says_whether_the_session_has_ended() {
    for elsewhere in Elsewhere::ALL {
        let site = Site::new();
        let ada = site.ada().await;
        let mut session = site.open(&ada).await;
        elsewhere.happens(&site, &ada).await;
        for _ in 0..2 {
            let updated = session.update(|_| ()).await;
            assert!(matches!(updated, Err(Error::Ended)), "{elsewhere:?}: {updated:?}");
        }
        assert_eq!(close(session).await.sent(), Sent::Nothing, "{elsewhere:?}");
    }
}

#[tokio::test]
async fn a_reload_reads_what_another_request_saved() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    request(&site, &ada, |session| session.n = 7).await;
    assert_eq!(session.n, 1);
    site.calls();
    session.reload().await.expect("it lives");
    assert_eq!((session.n, site.calls()), (7, vec![Op::Load]));

    // What it read is what the next change is made to.
    session.n += 1;
    close(session).await.assert(StatusCode::OK, Sent::Nothing);
    assert_eq!(site.account(&ada).await.expect("lives").n, 8);
}

#[tokio::test]
async fn a_reload_says_whether_the_session_has_ended() {
    for elsewhere in Elsewhere::ALL {
        let site = Site::new();
        let ada = site.ada().await;
        let mut session = site.open(&ada).await;
        elsewhere.happens(&site, &ada).await;
        let reloaded = session.reload().await;
        assert!(matches!(reloaded, Err(Error::Ended)), "{elsewhere:?}: {reloaded:?}");
    }
}
