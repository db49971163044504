//! Two requests that change the same session: one finishes while the other is
//! in its handler.

use axum::Router;
use axum::routing::get;
use cloakroom::Ttl;
use http::StatusCode;

use crate::site::{Site, SiteConfig, Visitor, routes};
use crate::support::browser::Browser;

/// A browser with a session of one visit. Its route `/slow` adds 10 visits,
/// and while it works, the same browser visits `meanwhile`.
async fn slow_browser(site: &Site, config: SiteConfig, meanwhile: &'static str) -> Browser {
    let quick = site.known_browser().await;
    let other = quick.clone();
    let slow = move |mut session: Visitor| async move {
        session.visits += 10;
        other.get(meanwhile).await;
        "slow"
    };
    let routes = Router::new().merge(routes()).route("/slow", get(slow));
    quick.on(Browser::new(routes.layer(config.layer())))
}

#[tokio::test]
async fn changes_to_different_fields_both_survive() {
    let site = Site::new();
    let browser = slow_browser(&site, site.config(), "/name").await;
    assert_eq!(browser.get("/slow").await.body, "slow");
    assert_eq!(browser.get("/read").await.body, "ada, 11 visits");
}

#[tokio::test]
async fn of_two_changes_to_one_field_the_last_wins() {
    let site = Site::new();
    let browser = slow_browser(&site, site.config(), "/visit").await;
    assert_eq!(browser.get("/slow").await.status, StatusCode::OK);
    assert_eq!(browser.get("/read").await.body, "11 visits");
}

#[tokio::test]
async fn a_rejected_conflict_is_a_409_and_saves_nothing() {
    let site = Site::new();
    let browser = slow_browser(&site, site.config().reject_conflicts(), "/name").await;
    let reply = browser.get("/slow").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::CONFLICT, ""));
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert_eq!(browser.get("/read").await.body, "ada, 1 visits");
    assert_eq!(browser.get("/visit").await.body, "2", "the next request has no conflict");
}

#[tokio::test]
async fn a_merge_of_the_callers_own_sees_all_three_versions() {
    let site = Site::new();
    let add = site.config().merge_conflicts_with(|versions| {
        let mut merged = versions.theirs;
        merged.visits += versions.mine.visits - versions.base.visits;
        merged
    });
    let browser = slow_browser(&site, add, "/visit").await;
    assert_eq!(browser.get("/slow").await.status, StatusCode::OK);
    assert_eq!(browser.get("/read").await.body, "12 visits");
}

#[tokio::test]
async fn a_session_that_was_signed_out_meanwhile_does_not_come_back() {
    let site = Site::new();
    let browser = slow_browser(&site, site.config(), "/sign-out").await;
    let thief = browser.copy();
    let reply = browser.get("/slow").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "slow"), "the response stands");
    assert_eq!(reply.set_cookies(), [""; 0]);
    site.assert_ended_without_data().await;
    assert_eq!(browser.cookies(), None);
    assert_eq!(thief.get("/read").await.body, "new");
}

#[tokio::test]
async fn a_session_that_was_signed_in_or_rotated_meanwhile_keeps_its_new_cookie() {
    for (meanwhile, expected) in [("/sign-in", "ada, 1 visits"), ("/rotate", "1 visits")] {
        let site = Site::new();
        let browser = slow_browser(&site, site.config(), meanwhile).await;
        let reply = browser.get("/slow").await;
        assert_eq!((reply.status, reply.set_cookies().len()), (StatusCode::OK, 0));
        assert_eq!(browser.get("/read").await.body, expected);
    }
}

#[tokio::test]
async fn a_rotation_whose_session_is_gone_is_a_409_and_makes_none() {
    for (meanwhile, left) in [("/sign-out", "new"), ("/rotate", "1 visits")] {
        let site = Site::new();
        let quick = site.known_browser().await;
        let other = quick.clone();
        let rotate = move |mut session: Visitor| async move {
            session.visits += 10;
            session.rotate();
            other.get(meanwhile).await;
            "rotated"
        };
        let slow = quick.on(site.browser_on(Router::new().route("/slow", get(rotate))));
        let records = site.store.memory.len();
        let reply = slow.get("/slow").await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::CONFLICT, ""), "{meanwhile}");
        assert_eq!(reply.set_cookies(), [""; 0], "{meanwhile}");
        assert_eq!(quick.get("/read").await.body, left, "{meanwhile}");
        let made = usize::from(meanwhile == "/rotate");
        assert_eq!(site.store.memory.len(), records + made, "{meanwhile}");
    }
}

#[tokio::test]
async fn a_user_who_signs_in_is_signed_in_though_the_session_is_gone() {
    for meanwhile in ["/sign-out", "/rotate", "/sign-in"] {
        let site = Site::new();
        let quick = site.known_browser().await;
        let other = quick.copy();
        let tab = other.clone();
        let sign_in = move |mut session: Visitor| async move {
            session.user = Some("bob".to_owned());
            session.sign_in();
            tab.get(meanwhile).await;
        };
        let slow = quick.on(site.browser_on(Router::new().route("/slow", get(sign_in))));
        let reply = slow.get("/slow").await;
        assert_eq!((reply.status, reply.set_cookies().len()), (StatusCode::OK, 1), "{meanwhile}");
        // Nothing of the session that is gone: no visit.
        assert_eq!(quick.get("/read").await.body, "bob, 0 visits", "{meanwhile}");
        // What a rotation made ends, what another sign-in made stays.
        let left = if meanwhile == "/sign-in" { "ada, 1 visits" } else { "new" };
        assert_eq!(other.get("/read").await.body, left, "{meanwhile}");
    }
}

#[tokio::test]
async fn a_slow_request_leaves_alone_the_cookie_that_a_sign_in_set_long_ago() {
    let site = Site::new();
    let quick = site.known_browser().await;
    let (other, clock) = (quick.clone(), site.clock.clone());
    let upload = move |mut session: Visitor| async move {
        session.visits += 10;
        other.get("/sign-in").await;
        clock.advance(Ttl::minutes(5).as_duration());
    };
    let routes = Router::new().route("/upload", get(upload));
    quick.on(site.browser_on(routes)).get("/upload").await;
    assert_eq!(quick.get("/read").await.body, "ada, 1 visits");
}
