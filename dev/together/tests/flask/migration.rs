//! Tables and collections that Flask-Session made.

use serde_json::json;

use crate::browser::Browser;
use crate::endings::signed_in;
use crate::site::{Place, Site};

/// A place that Flask-Session made, and that can be made ready for cloakroom.
pub(crate) trait Migrated: Place {
    fn migrate(store: &Self::Store) -> impl Future<Output = ()>;
}

pub(crate) async fn what_flask_made_is_migrated_with_its_sessions<P: Migrated>() {
    let site = Site::<P>::open().await;
    let rust = site.rust().await;
    let mut browser = signed_in(&site.flask()).await;
    for _ in 0..2 {
        P::migrate(&site.store()).await;
        assert_eq!(browser.get(&rust, "/session").await.json()["user"], "ada");
        browser.post(&rust, "/visit", &[]).await;
        // Another process of Flask, which looks for its table again.
        let flask = site.flask_of_its_own(json!({}));
        let shown = browser.get(&flask, "/session").await;
        assert!(shown.body.contains("ada") && shown.body.contains("visits"), "{}", shown.body);
    }
}

/// The column that Flask-Session makes in MySQL holds 64 KiB.
pub(crate) async fn a_session_too_long_for_flasks_table_stays_as_it_was<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = signed_in(&flask).await;
    let sid = browser.cookie.clone().expect("a cookie");
    let record = site.record(&sid).await;

    let long = "x".repeat(70_000);
    let flash = [("category", "info"), ("message", &*long)];
    assert_eq!(browser.try_send(&rust, "POST /flash", &flash).await.status, 503);
    assert_eq!(Browser::default().try_send(&rust, "POST /flash", &flash).await.status, 503);
    assert_eq!(site.record(&sid).await, record);
    assert_eq!(browser.get(&rust, "/session").await.json()["user"], "ada");
}
