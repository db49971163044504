//! A session is opened in the box of one that this thread has closed before.

use crate::visitor::{Account, Sent, Visitor};

/// Opens a session, lets it end in some way, and closes it.
async fn use_a_box(way: &str) {
    let mut visitor = Visitor::returning().await;
    let cookies = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.user = Some("ada".to_owned());
    match way {
        "changed" => session.visits = 7,
        "ends with the browser" => session.set_permanent(false),
        "rotated" => session.rotate(),
        "destroyed" => session.destroy(),
        "touched" => session.user = None,
        "ended meanwhile" => {
            let mut logout = visitor.open().await;
            logout.destroy();
            visitor.close(logout).await;
        }
        "late" | "dead" => {
            let mut other = visitor.open().await;
            if way == "late" {
                other.rotate()
            } else {
                other.destroy()
            }
            visitor.close(other).await;
            visitor.cookies = cookies;
            session = visitor.open().await;
            session.user = Some("ada".to_owned());
        }
        _ => unreachable!("{way}"),
    }
    visitor.close(session).await;
}

const WAYS: [&str; 8] = [
    "changed",
    "ends with the browser",
    "rotated",
    "destroyed",
    "touched",
    "ended meanwhile",
    "late",
    "dead",
];

#[tokio::test]
async fn a_used_box_brings_nothing_of_its_session_along_to_a_stranger() {
    for way in WAYS {
        let mut stranger = Visitor::new();
        use_a_box(way).await;
        let session = stranger.open().await;
        assert!(session.is_new() && session.id().is_none() && session.is_permanent(), "{way}");
        assert_eq!(*session, Account::default(), "{way}");
        assert_eq!(stranger.close(session).await, Sent::Nothing, "{way}");
        assert_eq!(stranger.calls(), [""; 0], "{way}");

        use_a_box(way).await;
        let mut session = stranger.open().await;
        session.visits = 1;
        assert_eq!(stranger.close(session).await, Sent::Cookie, "{way}");
        assert_eq!(stranger.calls(), ["create"], "{way}");
    }
}

#[tokio::test]
async fn a_used_box_brings_nothing_of_its_session_along_to_a_known_visitor() {
    for way in WAYS {
        let mut visitor = Visitor::returning().await;
        use_a_box(way).await;
        let session = visitor.open().await;
        let id = session.id().cloned();
        assert!(id.is_some() && session.is_permanent(), "{way}");
        assert_eq!(*session, Account { visits: 1, ..Account::default() }, "{way}");
        assert_eq!(visitor.close(session).await, Sent::Nothing, "{way}");
        assert_eq!(visitor.calls(), ["load"], "{way}");

        use_a_box(way).await;
        let mut session = visitor.open().await;
        session.visits += 1;
        assert_eq!(visitor.close(session).await, Sent::Nothing, "{way}");
        assert_eq!(visitor.calls(), ["load", "update"], "{way}");

        use_a_box(way).await;
        let session = visitor.open().await;
        assert_eq!(session.id(), id.as_ref(), "{way}");
        assert_eq!(*session, Account { visits: 2, ..Account::default() }, "{way}");
    }
}
