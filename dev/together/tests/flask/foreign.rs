//! Records that no Rust application wrote, and that it cannot read.

use serde_json::json;

use crate::application::serve;
use crate::browser::Browser;
use crate::sign_in::{assert_anonymous, fresh_sid};
use crate::site::{Place, Site};

pub(crate) async fn a_pickle_is_never_executed<P: Place>() {
    let site = Site::<P>::open().await;
    let json = serve(site.json_config()).await.0;
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("made by unpickling");
    let sid = fresh_sid();
    site.put_pickle(&sid, made.to_str().expect("a path of text")).await;
    let record = site.record(&sid).await;

    for rust in [site.rust().await, json] {
        let mut browser = Browser { cookie: Some(sid.clone()) };
        assert_anonymous(&mut browser, &rust, "a pickle").await;
        browser.post(&rust, "/visit", &[]).await;
        assert_eq!(browser.cookie, Some(sid.clone()), "the cookie is Flask's");
    }
    assert!(!made.exists());
    assert_eq!(site.record(&sid).await, record, "the pickle is as it was");

    // Flask-Session, though, unpickles it: this pickle was a real one.
    Browser { cookie: Some(sid) }.get(&site.flask(), "/session").await;
    assert!(made.exists());
}

pub(crate) async fn a_record_of_another_kind_is_left_alone<P: Place>() {
    let site = Site::<P>::open().await;
    let rust = site.rust().await;
    let records: &[&[u8]] = &[
        // Not in the format; a list; a number for a name; cut off; more than one.
        b"no format at all",
        b"\x91\xa1x",
        b"\x81\xa4user\x07",
        b"\x82\xa4user\xa3ada",
        b"\x81\xa4user\xa3ada\xc0",
        br#"{"user":"ada"}"#,
    ];
    for record in records {
        let sid = fresh_sid();
        site.put_record(&sid, record).await;
        let mut browser = Browser { cookie: Some(sid.clone()) };
        assert_anonymous(&mut browser, &rust, "a record of another kind").await;
        browser.post(&rust, "/visit", &[]).await;
        assert_eq!(browser.cookie, Some(sid.clone()), "the cookie is another program's");
        assert_eq!(site.record(&sid).await.as_deref(), Some(*record));
    }
}

pub(crate) async fn an_empty_record_is_an_empty_session<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let sid = fresh_sid();
    site.put_record(&sid, b"\x80").await;
    for address in [&flask, &rust] {
        let mut browser = Browser { cookie: Some(sid.clone()) };
        let shown = browser.get(address, "/session").await.json();
        assert_eq!(shown["permanent"], json!(false), "{shown}");
    }
}
