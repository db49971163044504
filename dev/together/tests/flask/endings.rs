//! Sessions that end: in time, by signing out, by being emptied, under a new id.

use cloakroom::Ttl;
use serde_json::json;

use crate::application::serve;
use crate::browser::{Address, Browser};
use crate::sign_in::{assert_anonymous, values};
use crate::site::{Place, Site};

pub(crate) async fn a_session_expires_on_both_sides_after_a_write_of_either<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask_with(json!({ "PERMANENT_SESSION_LIFETIME": 3 }));
    let rust = serve(site.config().idle_timeout(Ttl::seconds(3))).await.0;
    let (by_flask, by_rust) = (signed_in(&flask).await, signed_in(&rust).await);
    for browser in [by_flask, by_rust] {
        let sid = browser.cookie.as_deref().expect("a cookie");
        // Asking a session itself would postpone its end.
        site.wait_until_left(sid, 0.0).await;
        assert_anonymous(&mut browser.clone(), &rust, "the time is over").await;
        if !P::FLASK_TRUSTS_THE_SERVER {
            assert_anonymous(&mut browser.clone(), &flask, "the time is over").await;
        }
    }
}

pub(crate) async fn a_visit_to_either_side_postpones_the_end<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask_with(json!({ "PERMANENT_SESSION_LIFETIME": 100 }));
    let rust = serve(site.config().idle_timeout(Ttl::seconds(100))).await.0;
    let mut browser = signed_in(&flask).await;
    let sid = browser.cookie.clone().expect("a cookie");
    for visited in [&rust, &flask] {
        site.wait_until_left(&sid, 98.5).await;
        let reply = browser.get(visited, "/session").await;
        assert!(site.time_left(&sid).await.is_some_and(|left| left > 98.5));
        assert!(reply.set_cookie().is_some(), "the browser hears of it");
    }
}

pub(crate) async fn signing_out_in_flask_signs_out_here<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    for signed_in_at in [&flask, &rust] {
        let mut browser = signed_in(signed_in_at).await;
        let copy = browser.clone();
        browser.post(&flask, "/sign-out", &[]).await;
        assert_eq!(browser.cookie, None);
        assert_nothing_left(&site, copy, [&flask, &rust]).await;
    }
}

pub(crate) async fn signing_out_here_signs_out_of_flask<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    for signed_in_at in [&flask, &rust] {
        let mut browser = signed_in(signed_in_at).await;
        let copy = browser.clone();
        browser.post(&rust, "/sign-out", &[]).await;
        assert_eq!(browser.cookie, None);
        assert_nothing_left(&site, copy, [&flask, &rust]).await;
    }
}

pub(crate) async fn a_session_that_is_emptied_disappears<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    for emptied_at in [&flask, &rust] {
        let mut browser = signed_in(&flask).await;
        let copy = browser.clone();
        let path = if emptied_at.socket == flask.socket { "/pop" } else { "/empty" };
        browser.post(emptied_at, path, &[("key", "user")]).await;
        assert_eq!(browser.cookie, None);
        assert_nothing_left(&site, copy, [&flask, &rust]).await;
    }
}

pub(crate) async fn a_session_with_keys_of_flask_is_not_empty<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = signed_in(&flask).await;
    browser.post(&flask, "/set", &[("key", "theirs"), ("value", "1")]).await;
    browser.post(&rust, "/empty", &[]).await;
    let shown = browser.get(&flask, "/session").await.json();
    assert_eq!(values(&shown), [("_permanent", "True"), ("theirs", "1")]);
}

pub(crate) async fn an_id_that_flask_regenerated_is_the_session_here<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = signed_in(&rust).await;
    let old = browser.clone();
    browser.post(&flask, "/regenerate", &[]).await;
    assert_ne!(browser.cookie, old.cookie);
    assert_eq!(browser.get(&rust, "/session").await.json()["user"], "ada");
    assert_nothing_left(&site, old, [&flask, &rust]).await;
}

pub(crate) async fn an_id_that_was_rotated_here_is_the_session_in_flask<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = signed_in(&flask).await;
    browser.post(&flask, "/set", &[("key", "theirs"), ("value", "1")]).await;
    let old = browser.clone();
    browser.post(&rust, "/rotate", &[]).await;
    assert_ne!(browser.cookie, old.cookie);
    let shown = browser.get(&flask, "/session").await.json();
    let expected = [("_permanent", "True"), ("user", "'ada'"), ("theirs", "1")];
    assert_eq!(values(&shown), expected);

    // The old id shows nothing, for the minute in which a note has its place (and
    // what a store adds to it).
    let sid = old.cookie.as_deref().expect("a cookie");
    assert!(site.time_left(sid).await.is_some_and(|left| left <= 62.0));
    for address in [&flask, &rust] {
        let shown = old.clone().get(address, "/session").await;
        assert!(!shown.body.contains("ada"), "{}", shown.body);
    }
    assert_eq!(browser.get(&rust, "/session").await.json()["user"], "ada");
}

pub(crate) async fn an_id_that_was_rotated_does_not_lead_to_the_new_one<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = signed_in(&flask).await;
    let old = browser.clone();
    browser.post(&rust, "/rotate", &[]).await;
    let new = browser.cookie.clone().expect("a cookie");

    let note = site.record(old.cookie.as_deref().expect("a cookie")).await.expect("a note");
    assert!(!note.windows(new.len()).any(|bytes| bytes == new.as_bytes()));
    for address in [&rust, &flask] {
        old.clone().post(address, "/sign-out", &[]).await;
        for address in [&flask, &rust] {
            assert!(browser.get(address, "/session").await.body.contains("ada"));
        }
    }
}

pub(crate) async fn signed_in(address: &Address) -> Browser {
    let mut browser = Browser::default();
    browser.post(address, "/sign-in", &[("user", "ada")]).await;
    browser
}

/// A copy of the cookie leads to no session on either side, and there is no record.
async fn assert_nothing_left<P: Place>(site: &Site<P>, copy: Browser, sides: [&Address; 2]) {
    let sid = copy.cookie.as_deref().expect("a cookie");
    // The note that the session ended, without data, stands for a minute.
    if let Some(left) = site.record(sid).await {
        assert!(left.starts_with(b"\x81\xaa_permanent"), "{}", left.escape_ascii());
        assert!(left.windows(6).any(|part| part == b"ended:"), "{}", left.escape_ascii());
    }
    for side in sides {
        let shown = copy.clone().get(side, "/session").await.json();
        // Flask shows the note, which has no user.
        let has_nothing = match shown["values"].is_array() {
            true => values(&shown).iter().all(|(name, _)| *name == "_permanent"),
            false => shown["new"] == true && shown["user"].is_null(),
        };
        assert!(has_nothing, "a copy of the cookie: {shown}");
    }
}
