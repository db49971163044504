//! Two programs with two settings at one store, and a browser that comes to both in turn.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{
    Clock, Codec, Config, Error, Key, KeyPrefix, MessagePack, Sessions, Signer, Store, Ttl,
    Writable,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub(crate) user: Option<String>,
    pub(crate) visits: u32,
}

/// A store whose time a test moves.
pub(crate) trait Place: Send + Sync + Sized + 'static {
    type Store: Writable;

    /// A store for one test. The keys of its records begin with `prefix`.
    fn prepare(clock: &Clock, prefix: &str) -> impl Future<Output = Self> + Send;

    fn store(&self) -> &Arc<Self::Store>;

    /// Lets a time pass for the records. The clock has been moved already.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// A store that counts what is written to it.
pub(crate) struct Counted<S> {
    store: Arc<S>,
    writes: Arc<AtomicUsize>,
}

impl<S> Clone for Counted<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), writes: self.writes.clone() }
    }
}

impl<S: Writable> Writable for Counted<S> {}

impl<S: Store> Store for Counted<S> {
    type Error = S::Error;
    type Value = S::Value;
    type Revision = S::Revision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, S::Error> {
        self.store.load(key, extend).await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<S::Revision>, S::Error> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.store.create(key, value, ttl).await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &S::Revision,
    ) -> Result<Update<S::Revision>, S::Error> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.store.update(key, value, ttl, seen).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<S::Value>, S::Error> {
        self.store.remove(key).await
    }
}

/// A configuration that a test goes on with.
pub(crate) type Base<P> = Config<Counted<<P as Place>::Store>, MessagePack<Account>>;

/// What makes a program of a configuration.
pub(crate) type Setting<P> = fn(Base<P>) -> Box<dyn Program>;

/// The store, the time, and the programs of one test.
pub(crate) struct Ground<P: Place> {
    pub(crate) clock: Clock,
    place: P,
    prefix: String,
    store: Counted<P::Store>,
}

/// What the programs have where a setting says nothing else, in minutes.
pub(crate) const IDLE: u32 = 10;
pub(crate) const ABSOLUTE: u32 = 12 * 60;

impl<P: Place> Ground<P> {
    pub(crate) async fn new() -> Self {
        static TESTS: AtomicU32 = AtomicU32::new(0);
        let number = TESTS.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("deployment-{}-{number}:", std::process::id());
        let clock = Clock::manual();
        let place = P::prepare(&clock, &prefix).await;
        let store = Counted { store: place.store().clone(), writes: Arc::default() };
        Self { clock, place, prefix, store }
    }

    pub(crate) fn program(&self, setting: Setting<P>) -> Box<dyn Program> {
        setting(self.config())
    }

    pub(crate) fn config(&self) -> Base<P> {
        Config::new()
            .store(self.store.clone())
            .codec(MessagePack::<Account>::new())
            .key_prefix(KeyPrefix::new(self.prefix.clone()).expect("a prefix"))
            .idle_timeout(Ttl::minutes(IDLE))
            .absolute_timeout(Ttl::minutes(ABSOLUTE))
            .clock(self.clock.clone())
    }

    pub(crate) async fn pass(&self, minutes: u32) {
        let time = Duration::from_secs(u64::from(minutes) * 60);
        self.clock.advance(time);
        self.place.pass(time).await;
    }

    /// A browser in which Ada has signed in at this program.
    pub(crate) async fn ada_at(&self, program: &dyn Program) -> Browser {
        let mut browser = Browser::new(self.clock.clone());
        let answer = browser.send(program, Act::SignIn("ada")).await;
        assert_eq!((answer.result, answer.sent), (Ok(()), Sent::Cookie));
        browser
    }

    /// How often something was written since the last time.
    pub(crate) fn writes(&self) -> usize {
        self.store.writes.swap(0, Ordering::Relaxed)
    }

    /// The browser comes every minute to one of the programs in turn. Now and then it has
    /// something changed, or gets a fresh id.
    pub(crate) async fn use_in_turn(
        &self,
        browser: &mut Browser,
        programs: [&dyn Program; 2],
        minutes: u32,
        acts: Acts,
    ) -> Story {
        let mut story = Story::default();
        self.writes();
        for minute in 1..=minutes {
            self.pass(1).await;
            let act = acts.at(minute);
            story.asked += match act {
                Act::Look => 0,
                // The fresh record, and the note.
                Act::Rotate => 2,
                _ => 1,
            };
            let program = programs[minute as usize % 2];
            let answer = browser.send(program, act).await;
            assert_eq!(answer.result, Ok(()));
            if answer.user.as_deref() != Some("ada") {
                story.ended_after = Some(minute);
                break;
            }
            story.uses += 1;
            story.cookies += usize::from(answer.sent == Sent::Cookie && act != Act::Rotate);
            story.removals += usize::from(answer.sent == Sent::Removal);
        }
        story.writes = self.writes();
        story
    }
}

/// What the browser asks for while it comes every minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acts {
    Looks,
    Changes,
    /// Changes, and fresh ids.
    Rotates,
}

impl Acts {
    pub(crate) const ALL: [Self; 3] = [Self::Looks, Self::Changes, Self::Rotates];

    /// Every seventh minute is now at the one program, now at the other.
    const fn at(self, minute: u32) -> Act {
        match self {
            Self::Rotates if minute % 9 == 4 => Act::Rotate,
            Self::Changes | Self::Rotates if minute % 7 == 3 => Act::Change,
            _ => Act::Look,
        }
    }
}

/// What came of a session that two programs used in turn.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// The minute in which it was not there any more.
    pub(crate) ended_after: Option<u32>,
    pub(crate) uses: usize,
    /// How many writes the requests asked for.
    pub(crate) asked: usize,
    pub(crate) writes: usize,
    /// Cookies that no fresh id made due.
    pub(crate) cookies: usize,
    pub(crate) removals: usize,
}

/// What a request does with its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Look,
    /// Also what a visitor does who is not signed in.
    Change,
    Rotate,
    SignIn(&'static str),
    Destroy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Nothing,
    Cookie,
    Removal,
}

#[derive(Debug)]
pub(crate) struct Answer {
    /// The message of the error.
    pub(crate) result: Result<(), String>,
    /// Who is signed in, when the request began.
    pub(crate) user: Option<String>,
    pub(crate) is_unreadable: bool,
    pub(crate) sent: Sent,
    headers: HeaderMap,
}

/// A configuration, whatever its types.
pub(crate) trait Program: Send + Sync {
    fn answer<'a>(
        &'a self,
        cookies: &'a HeaderMap,
        act: Act,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
}

impl<S: Writable, C: Codec<Data = Account>, K: Signer> Program for Sessions<S, C, K> {
    fn answer<'a>(
        &'a self,
        cookies: &'a HeaderMap,
        act: Act,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        Box::pin(async move {
            let mut session = self.open(cookies).await.expect("the store answers");
            let (user, is_unreadable) = (session.user.clone(), session.is_unreadable());
            match act {
                Act::Look => {}
                Act::Change => session.visits += 1,
                Act::Rotate => session.rotate(),
                Act::SignIn(name) => {
                    session.user = Some(name.to_owned());
                    session.sign_in();
                }
                Act::Destroy => session.destroy(),
            }
            let mut headers = HeaderMap::new();
            let result = session.close(&mut headers).await;
            let sent = match headers.get(SET_COOKIE).map(|cookie| cookie.to_str().expect("text")) {
                None => Sent::Nothing,
                Some(cookie) if cookie.contains("; Max-Age=0;") => Sent::Removal,
                Some(_) => Sent::Cookie,
            };
            let result = result.map_err(|error: Error| error.to_string());
            Answer { result, user, is_unreadable, sent, headers }
        })
    }
}

/// A browser, which lets its cookies expire.
#[derive(Clone)]
pub(crate) struct Browser {
    clock: Clock,
    cookies: Vec<Kept>,
}

#[derive(Clone)]
struct Kept {
    name: String,
    /// The attributes by which a browser tells cookies of one name apart.
    scope: (Option<String>, String),
    value: String,
    until: Option<SystemTime>,
}

impl Browser {
    pub(crate) const fn new(clock: Clock) -> Self {
        Self { clock, cookies: Vec::new() }
    }

    pub(crate) async fn send(&mut self, program: &dyn Program, act: Act) -> Answer {
        let answer = program.answer(&self.headers(), act).await;
        self.keep(&answer.headers);
        answer
    }

    /// Cookies of longer paths come first (RFC 6265, section 5.4).
    pub(crate) fn headers(&self) -> HeaderMap {
        let now = self.clock.now();
        let mut cookies: Vec<_> =
            self.cookies.iter().filter(|it| it.until.is_none_or(|until| until > now)).collect();
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.scope.1.len()));
        let pairs: Vec<_> = cookies.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
        if pairs.is_empty() {
            return HeaderMap::new();
        }
        let value = HeaderValue::try_from(pairs.join("; ")).expect("ASCII");
        HeaderMap::from_iter([(COOKIE, value)])
    }

    pub(crate) fn keep(&mut self, response: &HeaderMap) {
        for cookie in response.get_all(SET_COOKIE) {
            let mut parts = cookie.to_str().expect("ASCII").split("; ");
            let (name, value) = parts.next().and_then(|it| it.split_once('=')).expect("a pair");
            let attributes: Vec<_> = parts.collect();
            let find = |name: &str| {
                attributes.iter().find_map(|it| it.strip_prefix(name)?.strip_prefix('='))
            };
            let scope = (find("Domain").map(str::to_owned), find("Path").expect("set").to_owned());
            let seconds = find("Max-Age").map(|it| it.parse().expect("a number"));
            self.cookies.retain(|it| (it.name != name) || it.scope != scope);
            if seconds != Some(0) {
                let until = seconds.map(|it| self.clock.now() + Duration::from_secs(it));
                let (name, value) = (name.to_owned(), value.to_owned());
                self.cookies.push(Kept { name, scope, value, until });
            }
        }
    }

    /// How many cookies it holds.
    pub(crate) fn len(&self) -> usize {
        self.cookies.len()
    }

    /// The value of its one cookie.
    pub(crate) fn value(&self) -> &str {
        let [cookie] = &self.cookies[..] else { panic!("{} cookies", self.cookies.len()) };
        &cookie.value
    }
}
