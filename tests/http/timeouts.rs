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
        let thief = browser.copy();
        site.advance(Ttl::hours(1));
        assert_eq!(browser.get("/read").await.body, "new", "{renewal:?}");
        assert_eq!(browser.cookies(), None, "{renewal:?}");
        assert_eq!(thief.get("/read").await.body, "new", "{renewal:?}");
    }
}

#[tokio::test]
async fn a_rotated_session_keeps_the_time_of_its_creation() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::hours(3));
    let browser = browser(config);
    browser.get("/visit").await;
    site.advance(Ttl::minutes(100));
    browser.get("/sign-in").await;
    site.advance(Ttl::minutes(79));
    assert_eq!(browser.get("/read").await.body, "ada, 1 visits");
    site.advance(Ttl::minutes(1));
    assert_eq!(browser.get("/read").await.body, "new");
}

#[tokio::test]
async fn the_cookie_lives_no_longer_than_the_absolute_timeout() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::hours(3));
    let browser = browser(config);
    browser.get("/visit").await;
    site.advance(Ttl::minutes(110));
    let reply = browser.get("/read").await;
    let in_70_minutes = expires(&site.clock, Ttl::minutes(70).as_duration());
    let cookie = reply.set_cookies().concat();
    assert!(cookie.ends_with(&format!("Max-Age=4200; Expires={in_70_minutes}")), "{cookie}");
}

#[tokio::test]
async fn a_use_renews_the_session_and_its_cookie_when_a_fifth_of_the_time_has_passed() {
    let site = Site::new();
    let browser = browser(site.config().idle_timeout(Ttl::hours(10)));
    let first = browser.get("/visit").await.set_cookies().concat();
    site.take_calls();

    site.advance(Ttl::hours(2));
    assert_eq!(browser.get("/read").await.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), [Op::Load]);

    site.advance(Ttl::MIN);
    let reply = browser.get("/read").await;
    assert_eq!(site.take_calls(), [Op::Load, Op::Update]);
    let renewed = reply.set_cookies().concat();
    assert_eq!(
        renewed.split_once(';').expect("attributes").0,
        first.split_once(';').expect("attributes").0
    );
    let in_10_hours = expires(&site.clock, Ttl::hours(10).as_duration());
    assert!(renewed.ends_with(&format!("Max-Age=36000; Expires={in_10_hours}")), "{renewed}");

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
    site.advance(Ttl::hours(5));
    assert_eq!(browser.get("/read").await.set_cookies().len(), 0);
    site.advance(Ttl::MIN);
    assert_eq!(browser.get("/read").await.set_cookies().len(), 1);
}

#[tokio::test]
async fn renewal_at_every_request_sends_the_cookie_each_time_and_costs_no_call() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::hours(1)).renewal(Renewal::EveryRequest);
    let browser = browser(config);
    browser.get("/visit").await;
    site.take_calls();
    for _ in 0..5 {
        site.advance(Ttl::minutes(59));
        let reply = browser.get("/read").await;
        assert_eq!(reply.body, "1 visits");
        let in_an_hour = expires(&site.clock, Ttl::hours(1).as_duration());
        let cookie = reply.set_cookies().concat();
        assert!(cookie.ends_with(&format!("Max-Age=3600; Expires={in_an_hour}")), "{cookie}");
        assert_eq!(site.take_calls(), [Op::Load]);
    }
    site.advance(Ttl::hours(1));
    assert_eq!(browser.get("/read").await.body, "new");
}

#[tokio::test]
async fn a_slow_reader_stays_silent_and_answers_when_its_ticket_cannot_be_looked_up_again() {
    let site = Arc::new(Site::new());
    let probe = site.clone();
    let slow = async move |session: Visitor| {
        probe.advance(Ttl::minutes(1));
        probe.break_store(Op::Load);
        session.visits.to_string()
    };
    let config = site.config().renewal(Renewal::EveryRequest);
    let browser = Browser::new(routes().route("/slow", get(slow)).layer(config.layer()));
    browser.get("/visit").await;
    site.take_calls();

    let reply = browser.get("/slow").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "1"));
    assert_eq!((reply.set_cookies(), site.take_calls()), (vec![], vec![Op::Load, Op::Load]));
    site.repair_store();
    assert_eq!(browser.get("/read").await.set_cookies().len(), 1, "the next one sends it");
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
