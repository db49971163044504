//! When the store is called, and for what.

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
async fn a_destroyed_session_is_removed_from_store_and_browser() {
    let mut visitor = Visitor::returning().await;
    let stolen = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.visits = 99;
    session.destroy();
    session.visits = 100;

    assert_eq!(visitor.close(session).await, Sent::Removal);
    assert_eq!(visitor.calls(), ["load", "load", "remove"]);
    visitor.cookies = stolen;
    assert!(visitor.open().await.is_new());
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
async fn a_new_session_is_not_rotated_after_it_was_created() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.rotate();
    session.visits = 1;
    session.save().await.expect("saved");
    visitor.close(session).await;
    assert_eq!(visitor.calls(), ["create"]);
}

#[tokio::test]
async fn a_session_saved_and_then_destroyed_leaves_no_record() {
    let mut visitor = Visitor::new();
    let mut session = visitor.open().await;
    session.visits = 1;
    session.save().await.expect("saved");
    session.destroy();
    session.save().await.expect("destroyed");
    visitor.close(session).await;
    assert!(visitor.sessions.store().is_empty());
}
