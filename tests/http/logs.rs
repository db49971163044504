//! What the log says when something goes wrong, and what it keeps to itself.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::get;
use cloakroom::{Config, Error, Json, Key, KeyPrefix, Memory, Session, Store, Unsigned};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, StatusCode};
use serde::{Deserialize, Serialize};
use tower::ServiceExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::site::Site;
use crate::support::watched::Op;

/// Writes down every event with all its fields.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<String>>);

impl Log {
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("cloakroom")
    }

    fn event(&self, event: &Event<'_>) {
        struct Line<'a>(&'a mut String);

        impl Visit for Line<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                writeln!(self.0, "{field}={value:?}").expect("a String takes all");
            }
        }

        event.record(&mut Line(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default, Serialize, Deserialize)]
struct Account {
    password_hint: String,
    balance: f64,
}

type AccountSession = Session<Memory, Json<Account>, Unsigned>;

#[test]
fn the_log_names_neither_ids_nor_keys_nor_data() {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(log.clone(), || runtime.block_on(go_wrong(&log)));
}

async fn go_wrong(log: &Log) {
    let sessions = Config::new().store(Memory::new()).codec(Json::<Account>::new()).build();
    let app = Router::new()
        .route(
            "/open",
            get(async |mut session: AccountSession| {
                session.password_hint = "first pet".to_owned();
                session.save().await.expect("saved");
                session.id().expect("stored").as_str().to_owned()
            }),
        )
        .route("/break", get(async |mut session: AccountSession| session.balance = f64::NAN))
        .route("/read", get(async |_: AccountSession| ()))
        .layer(sessions.layer());
    let answer = async |path: &str, cookie: Option<HeaderValue>| {
        let mut request = Request::get(path).body(axum::body::Body::empty()).expect("a request");
        request.headers_mut().extend(cookie.map(|cookie| (COOKIE, cookie)));
        app.clone().oneshot(request).await.expect("an answer")
    };

    let opened = answer("/open", None).await;
    let cookie = opened.headers()[SET_COOKIE].to_str().expect("ASCII");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    let (_, id) = pair.split_once('=').expect("a value");
    let cookie = HeaderValue::try_from(pair).expect("a header");
    assert_eq!(log.text(), "");

    let broken = answer("/break", Some(cookie.clone())).await;
    assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(log.text().contains("cannot be represented"), "{}", log.text());
    assert!(log.text().contains("cause=a number that is not finite"), "{}", log.text());

    let session = sessions.open(&[(COOKIE, cookie.clone())].into_iter().collect()).await;
    let session = session.expect("open");
    let key = Key::hashed(&KeyPrefix::default(), "__Host-id", session.id().expect("id"));
    let record = sessions.store().remove(&key).await.expect("removed").expect("a record");
    let damaged = &record[..record.len() - 1];
    let made = sessions.store().create(&key, damaged, cloakroom::Ttl::hours(1)).await;
    assert!(matches!(made, Ok(cloakroom::store::Create::Created(_))));
    answer("/read", Some(cookie)).await;
    assert!(log.text().contains("do not decode"), "{}", log.text());

    for secret in [id, key.as_str(), "first pet", "NaN"] {
        assert!(!log.text().contains(secret), "{secret} in {}", log.text());
    }
}

#[test]
fn the_log_names_what_the_system_said_of_a_store_that_failed() {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(log.clone(), || {
        runtime.block_on(async {
            let site = Site::new();
            let browser = site.known_browser().await;
            for (op, path) in [(Op::Load, "/read"), (Op::Update, "/visit")] {
                site.break_store(op);
                assert_eq!(browser.get(path).await.status, StatusCode::SERVICE_UNAVAILABLE);
                site.repair_store();
            }
        });
    });
    let line = "message=the session store failed\nsource=the store is out of order\ncause=connection refused\n";
    assert_eq!(log.text(), [line; 2].concat());
}

#[test]
fn the_log_names_a_mistaken_set_up_and_a_session_that_outlives_its_response() {
    async fn ignore() {}
    async fn keep(session: AccountSession) {
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(session);
        });
    }
    async fn detach(session: AccountSession) -> Result<(), Error> {
        let session = session.detach().await?;
        tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(session);
        });
        Ok(())
    }
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    tracing::subscriber::with_default(log.clone(), || {
        runtime.block_on(async {
            let layer =
                || Config::new().store(Memory::new()).codec(Json::<Account>::new()).build().layer();
            let get_from = async |router: Router| {
                let request = Request::get("/").body(axum::body::Body::empty());
                router.oneshot(request.expect("a request")).await.expect("an answer").status()
            };
            let twice = Router::new().route("/", get(ignore)).layer(layer()).layer(layer());
            assert_eq!(get_from(twice).await, StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(log.text(), format!("message={}\n", Error::SameCookieName));

            let detached = Router::new().route("/", get(detach)).layer(layer());
            assert_eq!(get_from(detached).await, StatusCode::OK);
            assert!(!log.text().contains("outlives"), "{}", log.text());

            let kept = Router::new().route("/", get(keep)).layer(layer());
            assert_eq!(get_from(kept).await, StatusCode::OK);
            assert!(log.text().contains("outlives its response"), "{}", log.text());
        });
    });
}
