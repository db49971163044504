//! Values that one side writes and the other keeps or reads.

use serde_json::json;

use crate::application::serve;
use crate::browser::{Address, Browser};
use crate::sample;
use crate::site::{Place, Site};

pub(crate) async fn values_written_here_are_equal_objects_in_python<P: Place>() {
    let site = Site::<P>::open().await;
    let json = site.flask_with(json!({ "SESSION_SERIALIZATION_FORMAT": "json" }));
    for (format, flask, rust) in [
        ("msgpack", site.flask(), sample::serve(sample::config(&site)).await),
        ("json", json, sample::serve(sample::json_config(&site)).await),
    ] {
        let mut browser = Browser::default();
        browser.post(&rust, "/set-sample", &[]).await;
        assert_eq!(browser.get(&flask, &format!("/check/{format}")).await.body, "equal");
        assert_eq!(browser.get(&rust, "/check").await.body, "equal", "Flask wrote it again");
    }
}

pub(crate) async fn values_written_by_python_are_equal_values_here<P: Place>() {
    let site = Site::<P>::open().await;
    let json = site.flask_with(json!({ "SESSION_SERIALIZATION_FORMAT": "json" }));
    for (flask, rust) in [
        (site.flask(), sample::serve(sample::config(&site)).await),
        (json, sample::serve(sample::json_config(&site)).await),
    ] {
        let mut browser = Browser::default();
        browser.post(&flask, "/set-sample", &[]).await;
        assert_eq!(browser.get(&rust, "/check").await.body, "equal");
        let sid = browser.cookie.clone().expect("a cookie");
        let written = site.record(&sid).await;
        browser.post(&rust, "/set-sample", &[]).await;
        assert_eq!(site.record(&sid).await, written, "equal values are not written anew");
    }
}

pub(crate) async fn every_kind_of_value_that_flask_writes_survives_a_change_here<P: Place>() {
    let site = Site::<P>::open().await;
    let [before, after] = [&b"\xa6visits\x01"[..], b"\xa6visits\x02"];
    survives(&site, "/set-kinds", &site.flask(), &site.rust().await, before, after).await;

    let flask = site.flask_with(json!({ "SESSION_SERIALIZATION_FORMAT": "json" }));
    let rust = serve(site.json_config()).await.0;
    survives(&site, "/set-kinds", &flask, &rust, br#""visits":1"#, br#""visits":2"#).await;
}

/// Nothing but the one number changes, byte for byte.
pub(crate) async fn survives<P: Place>(
    site: &Site<P>,
    path: &str,
    flask: &Address,
    rust: &Address,
    before: &[u8],
    after: &[u8],
) {
    let mut browser = Browser::default();
    browser.post(flask, "/set", &[("key", "visits"), ("value", "1")]).await;
    browser.post(flask, path, &[]).await;
    let sid = browser.cookie.clone().expect("a cookie");
    let written = site.record(&sid).await.expect("a record");
    browser.post(rust, "/visit", &[]).await;

    let place = written.windows(before.len()).position(|bytes| bytes == before).expect("visits");
    let expected = [&written[..place], after, &written[place + before.len()..]].concat();
    let record = site.record(&sid).await.expect("a record");
    assert_eq!(record.escape_ascii().to_string(), expected.escape_ascii().to_string());
}
