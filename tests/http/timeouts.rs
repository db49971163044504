//! The idle and the absolute timeout, and what renews them.

use std::sync::Arc;

use axum::routing::get;
use cloakroom::{Percent, Renewal, Ttl};
use http::StatusCode;

use crate::site::{Site, SiteConfig, Visitor, expires, routes};
use crate::support::browser::Browser;
use crate::support::watched::Op;

fn browser(config: SiteConfig) -> Browser {
    Browser::new(routes().layer(config.layer()))
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_for_too_long() {
    let site = Site::new();
    let hours = || browser(site.config().idle_timeout(Ttl::hours(2)));
    for (idle, expected) in
        [(Ttl::from_millis(7_199_999).expect("a time"), "1 visits"), (Ttl::hours(2), "new")]
    {
        let browser = hours();
        browser.get("/visit").await;
        site.advance(idle);
        assert_eq!(browser.get("/read").await.body, expected);
    }
}

#[tokio::test]
async fn the_absolute_timeout_ends_a_session_however_often_it_is_used() {
    for renewal in [Renewal::default(), Renewal::EveryRequest] {
        let site = Site::new();
        let config = site.config().idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::hours(5));
        let browser = browser(config.renewal(renewal));
        browser.get("/visit").await;
        for _ in 0..4 {
            site.advance(Ttl::hours(1));
            assert_eq!(browser.get("/read").await.body, "1 visits", "{renewal:?}");
        }
        site.advance(Ttl::hours(1));
        let reply = browser.get("/read").await;
        assert_eq!((&*reply.body, reply.set_cookies()), ("new", vec![]), "{renewal:?}");
    }
}

#[tokio::test]
async fn a_rotated_session_keeps_its_absolute_end_and_a_sign_in_gives_it_a_new_one() {
    for (path, uses, left) in
        [("/rotate", &[40, 39][..], "1 visits"), ("/sign-in", &[100, 79], "ada, 1 visits")]
    {
        let site = Site::new();
        let config = site.config().idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::hours(3));
        let browser = browser(config);
        browser.get("/visit").await;
        site.advance(Ttl::minutes(100));
        browser.get(path).await;
        for minutes in uses {
            site.advance(Ttl::minutes(*minutes));
            assert_eq!(browser.get("/read").await.body, left, "{path}");
        }
        site.advance(Ttl::minutes(1));
        assert_eq!(browser.get("/read").await.body, "new", "{path}");
    }
}

#[tokio::test]
async fn the_cookie_lives_until_the_absolute_end() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::hours(3));
    let browser = browser(config);
    for (path, minutes) in [("/visit", 180), ("/rotate", 120), ("/sign-in", 180), ("/restart", 180)]
    {
        let reply = browser.get(path).await;
        let ends = expires(&site.clock, Ttl::minutes(minutes).as_duration());
        let cookie = reply.set_cookies().concat();
        let max_age = minutes * 60;
        assert!(
            cookie.ends_with(&format!("Max-Age={max_age}; Expires={ends}")),
            "{path}: {cookie}"
        );
        site.advance(Ttl::minutes(60));
    }
}

#[tokio::test]
async fn a_use_renews_the_session_when_a_fifth_of_the_time_has_passed_and_repeats_no_cookie() {
    let site = Site::new();
    let browser = browser(site.config().idle_timeout(Ttl::hours(10)));
    browser.get("/visit").await;
    site.take_calls();

    site.advance(Ttl::hours(2));
    assert_eq!(browser.get("/read").await.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), [Op::Load]);

    site.advance(Ttl::MIN);
    assert_eq!(browser.get("/read").await.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), [Op::Load, Op::Update]);

    site.advance(Ttl::from_millis(35_999_999).expect("a time"));
    assert_eq!(browser.get("/read").await.body, "1 visits");
}

#[tokio::test]
async fn a_cookie_that_ends_with_the_browser_is_not_sent_again_when_the_session_is_renewed() {
    let site = Site::new();
    let browser = browser(site.config().permanent(false).idle_timeout(Ttl::hours(10)));
    browser.get("/visit").await;
    site.take_calls();
    for _ in 0..4 {
        site.advance(Ttl::hours(9));
        let reply = browser.get("/read").await;
        assert_eq!(reply.body, "1 visits");
        assert_eq!(reply.set_cookies(), [""; 0]);
        assert_eq!(site.take_calls(), [Op::Load, Op::Update]);
    }
}

#[tokio::test]
async fn the_share_below_which_a_use_renews_can_be_chosen() {
    let site = Site::new();
    let half = Renewal::WhenBelow(Percent::new(50).expect("a share"));
    let browser = browser(site.config().idle_timeout(Ttl::hours(10)).renewal(half));
    browser.get("/visit").await;
    site.take_calls();
    site.advance(Ttl::hours(5));
    browser.get("/read").await;
    assert_eq!(site.take_calls(), [Op::Load]);
    site.advance(Ttl::MIN);
    browser.get("/read").await;
    assert_eq!(site.take_calls(), [Op::Load, Op::Update]);
}

#[tokio::test]
async fn renewal_at_every_request_repeats_no_cookie_and_costs_no_call() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::hours(1)).renewal(Renewal::EveryRequest);
    let browser = browser(config);
    browser.get("/visit").await;
    site.take_calls();
    for _ in 0..5 {
        site.advance(Ttl::minutes(59));
        let reply = browser.get("/read").await;
        assert_eq!((&*reply.body, reply.set_cookies()), ("1 visits", vec![]));
        assert_eq!(site.take_calls(), [Op::Load]);
    }
    site.advance(Ttl::hours(1));
    assert_eq!(browser.get("/read").await.body, "new");
}

#[tokio::test]
async fn a_slow_request_stays_silent_and_answers_when_its_id_cannot_be_looked_up_again() {
    let site = Arc::new(Site::new());
    let probe = site.clone();
    let slow = async move |mut session: Visitor| {
        session.set_permanent(false);
        session.save().await.expect("saved");
        probe.advance(Ttl::minutes(1));
        probe.break_store(Op::Load);
        session.visits.to_string()
    };
    let browser = Browser::new(routes().route("/slow", get(slow)).layer(site.config().layer()));
    browser.get("/visit").await;
    site.take_calls();

    let reply = browser.get("/slow").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "1"));
    assert_eq!(reply.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), [Op::Load, Op::Update, Op::Load]);
    site.repair_store();
    assert_eq!(browser.get("/visit").await.body, "2", "the session goes on");
}

#[tokio::test]
async fn without_renewal_a_session_ends_when_its_time_has_passed() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::hours(2)).renewal(Renewal::Never);
    let browser = browser(config);
    browser.get("/visit").await;
    site.advance(Ttl::minutes(119));
    let reply = browser.get("/visit").await;
    assert_eq!((&*reply.body, reply.set_cookies().len()), ("2", 0));
    site.advance(Ttl::minutes(1));
    assert_eq!(browser.get("/read").await.body, "new");
}
