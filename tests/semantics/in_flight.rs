//! A request that only reads, and whose handler takes longer than a sign-in of the same
//! browser: its response must not touch the fresh cookie.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use cloakroom::{Renewal, Ttl};
use http::{HeaderMap, StatusCode};
use tokio::sync::Notify;

use crate::site::{ADA, Customer, Sent, Site, SiteConfig, close, request, sending};
use crate::support::browser::Browser;

/// How much later than the sign-in's response the poll's is sent, in milliseconds.
const DELAYS: [u64; 6] = [0, 20, 80, 100, 101, 5_000];

const RENEWALS: [fn(SiteConfig) -> SiteConfig; 3] = [
    |config| config,
    |config| config.renewal(Renewal::EveryRequest),
    |config| config.renewal(Renewal::Never),
];

fn sign_in(session: &mut Customer) {
    session.user = ADA.into();
    session.sign_in();
}

/// What the browser holds when the sign-in of a session was answered while a poll was
/// in flight, and the poll's answer came after it.
#[tokio::test]
async fn a_poll_that_a_sign_in_has_overtaken_leaves_the_browser_at_the_fresh_id() {
    for renewal in RENEWALS {
        for age in [Ttl::MIN, Ttl::minutes(90)] {
            for delay in DELAYS {
                for acts in [sign_in, |session: &mut Customer| session.rotate()] {
                    let site = Site::configured(renewal);
                    let browser = site.visitor().await;
                    // After 90 of 120 minutes, a read renews the session.
                    site.advance(age);
                    let polling = site.open(&browser).await;
                    let signed_in = request(&site, &browser, acts).await;
                    signed_in.assert(StatusCode::OK, Sent::Cookie);
                    let browser = signed_in.after(&browser);

                    site.advance_millis(delay);
                    let polled = close(polling).await;
                    polled.assert(StatusCode::OK, Sent::Nothing);
                    assert!(site.account(&polled.after(&browser)).await.is_some());
                }
            }
        }
    }
}

/// The sign-in replaces the cookie of the browser, live or dead.
#[tokio::test]
async fn a_poll_with_a_dead_id_does_not_take_away_the_cookie_of_a_sign_in() {
    for renewal in RENEWALS {
        for delay in DELAYS {
            for dead in ["expired", "evicted", "unknown", "no id", "destroyed"] {
                let site = Site::configured(renewal);
                let mut browser = site.visitor().await;
                match dead {
                    "expired" => site.advance(Ttl::hours(3)),
                    "evicted" => site.evict_all().await,
                    "unknown" => browser = sending("__Host-id", &[&"A".repeat(43)]),
                    "no id" => browser = sending("__Host-id", &["junk"]),
                    _ => drop(request(&site, &browser, |session| session.destroy()).await),
                }
                let polling = site.open(&browser).await;
                assert!(polling.is_new(), "{dead}");
                let signed_in = request(&site, &browser, sign_in).await;
                signed_in.assert(StatusCode::OK, Sent::Cookie);
                let browser = signed_in.after(&browser);

                site.advance_millis(delay);
                let polled = close(polling).await;
                polled.assert(StatusCode::OK, Sent::Nothing);
                let account = site.account(&polled.after(&browser)).await;
                assert_eq!(account.expect("signed in").user, ADA, "{dead}, {delay} ms");
            }
        }
    }
}

#[tokio::test]
async fn a_poll_that_began_with_no_cookie_leaves_the_fresh_one_alone() {
    for renewal in RENEWALS {
        let site = Site::configured(renewal);
        let polling = site.open(&HeaderMap::new()).await;
        let signed_in = request(&site, &HeaderMap::new(), sign_in).await;
        signed_in.assert(StatusCode::OK, Sent::Cookie);
        close(polling).await.assert(StatusCode::OK, Sent::Nothing);
    }
}

/// The same through the layer, with a handler that waits.
#[tokio::test]
async fn a_handler_that_waits_longer_than_a_sign_in_takes_leaves_its_cookie_alone() {
    for expired in [false, true] {
        for renewal in RENEWALS {
            for delay in DELAYS {
                let site = Site::configured(renewal);
                let [taken, go_on] = [(); 2].map(|()| Arc::new(Notify::new()));
                let poll = {
                    let (taken, go_on) = (taken.clone(), go_on.clone());
                    async move |session: Customer| {
                        taken.notify_one();
                        go_on.notified().await;
                        session.n.to_string()
                    }
                };
                let routes = Router::new()
                    .route("/visit", get(async |mut session: Customer| session.n += 1))
                    .route("/sign-in", get(async |mut session: Customer| sign_in(&mut session)))
                    .route("/user", get(async |session: Customer| session.user.clone()))
                    .route("/poll", get(poll));
                let browser = Browser::new(routes.layer(site.sessions.layer()));
                browser.get("/visit").await;
                if expired {
                    site.advance(Ttl::hours(3));
                }
                let polling = tokio::spawn({
                    let browser = browser.clone();
                    async move { browser.get("/poll").await }
                });
                taken.notified().await;
                browser.get("/sign-in").await;
                let fresh = browser.cookies();
                assert!(fresh.is_some());

                site.advance_millis(delay);
                go_on.notify_one();
                let polled = polling.await.expect("answered");
                let story = format!("expired: {expired}, {delay} ms");
                assert_eq!(polled.status, StatusCode::OK, "{story}");
                assert_eq!(polled.set_cookies(), [""; 0], "{story}");
                assert_eq!(browser.cookies(), fresh, "{story}");
                assert_eq!(browser.get("/user").await.body, ADA, "{story}");
            }
        }
    }
}
