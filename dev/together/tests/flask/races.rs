//! Both applications at work on one session at the same time.

use serde_json::json;

use crate::browser::{Address, Browser};
use crate::endings::signed_in;
use crate::sign_in::values;
use crate::site::{Place, Site};

pub(crate) async fn a_change_here_keeps_what_flask_wrote_meanwhile<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask();
    let (rust, gate) = site.rust_with_gate().await;
    let mut browser = signed_in(&flask).await;

    let slow = spawn_post(&browser, &rust, "/visit-slowly");
    gate.reached.notified().await;
    browser.post(&flask, "/set", &[("key", "theirs"), ("value", "1")]).await;
    browser.post(&flask, "/sign-in", &[("user", "grace")]).await;
    gate.open.notify_one();
    slow.await.expect("a response");

    let shown = browser.get(&flask, "/session").await.json();
    let expected = [("_permanent", "True"), ("user", "'grace'"), ("theirs", "1"), ("visits", "1")];
    assert_eq!(values(&shown), expected);
}

pub(crate) async fn changes_here_keep_each_other<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask();
    let (rust, gate) = site.rust_with_gate().await;
    let mut browser = signed_in(&flask).await;

    let slow = spawn_post(&browser, &rust, "/visit-slowly");
    gate.reached.notified().await;
    browser.post(&rust, "/flash", &[("category", "info"), ("message", "meanwhile")]).await;
    gate.open.notify_one();
    slow.await.expect("a response");

    let shown = browser.get(&flask, "/session").await.json();
    let expected = [
        ("_permanent", "True"),
        ("user", "'ada'"),
        ("_flashes", "[['info', 'meanwhile']]"),
        ("visits", "1"),
    ];
    assert_eq!(values(&shown), expected);
}

pub(crate) async fn a_change_here_brings_no_session_back_that_flask_signed_out<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask();
    let (rust, gate) = site.rust_with_gate().await;
    let mut browser = signed_in(&flask).await;
    let sid = browser.cookie.clone().expect("a cookie");

    let slow = spawn_post(&browser, &rust, "/visit-slowly");
    gate.reached.notified().await;
    browser.post(&flask, "/sign-out", &[]).await;
    gate.open.notify_one();
    slow.await.expect("a response");
    assert_eq!(site.record(&sid).await, None);
}

/// The limit that the guide names: Flask-Session writes back what it read,
/// whatever happened since, and whether or not the session is still there.
pub(crate) async fn flask_overwrites_what_was_written_while_it_was_at_work<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask_of_its_own(json!({}));
    let rust = site.rust().await;
    let mut browser = signed_in(&flask).await;

    let mut slow = browser.clone();
    let address = flask.clone();
    let slow = tokio::spawn(async move {
        slow.post(&address, "/set-slowly", &[("key", "theirs"), ("value", "1")]).await
    });
    Browser::default().post(&flask, "/wait-for-slow-one", &[]).await;
    browser.post(&rust, "/visit", &[]).await;
    assert_eq!(browser.get(&rust, "/session").await.json()["visits"], 1);
    Browser::default().post(&flask, "/let-slow-one-go", &[]).await;
    slow.await.expect("a response");

    let shown = browser.get(&rust, "/session").await.json();
    assert_eq!((&shown["user"], &shown["visits"]), (&json!("ada"), &json!(0)));
}

fn spawn_post(
    browser: &Browser,
    address: &Address,
    path: &'static str,
) -> tokio::task::JoinHandle<()> {
    let (mut browser, address) = (browser.clone(), address.clone());
    tokio::spawn(async move {
        browser.post(&address, path, &[]).await;
    })
}
