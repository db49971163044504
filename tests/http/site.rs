//! The web site that the tests visit.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cloakroom::{
    Clock, Config, HmacSha256, Key, Memory, MessagePack, SecretKey, Session, Store, Ttl,
};
use serde::{Deserialize, Serialize};

use crate::support::browser::Browser;
use crate::support::watched::{Fault, Op, Watch, Watched};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) user: Option<String>,
    pub(crate) visits: u32,
}

pub(crate) type Visitor = Session<Watched<Probe>, MessagePack<Account>, HmacSha256>;
pub(crate) type SiteConfig = Config<Watched<Probe>, MessagePack<Account>, HmacSha256>;

pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) store: Watched<Probe>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let clock = Clock::manual();
        let memory = Memory::new().clock(clock.clone());
        Self { clock, store: Watched::new(memory, Probe::default()) }
    }

    pub(crate) fn config(&self) -> SiteConfig {
        Config::new()
            .store(self.store.clone())
            .data::<Account>()
            .signed()
            .secret_key(SecretKey::new([7; 32]))
            .clock(self.clock.clone())
    }

    /// A browser on the usual routes, with the usual configuration.
    pub(crate) fn browser(&self) -> Browser {
        self.browser_on(routes())
    }

    pub(crate) fn browser_on(&self, routes: Router) -> Browser {
        Browser::new(routes.layer(self.config().layer()))
    }

    /// A browser that has a session with one visit.
    pub(crate) async fn known_browser(&self) -> Browser {
        let browser = self.browser();
        assert_eq!(browser.get("/visit").await.body, "1");
        browser
    }

    pub(crate) fn advance(&self, time: Ttl) {
        self.clock.advance(time.as_duration());
    }

    /// The operations since the last time.
    pub(crate) fn take_calls(&self) -> Vec<Op> {
        std::mem::take(&mut *self.store.watch.calls())
    }

    pub(crate) fn break_store(&self, op: Op) {
        *self.store.watch.broken() = Some(op);
    }

    pub(crate) fn repair_store(&self) {
        *self.store.watch.broken() = None;
    }

    /// The record that was created last, if it is still there.
    pub(crate) async fn record(&self) -> Option<Vec<u8>> {
        let key = self.store.watch.created().clone().expect("a record was created");
        let Ok(record) = self.store.memory.load(&key, None).await;
        Some(record?.value.to_vec())
    }

    /// The record that was created last has become a note, which says that its session
    /// ended, and stands for a minute.
    pub(crate) async fn assert_ended_without_data(&self) {
        let note = self.record().await.expect("a note");
        assert_eq!((note.len(), note[0], note[1]), (28, 2, 4), "{note:?}");
        self.advance(Ttl::minutes(1));
        assert_eq!(self.record().await, None);
    }

    /// Writes `bytes` over the record that was created last.
    pub(crate) async fn overwrite_record(&self, bytes: &[u8]) {
        let key = self.store.watch.created().clone().expect("a record was created");
        let Ok(record) = self.store.memory.load(&key, None).await;
        let seen = record.expect("the record is there").revision;
        let Ok(updated) = self.store.memory.update(&key, bytes, Ttl::days(1), &seen).await;
        assert!(matches!(updated, cloakroom::store::Update::Updated(_)));
    }
}

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/ignore", get(ignore))
        .route("/read", get(read))
        .route("/visit", get(visit))
        .route("/name", get(name))
        .route("/save", get(save))
        .route("/update", get(update))
        .route("/rotate", get(rotate))
        .route("/restart", get(restart))
        .route("/sign-in", get(sign_in))
        .route("/sign-out", get(sign_out))
}

async fn ignore() -> &'static str {
    "ignored"
}

async fn read(session: Visitor) -> String {
    match (session.is_new(), &session.user) {
        (true, _) => "new".to_owned(),
        (false, Some(user)) => format!("{user}, {} visits", session.visits),
        (false, None) => format!("{} visits", session.visits),
    }
}

pub(crate) async fn visit(mut session: Visitor) -> String {
    session.visits += 1;
    session.visits.to_string()
}

async fn name(mut session: Visitor) {
    session.user = Some("ada".to_owned());
}

async fn save(mut session: Visitor) -> Result<String, cloakroom::Error> {
    session.visits += 1;
    session.save().await?;
    Ok(session.visits.to_string())
}

async fn update(mut session: Visitor) -> Result<String, cloakroom::Error> {
    session.update(|account| account.visits += 1).await?;
    Ok(session.visits.to_string())
}

async fn restart(mut session: Visitor) {
    session.restart();
}

async fn rotate(mut session: Visitor) {
    session.rotate();
}

async fn sign_in(mut session: Visitor) {
    session.user = Some("ada".to_owned());
    session.sign_in();
}

async fn sign_out(mut session: Visitor) {
    session.destroy();
}

impl Browser {
    /// Another browser with the same cookies: an attacker who copied them.
    pub(crate) fn copy(&self) -> Self {
        let jar = lock(&self.jar).clone();
        Self { router: self.router.clone(), jar: Arc::new(Mutex::new(jar)) }
    }

    /// The same cookies, at the router of `other`.
    pub(crate) fn on(&self, other: Self) -> Self {
        Self { router: other.router, jar: self.jar.clone() }
    }
}

/// Notes every call, and makes those of one kind fail.
#[derive(Default)]
pub(crate) struct Probe {
    calls: Mutex<Vec<Op>>,
    created: Mutex<Option<Key>>,
    broken: Mutex<Option<Op>>,
}

impl Probe {
    fn calls(&self) -> MutexGuard<'_, Vec<Op>> {
        lock(&self.calls)
    }

    fn created(&self) -> MutexGuard<'_, Option<Key>> {
        lock(&self.created)
    }

    fn broken(&self) -> MutexGuard<'_, Option<Op>> {
        lock(&self.broken)
    }
}

impl Watch for Probe {
    async fn before(&self, op: Op, key: &Key) -> Result<(), Fault> {
        self.calls().push(op);
        if *self.broken() == Some(op) {
            return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        }
        if op == Op::Create {
            *self.created() = Some(key.clone());
        }
        Ok(())
    }

    async fn after(&self) {}
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time of `Expires` that lies `after` now.
pub(crate) fn expires(clock: &Clock, after: Duration) -> String {
    httpdate::fmt_http_date(clock.now() + after)
}
