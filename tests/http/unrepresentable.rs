//! Data that a codec cannot write, or cannot read back: an error when they are
//! saved, and the record before them stays.

use std::collections::HashMap;

use axum::Router;
use axum::routing::get;
use cloakroom::{Codec, Config, Json, Postcard, Session, Unsigned};
use http::StatusCode;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

use crate::logs::Log;
use crate::site::{Probe, Site};
use crate::support::browser::Browser;
use crate::support::watched::Watched;

/// Saves data that `fine` made, then refuses what `bad` makes of them.
async fn assert_refused<C: Codec>(codec: C, fine: fn(&mut C::Data), bad: fn(&mut C::Data)) {
    type Open<C> = Session<Watched<Probe>, C, Unsigned>;
    let change = |change: fn(&mut C::Data)| {
        get(move |mut session: Open<C>| async move {
            change(&mut session);
            [("x-secret", "of the handler")]
        })
    };
    let read = get(|session: Open<C>| async move { session.is_new().to_string() });
    let site = Site::new();
    let config = Config::new().store(site.store.clone()).codec(codec).clock(site.clock.clone());
    let routes =
        Router::new().route("/fine", change(fine)).route("/bad", change(bad)).route("/read", read);
    let browser = Browser::new(routes.layer(config.layer()));

    // A session that is new, and one that is stored already.
    for stored in [false, true] {
        if stored {
            assert_eq!(browser.get("/fine").await.status, StatusCode::OK);
        }
        let records = site.store.memory.len();
        let before = if stored { site.record().await } else { None };

        let log = Log::default();
        let reply = {
            let _logging = tracing::subscriber::set_default(log.clone());
            browser.get("/bad").await
        };
        let logged = log.text();
        assert!(logged.contains("cause="), "the log names no cause: {logged}");
        assert!(logged.contains(" use "), "the log names no way out: {logged}");
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "stored: {stored}");
        assert_eq!(reply.body, "");
        assert!(!reply.headers.contains_key("x-secret"));
        assert_eq!(reply.set_cookies(), [""; 0]);

        assert_eq!(site.store.memory.len(), records);
        if stored {
            assert_eq!(site.record().await, before);
        }
        assert_eq!(browser.get("/read").await.body, (!stored).to_string());
    }
}

#[tokio::test]
async fn json_refuses_a_number_that_is_not_finite() {
    #[derive(Default, Serialize, Deserialize)]
    struct Balance {
        euros: f64,
    }
    let fine = |data: &mut Balance| data.euros = 1.5;
    assert_refused(Json::new(), fine, |data| data.euros = f64::NAN).await;
    assert_refused(Json::new(), fine, |data| data.euros = f64::NEG_INFINITY).await;
}

#[tokio::test]
async fn json_refuses_a_number_that_is_not_finite_even_where_null_can_stand() {
    #[derive(Default, Serialize, Deserialize)]
    struct Balance {
        euros: Option<f64>,
    }
    assert_refused(
        Json::<Balance>::new(),
        |data| data.euros = Some(1.5),
        |data| data.euros = Some(f64::NAN),
    )
    .await;
}

#[tokio::test]
async fn json_refuses_a_map_whose_keys_are_no_strings() {
    assert_refused(
        Json::<Option<HashMap<(u8, u8), u8>>>::new(),
        |data| *data = Some(HashMap::new()),
        |data| *data = Some(HashMap::from([((1, 2), 3)])),
    )
    .await;
}

#[tokio::test]
async fn postcard_refuses_a_skipped_field() {
    #[derive(Default, Serialize, Deserialize, Schema)]
    struct Profile {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        visits: u32,
    }
    assert_refused(
        Postcard::<Profile>::new(),
        |data| data.name = Some("ada".to_owned()),
        |data| *data = Profile { name: None, visits: 7 },
    )
    .await;
}

#[tokio::test]
async fn postcard_refuses_a_skipped_field_even_where_the_rest_reads_as_other_data() {
    #[derive(Default, Serialize, Deserialize, Schema)]
    struct Profile {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        age: Option<u8>,
        children: u8,
        visits: u16,
    }
    // Without `age`, 0 and 300 are the three bytes of: no age, 172, 2.
    assert_refused(
        Postcard::<Profile>::new(),
        |data| data.age = Some(36),
        |data| *data = Profile { age: None, children: 0, visits: 300 },
    )
    .await;
}

#[tokio::test]
async fn postcard_refuses_flattened_data() {
    #[derive(Default, Serialize, Deserialize, Schema)]
    struct Profile {
        extra: Option<Extra>,
    }
    #[derive(Default, Serialize, Deserialize, Schema)]
    struct Extra {
        #[serde(flatten)]
        fields: HashMap<String, String>,
    }
    assert_refused(
        Postcard::<Option<Profile>>::new(),
        |data| *data = Some(Profile::default()),
        |data| *data = Some(Profile { extra: Some(Extra::default()) }),
    )
    .await;
}

#[tokio::test]
async fn postcard_refuses_an_untagged_enum() {
    #[derive(Serialize, Deserialize, Schema)]
    #[serde(untagged)]
    enum Contact {
        Phone(u64),
        Mail(String),
    }
    assert_refused(
        Postcard::<Vec<Option<Contact>>>::new(),
        |data| data.push(None),
        |data| data.extend([Some(Contact::Mail("a@b".to_owned())), Some(Contact::Phone(1))]),
    )
    .await;
}

#[tokio::test]
async fn postcard_refuses_an_internally_tagged_enum() {
    #[derive(Serialize, Deserialize, Schema)]
    #[serde(tag = "kind")]
    enum Contact {
        Phone { number: u64 },
    }
    assert_refused(
        Postcard::<Option<Option<Contact>>>::new(),
        |data| *data = Some(None),
        |data| *data = Some(Some(Contact::Phone { number: 1 })),
    )
    .await;
}

#[tokio::test]
async fn data_that_became_fine_again_are_saved() {
    async fn change(mut session: Session<Watched<Probe>, Json<f64>, Unsigned>) -> String {
        *session = f64::NAN;
        session.save().await.expect_err("not a number");
        session.update(|number| *number = 0.0).await.expect_err("the change before is saved first");
        *session = 2.5;
        session.save().await.expect("a number");
        session.to_string()
    }
    let site = Site::new();
    let config = Config::new().store(site.store.clone()).codec(Json::<f64>::new());
    let browser = Browser::new(Router::new().route("/", get(change)).layer(config.layer()));
    assert_eq!(browser.get("/").await.body, "2.5");
    assert_eq!(site.record().await.expect("a record").split_off(28), b"2.5");
}
