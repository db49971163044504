//! One cookie at both applications.

use cloakroom::{Itsdangerous, KeyPrefix};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::json;

use crate::application::serve;
use crate::browser::{Address, Browser};
use crate::site::{Place, SECRET, Site, signer};

const NAME: &str = "Zoë Ключ 漢字 🧥";

pub(crate) async fn a_person_signed_in_by_flask_is_signed_in_here<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = Browser::default();
    browser.post(&flask, "/sign-in", &[("user", NAME)]).await;
    let cookie = browser.cookie.clone().expect("Flask gives a cookie");

    let shown = browser.get(&rust, "/session").await.json();
    assert_eq!(shown, json!({ "new": false, "permanent": true, "user": NAME, "visits": 0 }));
    assert_eq!(browser.cookie, Some(cookie), "it is the same cookie");
}

pub(crate) async fn a_person_signed_in_here_is_signed_in_by_flask<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = Browser::default();
    browser.post(&rust, "/sign-in", &[("user", NAME)]).await;
    let cookie = browser.cookie.clone().expect("a cookie");

    let shown = browser.get(&flask, "/session").await.json();
    assert_eq!(shown["sid"], json!(cookie), "the id is taken as it is");
    assert_eq!(shown["permanent"], true);
    assert_eq!(values(&shown), [("_permanent", "True"), ("user", &format!("'{NAME}'"))]);
    assert_eq!(browser.cookie, Some(cookie), "it is the same cookie");
}

pub(crate) async fn one_cookie_walks_back_and_forth<P: Place>() {
    let site = Site::<P>::open().await;
    let unsigned = json!({});
    walk(&site.flask_with(unsigned), &site.rust().await).await;

    let signed = json!({ "SESSION_USE_SIGNER": true, "SECRET_KEY": SECRET });
    walk(&site.flask_with(signed), &serve(site.signed_config(SECRET)).await.0).await;

    // `ключ`, in the bytes of UTF-8.
    let signed = json!({ "SESSION_USE_SIGNER": true, "SECRET_KEY": "ключ" });
    walk(&site.flask_with(signed), &serve(site.signed_config("ключ")).await.0).await;

    let json = json!({ "SESSION_SERIALIZATION_FORMAT": "json" });
    let config = site.json_config();
    walk(&site.flask_with(json), &serve(config).await.0).await;

    let json = json!({
        "SESSION_SERIALIZATION_FORMAT": "json",
        "SESSION_USE_SIGNER": true,
        "SECRET_KEY": SECRET,
    });
    let config = site.json_config().signer(signer(SECRET));
    walk(&site.flask_with(json), &serve(config).await.0).await;
}

/// Both change the session in turn, and see what the other did.
async fn walk(flask: &Address, rust: &Address) {
    let mut browser = Browser::default();
    browser.post(flask, "/sign-in", &[("user", NAME)]).await;
    let cookie = browser.cookie.clone();
    for round in 1..=4_u32 {
        let (key, value) = (format!("round {round}"), format!(r#"[{round}, "é", {{}}]"#));
        browser.post(rust, "/visit", &[]).await;
        browser.post(flask, "/set", &[("key", &key), ("value", &value)]).await;

        let shown = browser.get(rust, "/session").await.json();
        assert_eq!(shown["visits"], round);
        assert_eq!(shown["user"], NAME);
        let shown = browser.get(flask, "/session").await.json();
        let values = values(&shown);
        assert!(values.contains(&("visits", &round.to_string())), "{values:?}");
        let expected = format!("[{round}, 'é', {{}}]");
        assert!(values.contains(&(&key, &expected)), "{values:?}");
        assert_eq!(values.len(), 3 + round as usize, "{values:?}");
    }
    assert_eq!(browser.cookie, cookie, "it was one cookie all the time");
}

pub(crate) async fn a_forged_signature_is_a_new_session_on_both_sides<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask_with(json!({ "SESSION_USE_SIGNER": true, "SECRET_KEY": SECRET }));
    let rust = serve(site.signed_config(SECRET)).await.0;
    for writer in [&flask, &rust] {
        let mut browser = Browser::default();
        browser.post(writer, "/sign-in", &[("user", NAME)]).await;
        let cookie = browser.cookie.expect("a cookie");
        let (sid, signature) = cookie.split_once('.').expect("a signature");
        let record = site.record(sid).await.expect("a record");

        let other = |text: &str| if text.starts_with('A') { "B" } else { "A" };
        let forgeries = [
            sid.to_owned(),
            format!("{sid}."),
            format!("{sid}.{}{}", other(signature), &signature[1..]),
            format!("{sid}.{}", &signature[1..]),
            format!("{}{}.{signature}", other(sid), &sid[1..]),
            format!("{cookie}.{signature}"),
        ];
        for forgery in forgeries {
            for reader in [&flask, &rust] {
                let mut forger = Browser { cookie: Some(forgery.clone()) };
                assert_anonymous(&mut forger, reader, &forgery).await;
                forger.cookie = Some(forgery.clone());
                forger.post(reader, "/sign-in", &[("user", "forger")]).await;
                let given = forger.cookie.expect("a cookie");
                assert_ne!(given.split('.').next(), Some(sid), "a fresh id");
            }
        }
        assert_eq!(site.record(sid).await, Some(record), "no request touched the session");
    }
}

pub(crate) async fn a_signature_with_padding_is_accepted_by_both<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask_with(json!({ "SESSION_USE_SIGNER": true, "SECRET_KEY": SECRET }));
    let rust = serve(site.signed_config(SECRET)).await.0;
    let mut browser = Browser::default();
    browser.post(&rust, "/sign-in", &[("user", NAME)]).await;
    let padded = browser.cookie.map(|cookie| format!("{cookie}="));
    for reader in [&flask, &rust] {
        let mut browser = Browser { cookie: padded.clone() };
        assert_eq!(browser.get(reader, "/session").await.json()["new"], false);
    }
}

pub(crate) async fn replacing_a_secret_ends_no_session<P: Place>() {
    let site = Site::<P>::open().await;
    let signed =
        |secret| site.flask_with(json!({ "SESSION_USE_SIGNER": true, "SECRET_KEY": secret }));
    let mut browser = Browser::default();
    browser.post(&signed("the old secret"), "/sign-in", &[("user", NAME)]).await;
    let old = browser.cookie.clone();

    let config = site.config().signer(
        Itsdangerous::new("the new secret")
            .and_then(|signer| signer.accept_older("the old secret"))
            .expect("secrets"),
    );
    let rust = serve(config).await.0;
    assert_eq!(browser.get(&rust, "/session").await.json()["user"], NAME);
    browser.post(&rust, "/visit", &[]).await;
    assert_ne!(browser.cookie, old, "it is signed anew");

    let shown = browser.get(&signed("the new secret"), "/session").await.json();
    assert!(values(&shown).contains(&("visits", "1")));
    let mut late = Browser { cookie: old };
    assert_anonymous(&mut late, &signed("the new secret"), "the old cookie").await;
}

pub(crate) async fn an_id_of_an_old_installation_is_kept<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    // Versions before 0.6 used the text of a random UUID.
    let sid = uuid();
    site.put_record(&sid, b"\x82\xaa_permanent\xc3\xa4user\xa3ada").await;
    let mut browser = Browser { cookie: Some(sid.clone()) };
    assert_eq!(browser.get(&rust, "/session").await.json()["user"], "ada");
    browser.post(&rust, "/visit", &[]).await;
    assert_eq!(browser.cookie.as_deref(), Some(&*sid));
    let shown = browser.get(&flask, "/session").await.json();
    assert_eq!(values(&shown), [("_permanent", "True"), ("user", "'ada'"), ("visits", "1")]);
    assert_eq!(browser.get(&rust, "/session").await.json()["visits"], 1);
}

pub(crate) async fn an_id_that_no_server_made_is_not_adopted<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    for address in [&flask, &rust] {
        for sid in [uuid(), "A".repeat(43), "x".to_owned()] {
            let mut browser = Browser { cookie: Some(sid.clone()) };
            browser.post(address, "/sign-in", &[("user", NAME)]).await;
            assert_ne!(browser.cookie.as_deref(), Some(&*sid));
            assert_eq!(site.record(&sid).await, None);
        }
    }
}

pub(crate) async fn a_prefix_of_ones_own_is_shared<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask_with(json!({ "SESSION_KEY_PREFIX": "shop/" }));
    let prefix = KeyPrefix::new("shop/").expect("a prefix");
    let rust = serve(site.config().key_prefix(prefix)).await.0;
    walk(&flask, &rust).await;

    let mut browser = Browser::default();
    browser.post(&rust, "/sign-in", &[("user", NAME)]).await;
    assert_anonymous(&mut browser.clone(), &site.flask(), "another prefix").await;
    assert_anonymous(&mut browser, &site.rust().await, "another prefix").await;
}

/// The session is new, and no user is signed in.
pub(crate) async fn assert_anonymous(browser: &mut Browser, address: &Address, why: &str) {
    let shown = browser.get(address, "/session").await;
    assert_eq!(shown.json()["new"], true, "{why}: {}", shown.body);
    assert!(!shown.body.contains("user\",\"") && !shown.body.contains(NAME), "{why}");
}

/// The keys and values that Flask shows, in order.
pub(crate) fn values(shown: &serde_json::Value) -> Vec<(&str, &str)> {
    let pairs = shown["values"].as_array().expect("a list").iter();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().expect("text")
}

/// An id as Flask-Session makes it.
pub(crate) fn fresh_sid() -> String {
    BASE64URL_NOPAD.encode(&random_bytes::<32>())
}

/// The text of a random UUID.
fn uuid() -> String {
    let digits = HEXLOWER.encode(&random_bytes::<16>());
    let (a, b, c, d) = (&digits[..8], &digits[8..12], &digits[13..16], &digits[17..20]);
    format!("{a}-{b}-4{c}-8{d}-{}", &digits[20..])
}

fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}
