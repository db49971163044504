//! Records that this program cannot read: somebody else's data, not ours to
//! destroy.

use axum::Router;
use axum::routing::get;
use cloakroom::{HmacSha256, Json, MessagePack, SecretKey, Session};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::site::{Probe, Site};
use crate::support::browser::Browser;
use crate::support::watched::{Op, Watched};

#[tokio::test]
async fn a_record_that_does_not_decode_is_left_alone_and_the_visitor_is_anonymous() {
    let site = Site::new();
    let browser = site.known_browser().await;
    let good = site.record().await.expect("a record");
    let cut = good[..good.len() - 1].to_vec();
    let mut longer = good.clone();
    longer.push(0);

    for foreign in [&b""[..], b"garbage", &[0xff; 4096], &cut, &longer] {
        site.overwrite_record(foreign).await;
        assert_left_alone(&site, &browser, foreign).await;
    }
    site.overwrite_record(&good).await;
    assert_eq!(browser.get("/read").await.body, "1 visits", "the cookie is still there");
}

#[tokio::test]
async fn a_record_of_another_format_version_is_left_alone() {
    let site = Site::new();
    let browser = site.known_browser().await;
    let mut record = site.record().await.expect("a record");
    record[0] += 1;
    site.overwrite_record(&record).await;
    assert_left_alone(&site, &browser, &record).await;
}

#[tokio::test]
async fn a_record_of_another_type_is_left_alone() {
    #[derive(Default, Serialize, Deserialize)]
    struct Names {
        first: String,
        last: String,
    }
    type Named = Session<Watched<Probe>, MessagePack<Names>, HmacSha256>;

    async fn name(mut session: Named) {
        session.first = "Ada".to_owned();
        session.last = "Lovelace".to_owned();
    }

    let site = Site::new();
    let names = cloakroom::Config::new()
        .store(site.store.clone())
        .data::<Names>()
        .signed()
        .secret_key(SecretKey::new([7; 32]))
        .clock(site.clock.clone());
    let namer = Browser::new(Router::new().route("/", get(name)).layer(names.layer()));
    namer.get("/").await;
    let record = site.record().await.expect("a record");

    let browser = namer.on(site.browser());
    assert_left_alone(&site, &browser, &record).await;
}

#[tokio::test]
async fn a_record_of_another_codec_is_left_alone() {
    type Readable = Session<Watched<Probe>, Json<crate::site::Account>, HmacSha256>;

    let site = Site::new();
    let browser = site.known_browser().await;
    let record = site.record().await.expect("a record");
    let json = cloakroom::Config::new()
        .store(site.store.clone())
        .codec(Json::<crate::site::Account>::new())
        .signed()
        .secret_key(SecretKey::new([7; 32]))
        .clock(site.clock.clone());
    let read = |session: Readable| async move { if session.is_new() { "new" } else { "known" } };
    let reader = Browser::new(Router::new().route("/read", get(read)).layer(json.layer()));

    let reader = browser.on(reader);
    assert_left_alone(&site, &reader, &record).await;
}

#[tokio::test]
async fn who_writes_beside_a_foreign_record_gets_a_record_of_his_own() {
    let site = Site::new();
    let browser = site.known_browser().await;
    site.overwrite_record(b"garbage").await;
    let old = browser.copy();

    let reply = browser.get("/visit").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "1"));
    assert_ne!(browser.cookies(), old.cookies());
    assert_eq!(browser.get("/visit").await.body, "2");
    assert_eq!(site.store.memory.len(), 2, "the foreign record is still there");
}

/// The visitor is anonymous, keeps the cookie, and the record keeps its bytes.
async fn assert_left_alone(site: &Site, browser: &Browser, record: &[u8]) {
    site.take_calls();
    let reply = browser.get("/read").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "new"), "{record:?}");
    assert_eq!(reply.set_cookies(), [""; 0], "{record:?}");
    assert_eq!(site.take_calls(), [Op::Load]);
    assert_eq!(site.record().await.as_deref(), Some(record));
}
