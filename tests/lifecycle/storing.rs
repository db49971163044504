//! When the store is called, and for what.

use std::time::Duration;

use http::HeaderMap;
use http::header::SET_COOKIE;

use crate::visitor::{Account, Sent, Visitor};

#[tokio::test]
async fn a_new_session_that_is_not_changed_costs_nothing() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    let _: &mut Account = &mut session;
    session.rotate();
    assert!(session.is_new() && session.id().is_none());

    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.calls(), [""; 0]);
}

#[tokio::test]
async fn a_new_session_that_is_changed_is_created_once() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.visits += 1;

    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["create"]);
    assert_eq!(visitor.open().await.visits, 1);
}

#[tokio::test]
async fn a_loaded_session_that_is_not_changed_is_only_read() {
    let mut visitor = Visitor::returning().await;
    let mut session = visitor.open().await;
    assert_eq!(session.visits, 1);
    session.cart.push(1);
    session.cart.pop();

    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.calls(), ["load"]);
}

#[tokio::test]
async fn a_loaded_session_that_is_changed_is_updated() {
    let mut visitor = Visitor::returning().await;
    let mut session = visitor.open().await;
    session.visits += 1;

    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.calls(), ["load", "update"]);
    assert_eq!(visitor.open().await.visits, 2);
}

#[tokio::test]
async fn a_map_that_is_touched_but_not_changed_writes_nothing() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.labels = (0..50).map(|n| (n.to_string(), n)).collect();
    visitor.close(session).await;
    visitor.calls();

    for _ in 0..20 {
        let mut session = visitor.open().await;
        session.labels.remove("no such label");
        visitor.close(session).await;
        assert_eq!(visitor.calls(), ["load"]);
    }
}

#[tokio::test]
async fn a_destroyed_session_becomes_a_note_and_leaves_the_browser() {
    let mut visitor = Visitor::returning().await;
    let stolen = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.visits = 99;
    session.destroy();
    session.visits = 100;

    assert_eq!(visitor.close(session).await, Sent::Removal);
    assert_eq!(visitor.calls(), ["load", "update"]);
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 1));
    visitor.cookies = stolen;
    assert!(visitor.open().await.is_new());
    visitor.clock.advance(Duration::from_secs(60));
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 0));
    assert!(visitor.open().await.is_new());
}

#[tokio::test]
async fn a_restarted_session_ends_and_what_comes_after_it_begins_anew() {
    let mut visitor = Visitor::returning().await;
    let stolen = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.user = Some("ada".to_owned());
    session.restart();
    assert_eq!(*session, Account::default());
    session.cart.push(7);

    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["load", "update", "create"]);
    assert_eq!(*visitor.open().await, Account { cart: vec![7], ..Account::default() });
    visitor.cookies = stolen;
    assert!(visitor.open().await.is_new());
}

#[tokio::test]
async fn a_new_session_may_be_restarted_and_saved() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.visits = 9;
    session.restart();
    session.save().await.expect("there is nothing to end");
    assert!(session.is_new());
    session.update(|account| account.visits += 1).await.expect("created");
    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["create"]);
    assert_eq!(visitor.open().await.visits, 1);
}

#[tokio::test]
async fn a_session_can_end_with_the_browser_and_says_so_in_its_record() {
    let mut visitor = Visitor::returning().await;
    let mut session = visitor.open().await;
    session.set_permanent(false);
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("saved");
    let cookie = headers[SET_COOKIE].to_str().expect("text");
    assert!(!cookie.contains("Max-Age") && !cookie.contains("Expires"), "{cookie}");
    assert_eq!(visitor.calls(), ["load", "update"]);

    let session = visitor.open().await;
    assert!(!session.is_permanent());
    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.calls(), ["load"]);
}

#[tokio::test]
async fn an_explicit_save_is_not_repeated_at_close() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.visits = 1;
    session.save().await.expect("saved");
    assert!(!session.is_new());
    session.visits = 2;
    session.save().await.expect("saved");
    let _: &mut Account = &mut session;

    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["create", "update"]);
    assert_eq!(visitor.open().await.visits, 2);
}

#[tokio::test]
async fn a_new_session_gets_no_second_id_after_it_was_created() {
    for with_update in [false, true] {
        for signs_in in [false, true] {
            let mut visitor = Visitor::new();
            let mut session = visitor.open().await;
            match signs_in {
                true => session.sign_in(),
                false => session.rotate(),
            }
            if with_update {
                session.update(|account| account.visits = 1).await.expect("created");
            } else {
                session.visits = 1;
                session.save().await.expect("saved");
            }
            assert_eq!(visitor.close(session).await, Sent::Cookie);
            assert_eq!(visitor.calls(), ["create"], "{with_update}, {signs_in}");
        }
    }
}

#[tokio::test]
async fn an_unchanged_session_that_is_saved_is_looked_at_once() {
    let mut visitor = Visitor::returning().await;
    let mut session = visitor.open().await;
    session.save().await.expect("it lives");
    visitor.close(session).await;
    assert_eq!(visitor.calls(), ["load", "load"]);

    let mut stranger = Visitor::new();
    let mut session = stranger.open().await;
    session.save().await.expect("nothing to be saved");
    assert_eq!(stranger.close(session).await, Sent::Nothing);
    assert_eq!(stranger.calls(), [""; 0]);
}

#[tokio::test]
async fn a_session_saved_and_then_destroyed_leaves_no_session() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.visits = 1;
    session.save().await.expect("saved");
    session.destroy();
    session.save().await.expect("destroyed");
    assert_eq!(visitor.close(session).await, Sent::Removal);
    assert_eq!(visitor.calls(), ["create", "update"]);
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 1));
}
