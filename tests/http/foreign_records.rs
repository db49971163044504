//! Records that this program cannot read: another program's data, not ours to
//! destroy.

use axum::Router;
use axum::routing::get;
use cloakroom::{HmacSha256, Json, MessagePack, SecretKey, Session};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::site::{Probe, Site, routes};
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
async fn nothing_is_created_beside_a_foreign_record() {
    let site = Site::new();
    let browser = site.known_browser().await;
    site.overwrite_record(b"garbage").await;
    site.take_calls();

    let reply = browser.get("/visit").await;
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "1"), "its change is dropped");
    assert_eq!(reply.set_cookies(), [""; 0]);
    for path in ["/save", "/update", "/rotate"] {
        let reply = browser.get(path).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::CONFLICT, ""), "{path}");
        assert_eq!(reply.set_cookies(), [""; 0], "{path}");
    }
    assert_eq!(site.take_calls(), [Op::Load; 4]);
    assert_eq!(site.record().await.as_deref(), Some(&b"garbage"[..]));
    assert_eq!(site.store.memory.len(), 1);
}

#[tokio::test]
async fn signing_in_or_out_ends_the_session_of_a_foreign_record() {
    for (path, after, calls) in [
        ("/sign-in", "ada, 0 visits", &[Op::Load, Op::Load, Op::Update, Op::Create][..]),
        ("/restart", "0 visits", &[Op::Load, Op::Load, Op::Update, Op::Create]),
        ("/sign-out", "new", &[Op::Load, Op::Load, Op::Update]),
    ] {
        let site = Site::new();
        let browser = site.known_browser().await;
        let good = site.record().await.expect("a record");
        site.overwrite_record(b"garbage").await;
        let old = browser.copy();
        site.take_calls();

        assert_eq!(browser.get(path).await.status, StatusCode::OK);
        assert_eq!(site.take_calls(), calls, "{path}");
        assert_ne!(browser.cookies(), old.cookies(), "{path}");
        assert_eq!(browser.get("/read").await.body, after, "{path}");
        assert_eq!(old.get("/read").await.body, "new", "{path}");
        let notes = site.store.memory.len() - usize::from(after != "new");
        assert_eq!(notes, 1, "{path}: the foreign record has become a note");
        assert_ne!(site.record().await, Some(good), "{path}");
    }
}

#[tokio::test]
async fn where_that_is_configured_who_writes_over_a_foreign_record_begins_anew() {
    for path in ["/visit", "/save", "/update"] {
        let site = Site::new();
        let known = site.known_browser().await;
        site.overwrite_record(b"garbage").await;
        let browser = known
            .copy()
            .on(Browser::new(routes().layer(site.config().replace_unreadable().layer())));

        let reply = browser.get("/read").await;
        assert_eq!((&*reply.body, reply.set_cookies()), ("new", vec![]), "a reader writes nothing");
        assert_eq!(site.record().await.as_deref(), Some(&b"garbage"[..]));
        assert_eq!(browser.get(path).await.body, "1", "{path}");
        assert_ne!(browser.cookies(), known.cookies(), "{path}");
        assert_eq!(browser.get(path).await.body, "2", "{path}");
        assert_eq!(known.get("/read").await.body, "new", "{path}");
    }
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
