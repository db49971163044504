//! The site whose sessions the tests use, and the browser in front of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::store::{Record, Update};
use cloakroom::{
    Clock, Codec, Config, Key, Memory, MessagePack, Session, Sessions, Signer, Store, Ttl, Unsigned,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::schedule::yield_once;
use crate::support::watched::{Fault, Op, Watch, Watched};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) n: i64,
    pub(crate) note: String,
    pub(crate) done: bool,
}

/// What [`Site::ada`] puts into her session before a test begins. No key holds it by
/// chance: keys have no spaces.
pub(crate) const ADA: &str = "ada lovelace";
pub(crate) const FROM_BEFORE: &str = "from before";

/// What a handler does with the session.
pub(crate) type Change = fn(&mut Customer);

pub(crate) type Customer = Session<Watched<Journal>, MessagePack<Account>, Unsigned>;
pub(crate) type SiteConfig = Config<Watched<Journal>, MessagePack<Account>>;
pub(crate) type SiteSessions = Sessions<Watched<Journal>, MessagePack<Account>, Unsigned>;

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) store: Watched<Journal>,
    pub(crate) sessions: SiteSessions,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::configured(|config| config)
    }

    pub(crate) fn configured(settings: impl FnOnce(SiteConfig) -> SiteConfig) -> Self {
        Self::with_store(Journal::default(), settings)
    }

    /// A site whose store answers each call after `polls` polls, before it acts and
    /// again before it answers.
    pub(crate) fn slow(before: usize, after: usize) -> Self {
        Self::with_store(Journal { before, after, ..Journal::default() }, |config| config)
    }

    fn with_store(journal: Journal, settings: impl FnOnce(SiteConfig) -> SiteConfig) -> Self {
        let clock = Clock::manual();
        let store = Watched::new(Memory::new().clock(clock.clone()), journal);
        let sessions = settings(config(&store, &clock)).build();
        Self { clock, store, sessions }
    }

    /// Another program on the same store.
    pub(crate) fn beside(&self, settings: impl FnOnce(SiteConfig) -> SiteConfig) -> Self {
        let sessions = settings(config(&self.store, &self.clock)).build();
        Self { sessions, ..self.clone() }
    }

    pub(crate) async fn open(&self, cookies: &HeaderMap) -> Customer {
        self.sessions.open(cookies).await.expect("the store works")
    }

    /// Opens a session for Ada, with `n` 1 and a note, and hands out the request
    /// headers of her browser.
    pub(crate) async fn ada(&self) -> HeaderMap {
        let mut session = self.open(&HeaderMap::new()).await;
        *session =
            Account { user: ADA.into(), n: 1, note: FROM_BEFORE.into(), ..Account::default() };
        let answer = close(session).await;
        self.calls();
        answer.after(&HeaderMap::new())
    }

    /// Opens a session for a visitor who has not signed in, with `n` 1 and a note.
    pub(crate) async fn visitor(&self) -> HeaderMap {
        let mut session = self.open(&HeaderMap::new()).await;
        (session.n, session.note) = (1, FROM_BEFORE.into());
        let answer = close(session).await;
        self.calls();
        answer.after(&HeaderMap::new())
    }

    /// The data that a cookie leads to.
    pub(crate) async fn account(&self, cookies: &HeaderMap) -> Option<Account> {
        let session = self.open(cookies).await;
        (!session.is_new()).then(|| Account::clone(&session))
    }

    /// Takes every record out of the store, as an eviction does.
    pub(crate) async fn evict_all(&self) {
        for key in self.keys() {
            let Ok(_) = self.store.memory.remove(&key).await;
        }
    }

    /// Puts these bytes in the place of every record.
    pub(crate) async fn overwrite_all(&self, bytes: &[u8]) {
        for key in self.keys() {
            let Ok(record) = self.store.memory.load(&key, None).await;
            let Some(Record { revision, .. }) = record else { continue };
            let Ok(updated) = self.store.memory.update(&key, bytes, Ttl::days(1), &revision).await;
            assert!(matches!(updated, Update::Updated(_)));
        }
    }

    /// Every record that was ever created and still stands, in the order of creation.
    pub(crate) async fn records(&self) -> Vec<Box<[u8]>> {
        let mut records = Vec::new();
        for key in self.keys() {
            let Ok(record) = self.store.memory.load(&key, None).await;
            records.extend(record.map(|record| record.value));
        }
        records
    }

    /// How many records hold the note from before.
    pub(crate) async fn records_from_before(&self) -> usize {
        let holds_it = |record: &[u8]| {
            record.windows(FROM_BEFORE.len()).any(|bytes| bytes == FROM_BEFORE.as_bytes())
        };
        self.records().await.iter().filter(|record| holds_it(record)).count()
    }

    pub(crate) fn advance(&self, time: Ttl) {
        self.clock.advance(time.as_duration());
    }

    pub(crate) fn advance_millis(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    /// The operations since the last time.
    pub(crate) fn calls(&self) -> Vec<Op> {
        std::mem::take(&mut lock(&self.store.watch.calls))
    }

    /// How many of the operations since the last time wrote.
    pub(crate) fn writes(&self) -> usize {
        self.calls().iter().filter(|op| matches!(op, Op::Create | Op::Update)).count()
    }

    fn keys(&self) -> Vec<Key> {
        lock(&self.store.watch.created).clone()
    }
}

fn config(store: &Watched<Journal>, clock: &Clock) -> SiteConfig {
    Config::new()
        .store(store.clone())
        .codec(MessagePack::<Account>::new())
        .idle_timeout(Ttl::hours(2))
        .absolute_timeout(Ttl::days(1))
        .clock(clock.clone())
}

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Cookie,
    Removal,
}

impl Answer {
    pub(crate) fn sent(&self) -> Sent {
        match self.set_cookie() {
            None => Sent::Nothing,
            Some(cookie) if cookie.contains("; Max-Age=0;") => Sent::Removal,
            Some(_) => Sent::Cookie,
        }
    }

    /// The session cookie and its attributes.
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        let cookies: Vec<_> = self.headers.get_all(SET_COOKIE).iter().collect();
        assert!(cookies.len() < 2, "{cookies:?}");
        cookies.first().map(|cookie| cookie.to_str().expect("ASCII"))
    }

    /// The cookie's own lifetime in seconds.
    pub(crate) fn max_age(&self) -> Option<u64> {
        let (_, rest) = self.set_cookie()?.split_once("; Max-Age=")?;
        rest.split(';').next()?.parse().ok()
    }

    /// The browser's request headers, which were `before`, once it has this answer.
    pub(crate) fn after(&self, before: &HeaderMap) -> HeaderMap {
        let mut request = before.clone();
        match self.sent() {
            Sent::Nothing => {}
            Sent::Removal => drop(request.remove(COOKIE)),
            Sent::Cookie => {
                let pair = self.set_cookie().and_then(|cookie| cookie.split(';').next());
                request.insert(COOKIE, header(pair.expect("a pair")));
            }
        }
        request
    }

    /// The request headers of a browser that has nothing but this answer's cookie.
    pub(crate) fn cookies(&self) -> HeaderMap {
        self.after(&HeaderMap::new())
    }

    #[track_caller]
    pub(crate) fn assert(&self, status: StatusCode, sent: Sent) {
        assert_eq!((self.status, self.sent()), (status, sent), "{self:?}");
    }
}

pub(crate) fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a header")
}

/// Ends a request.
pub(crate) async fn close<S: Store, C: Codec, K: Signer>(session: Session<S, C, K>) -> Answer {
    let mut headers = HeaderMap::new();
    let closed = session.close(&mut headers).await;
    Answer { status: closed.map_or_else(|error| error.status(), |()| StatusCode::OK), headers }
}

/// One request that does this with its session.
pub(crate) async fn request(
    site: &Site,
    cookies: &HeaderMap,
    act: impl FnOnce(&mut Customer),
) -> Answer {
    let mut session = site.open(cookies).await;
    act(&mut session);
    close(session).await
}

/// The value of the one cookie in a request.
pub(crate) fn value_of(cookies: &HeaderMap) -> &str {
    let pair = cookies[COOKIE].to_str().expect("ASCII");
    pair.split_once('=').expect("a value").1
}

/// A request that sends several cookies of one name, in this order.
pub(crate) fn sending(name: &str, values: &[&str]) -> HeaderMap {
    let pairs: Vec<_> = values.iter().map(|value| format!("{name}={value}")).collect();
    HeaderMap::from_iter([(COOKIE, header(&pairs.join("; ")))])
}

/// Ways in which another request, or the store, ends or moves a session that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    Destroyed,
    Restarted,
    Rotated,
    SignedIn,
    Evicted,
}

impl Elsewhere {
    pub(crate) const ALL: [Self; 5] =
        [Self::Destroyed, Self::Restarted, Self::Rotated, Self::SignedIn, Self::Evicted];

    /// Lets it happen; hands out what the other browser holds then.
    pub(crate) async fn happens(self, site: &Site, cookies: &HeaderMap) -> HeaderMap {
        let act = |session: &mut Customer| match self {
            Self::Destroyed => session.destroy(),
            Self::Restarted => {
                session.restart();
                session.note = "goodbye".into();
            }
            Self::Rotated => session.rotate(),
            Self::SignedIn => session.sign_in(),
            Self::Evicted => {}
        };
        if self == Self::Evicted {
            site.evict_all().await;
            return cookies.clone();
        }
        let answer = request(site, cookies, act).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.after(cookies)
    }
}

/// Notes every call and every key, and lets each call take several polls.
#[derive(Default)]
pub(crate) struct Journal {
    calls: Mutex<Vec<Op>>,
    created: Mutex<Vec<Key>>,
    before: usize,
    after: usize,
}

impl Watch for Journal {
    async fn before(&self, op: Op, key: &Key) -> Result<(), Fault> {
        lock(&self.calls).push(op);
        if op == Op::Create {
            lock(&self.created).push(key.clone());
        }
        for _ in 0..self.before {
            yield_once().await;
        }
        Ok(())
    }

    async fn after(&self) {
        for _ in 0..self.after {
            yield_once().await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
