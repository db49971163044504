//! The two applications on one store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cloakroom::{Config, Flask, Itsdangerous, Json, MessagePack, Unsigned, Writable};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};
use servers::flask::shared_address;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::application::{Account, Gate, serve};
use crate::browser::{Address, Browser, Reply};

pub(crate) const SECRET: &str = "dev-secret-key";

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where both keep their sessions.
pub(crate) trait Place {
    type Store: Writable + Clone;

    /// Whether Flask-Session leaves it to the server to end a session, and takes
    /// what the server has not removed yet for alive.
    const FLASK_TRUSTS_THE_SERVER: bool = false;

    /// Connects to the server that the tests share, where all is made that has
    /// to be there.
    fn ready() -> impl Future<Output = Ready<Self::Store>>;
}

pub(crate) struct Ready<S> {
    store: S,
    /// What Flask has to know of the place.
    settings: Value,
    /// Removed when the test ends.
    _folder: Option<TempDir>,
}

impl<S> Ready<S> {
    pub(crate) fn new(store: S, settings: Value) -> Self {
        Self { store, settings, _folder: None }
    }

    pub(crate) fn in_folder(self, folder: TempDir) -> Self {
        Self { _folder: Some(folder), ..self }
    }
}

/// Starts a Flask application, which makes its table if there is none.
pub(crate) async fn start_flask(settings: &Value) {
    Browser::default().get(&flask_at(settings), "/session").await;
}

pub(crate) type SiteConfig<P> = Config<<P as Place>::Store, Flask<MessagePack<Account>>, Unsigned>;
pub(crate) type SignedConfig<P> =
    Config<<P as Place>::Store, Flask<MessagePack<Account>>, Itsdangerous>;

pub(crate) type JsonConfig<P> = Config<<P as Place>::Store, Flask<Json<Account>>, Unsigned>;

pub(crate) struct Site<P: Place> {
    place: Ready<P::Store>,
}

impl<P: Place> Site<P> {
    pub(crate) async fn open() -> Self {
        Self { place: P::ready().await }
    }

    pub(crate) fn store(&self) -> P::Store {
        self.place.store.clone()
    }

    /// The Flask application, as it is by default.
    pub(crate) fn flask(&self) -> Address {
        self.flask_with(json!({}))
    }

    /// The Flask application with these settings.
    pub(crate) fn flask_with(&self, settings: Value) -> Address {
        let mut all = fields(self.place.settings.clone());
        all.extend(fields(settings));
        flask_at(&Value::Object(all))
    }

    /// A Flask application with these settings of which no other test knows.
    pub(crate) fn flask_of_its_own(&self, mut settings: Value) -> Address {
        static OWNERS: AtomicU32 = AtomicU32::new(0);
        settings["OWNER"] = OWNERS.fetch_add(1, Ordering::Relaxed).into();
        self.flask_with(settings)
    }

    /// The configuration of the Rust application, as it is by default.
    pub(crate) fn config(&self) -> SiteConfig<P> {
        Config::flask_session().store(self.store()).data::<Account>()
    }

    /// The same with records in JSON.
    pub(crate) fn json_config(&self) -> JsonConfig<P> {
        Config::flask_session().store(self.store()).codec(Json::new())
    }

    pub(crate) fn signed_config(&self, secret: &str) -> SignedConfig<P> {
        self.config().signer(signer(secret))
    }

    /// The Rust application, as it is by default.
    pub(crate) async fn rust(&self) -> Address {
        serve(self.config()).await.0
    }

    pub(crate) async fn rust_with_gate(&self) -> (Address, Arc<Gate>) {
        serve(self.config()).await
    }

    /// The record of this id as Flask's own client reads it.
    pub(crate) async fn record(&self, sid: &str) -> Option<Vec<u8>> {
        let found = self.ask(&format!("GET /record?sid={sid}"), &[]).await;
        (found.status == 200)
            .then(|| HEXLOWER.decode(found.body.as_bytes()).expect("hexadecimal digits"))
    }

    /// Puts a record into the store with Flask's own client.
    pub(crate) async fn put_record(&self, sid: &str, bytes: &[u8]) {
        let written = self
            .ask(&format!("POST /record?sid={sid}"), &[("bytes", &HEXLOWER.encode(bytes))])
            .await;
        assert_eq!(written.status, 200, "{}", written.body);
    }

    /// Puts a pickled record into the store; a program that unpickles it makes a
    /// directory.
    pub(crate) async fn put_pickle(&self, sid: &str, directory: &str) {
        let written =
            self.ask(&format!("POST /pickle?sid={sid}"), &[("directory", directory)]).await;
        assert_eq!(written.status, 200, "{}", written.body);
    }

    /// Seconds until the record of this id expires; none when it is gone.
    pub(crate) async fn time_left(&self, sid: &str) -> Option<f64> {
        let left = self.ask(&format!("GET /time-left?sid={sid}"), &[]).await;
        (left.status == 200).then(|| left.body.parse().expect("a number"))
    }

    /// Waits until at most this many seconds are left, or the record is gone.
    pub(crate) async fn wait_until_left(&self, sid: &str, seconds: f64) {
        let end = Instant::now() + PATIENCE;
        while self.time_left(sid).await.is_some_and(|left| left > seconds) {
            assert!(Instant::now() < end, "the time of the record does not pass");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks for a record, without a cookie: no session is touched.
    async fn ask(&self, what: &str, form: &[(&str, &str)]) -> Reply {
        Browser::default().try_send(&self.flask(), what, form).await
    }
}

pub(crate) fn signer(secret: &str) -> Itsdangerous {
    Itsdangerous::new(secret).expect("a secret")
}

fn flask_at(settings: &Value) -> Address {
    Address { socket: shared_address(), head: format!("Settings: {settings}\r\n") }
}

fn fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => panic!("settings are an object"),
    }
}
