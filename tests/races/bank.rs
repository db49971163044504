//! The sessions that the tests race over.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cloakroom::{Clock, Config, Key, Memory, MessagePack, Session, Sessions, Store, Ttl, Unsigned};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::schedule::{finish, yield_once};
use crate::support::watched::{Fault, Op, Watch, Watched};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) visits: u32,
    pub(crate) note: String,
}

/// A name that no key holds by chance: they have no spaces.
pub(crate) const ADA: &str = "ada lovelace";
pub(crate) const GRACE: &str = "grace hopper";

pub(crate) type Codec = MessagePack<Account>;
pub(crate) type Customer = Session<Watched<Pace>, Codec, Unsigned>;

#[derive(Clone)]
pub(crate) struct Bank {
    pub(crate) store: Watched<Pace>,
    pub(crate) clock: Clock,
    pub(crate) sessions: Sessions<Watched<Pace>, Codec, Unsigned>,
}

impl Bank {
    /// A store that hands out each reply after several polls: `before` of them
    /// before the operation, `after` of them behind it.
    pub(crate) fn new(before: usize, after: usize) -> Self {
        let clock = Clock::manual();
        let memory = Memory::new().clock(clock.clone());
        let store = Watched::new(memory, Pace::new(before, after));
        let config = Config::new().store(store.clone()).data::<Account>();
        let sessions = config.idle_timeout(Ttl::hours(10)).clock(clock.clone()).build();
        Self { store, clock, sessions }
    }

    /// Opens an account for Ada, and hands out the request headers of her
    /// browser.
    pub(crate) fn ada(&self) -> HeaderMap {
        let mut session = self.open(&HeaderMap::new());
        session.user = ADA.to_owned();
        let mut response = HeaderMap::new();
        finish(session.close(&mut response)).expect("closed");
        after_response(HeaderMap::new(), &response)
    }

    pub(crate) fn open(&self, headers: &HeaderMap) -> Customer {
        finish(self.sessions.open(headers)).expect("the store works")
    }

    /// The data that a cookie leads to; `None` when it leads nowhere.
    pub(crate) fn account(&self, headers: &HeaderMap) -> Option<Account> {
        let session = self.open(headers);
        (!session.is_new()).then(|| Account::clone(&session))
    }

    /// How many records hold Ada's data, whatever cookie leads there.
    pub(crate) fn records_of_ada(&self) -> usize {
        self.records_of(ADA)
    }

    pub(crate) fn records_of(&self, user: &str) -> usize {
        let keys = self.store.watch.created().clone();
        let holds_it = |key: &Key| {
            let Ok(record) = finish(self.store.memory.load(key, None));
            record.is_some_and(|record| holds(&record.value, user.as_bytes()))
        };
        keys.iter().filter(|key| holds_it(key)).count()
    }
}

fn holds(record: &[u8], name: &[u8]) -> bool {
    record.windows(name.len()).any(|bytes| bytes == name)
}

/// The browser's request headers once it has seen the response.
pub(crate) fn after_response(mut request: HeaderMap, response: &HeaderMap) -> HeaderMap {
    for cookie in response.get_all(SET_COOKIE) {
        let cookie = cookie.to_str().expect("ASCII");
        let (pair, attributes) = cookie.split_once(';').expect("attributes");
        request.remove(COOKIE);
        if !attributes.contains("; Max-Age=0;") {
            request.insert(COOKIE, HeaderValue::from_str(pair).expect("ASCII"));
        }
    }
    request
}

/// Lets every call take several polls, and notes the keys that were created.
pub(crate) struct Pace {
    before: usize,
    after: usize,
    created: Mutex<Vec<Key>>,
}

impl Pace {
    pub(crate) const fn new(before: usize, after: usize) -> Self {
        Self { before, after, created: Mutex::new(Vec::new()) }
    }

    fn created(&self) -> MutexGuard<'_, Vec<Key>> {
        self.created.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Pace {
    async fn before(&self, op: Op, key: &Key) -> Result<(), Fault> {
        if op == Op::Create {
            self.created().push(key.clone());
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
