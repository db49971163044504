//! Signing in and out, as a browser lives through it, and changing the key that
//! signs.

use cloakroom::{Config, SecretKey};

use crate::site::{Account, Site, routes};
use crate::support::browser::Browser;

#[tokio::test]
async fn a_visitor_signs_in_browses_and_signs_out() {
    let site = Site::new();
    let browser = site.browser();
    assert_eq!(browser.get("/read").await.body, "new");
    assert_eq!(browser.cookies(), None);

    assert_eq!(browser.get("/visit").await.body, "1");
    let anonymous = browser.copy();
    browser.get("/sign-in").await;
    assert_ne!(browser.cookies(), anonymous.cookies(), "signing in changes the id");
    assert_eq!(browser.get("/visit").await.body, "2", "what was there before is kept");
    assert_eq!(browser.get("/read").await.body, "ada, 2 visits");

    let signed_in = browser.copy();
    browser.get("/sign-out").await;
    assert_eq!(browser.cookies(), None);
    assert_eq!(browser.get("/read").await.body, "new");
    assert_eq!(signed_in.get("/read").await.body, "new", "a copied cookie ends with the session");
}

#[tokio::test]
async fn an_id_that_was_planted_before_sign_in_is_worth_nothing_after() {
    let site = Site::new();
    let attacker = site.known_browser().await;
    let victim = attacker.copy();

    victim.get("/sign-in").await;
    assert_eq!(victim.get("/read").await.body, "ada, 1 visits");
    assert_ne!(victim.cookies(), attacker.cookies());
    assert_eq!(attacker.get("/read").await.body, "new");
    attacker.get("/visit").await;
    assert_eq!(victim.get("/read").await.body, "ada, 1 visits");
}

#[tokio::test]
async fn a_request_that_was_under_way_during_sign_in_leaves_the_new_cookie_alone() {
    let site = Site::new();
    let browser = site.known_browser().await;
    // What the browser sent before the response of `/sign-in` arrived.
    let (reader, writer) = (browser.copy(), browser.copy());
    browser.get("/sign-in").await;

    let reply = reader.get("/read").await;
    assert_eq!((&*reply.body, reply.set_cookies()), ("new", vec![]));
    let reply = writer.get("/visit").await;
    assert_eq!(reply.set_cookies(), [""; 0], "it would take the place of the new cookie");
}

#[tokio::test]
async fn a_sign_out_with_the_id_from_before_rotations_and_sign_ins_ends_the_session() {
    let site = Site::new();
    let browser = site.known_browser().await;
    let late = browser.copy();
    browser.get("/rotate").await;
    browser.get("/sign-in").await;
    browser.get("/sign-in").await;

    late.get("/sign-out").await;
    assert_eq!(late.cookies(), None);
    assert_eq!(browser.get("/read").await.body, "new");
}

#[tokio::test]
async fn signing_out_without_a_session_sets_no_cookie() {
    let site = Site::new();
    assert_eq!(site.browser().get("/sign-out").await.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), []);
}

#[tokio::test]
async fn a_new_key_ends_no_session_while_the_older_one_is_accepted() {
    let site = Site::new();
    let visitor = site.known_browser().await;
    let at = |key: u8, accepted: &[u8]| {
        let config = Config::new()
            .store(site.store.clone())
            .data::<Account>()
            .signed()
            .secret_key(SecretKey::new([key; 32]))
            .clock(site.clock.clone());
        let config = accepted
            .iter()
            .fold(config, |config, older| config.accept_older_key(SecretKey::new([*older; 32])));
        visitor.copy().on(Browser::new(routes().layer(config.layer())))
    };

    let during = at(8, &[9, 7]);
    assert_eq!(during.get("/read").await.body, "1 visits");
    assert_eq!(at(8, &[9]).get("/read").await.body, "new", "once the older key is dropped");

    during.get("/sign-in").await;
    let renewed = during.copy();
    let after = renewed.on(at(8, &[]));
    assert_eq!(after.get("/read").await.body, "ada, 1 visits", "the newest key signs");
}
