//! The records of a [`NearCache`](crate::NearCache).
//!
//! The cache keeps a reply only if no message about its key arrived since the question.
//! Otherwise the message that the reply is outdated may have come before the reply, and no
//! other would follow.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::Key;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// About how many bytes a record takes beside its key and its value.
const OVERHEAD: u64 = 200;

/// Enough that keys which are in use at the same moment seldom share one.
const PLACES: usize = 1_024;

pub(super) struct Records {
    cached: Cache<Box<[u8]>, Cached, Weight>,
    /// The hash of a key chooses its place. A message about one key counts for all keys of
    /// its place: the cache then keeps fewer replies than it could.
    places: Box<[Mutex<Place>]>,
    hasher: RandomState,
    /// When the latest question was asked that the server has answered, in nanoseconds since
    /// `start`. All its messages from before have arrived.
    heard_at: AtomicU64,
    start: Instant,
    max_silence: Duration,
}

#[derive(Clone)]
struct Cached {
    value: Bytes,
    ends: Option<Instant>,
}

#[derive(Default)]
struct Place {
    /// How many operations are changing a record.
    changing: usize,
    /// How often a record was changed, here or by a message.
    changes: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<[u8]>, Cached> for Weight {
    fn weight(&self, key: &Box<[u8]>, cached: &Cached) -> u64 {
        OVERHEAD + (key.len() + cached.value.len()) as u64
    }
}

impl Records {
    pub(super) fn new(capacity: usize, max_silence: Duration) -> Self {
        let estimate = capacity / 512;
        Self {
            cached: Cache::with_weighter(estimate, capacity as u64, Weight),
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            heard_at: AtomicU64::new(0),
            start: Instant::now(),
            max_silence,
        }
    }

    /// The value, if the cache may answer with it now.
    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<Bytes> {
        let heard_at = self.start + Duration::from_nanos(self.heard_at.load(Ordering::Acquire));
        if now.saturating_duration_since(heard_at) >= self.max_silence {
            return None;
        }
        let cached = self.cached.get(key.as_bytes())?;
        match cached.ends {
            Some(ends) if ends <= now => None,
            _ => Some(cached.value),
        }
    }

    /// The server has answered a question from this time.
    pub(super) fn heard(&self, asked_at: Instant) {
        let nanos = asked_at.saturating_duration_since(self.start).as_nanos();
        self.heard_at.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    /// Begins to ask the server. The caller does this before it chooses the connection: a
    /// new connection voids all questions.
    pub(super) fn ask<'r>(&'r self, key: &'r Key) -> Question<'r> {
        let place = self.place_of(key.as_bytes());
        let now = lock(place);
        let changes = (now.changing == 0).then_some(now.changes);
        Question { records: self, key, place, changes }
    }

    /// Begins to change a record. The cache keeps no reply about it until the change is over.
    pub(super) fn change(&self, key: &Key) -> Changing<'_> {
        let place = self.place_of(key.as_bytes());
        let mut now = lock(place);
        now.changing += 1;
        now.changes += 1;
        self.cached.remove(key.as_bytes());
        Changing { place }
    }

    /// The record has changed, or ended.
    pub(super) fn forget(&self, key: &[u8]) {
        let mut now = lock(self.place_of(key));
        now.changes += 1;
        self.cached.remove(key);
    }

    pub(super) fn forget_all(&self) {
        for place in &self.places {
            lock(place).changes += 1;
        }
        // The answers to earlier questions are not kept.
        self.cached.clear();
    }

    fn place_of(&self, key: &[u8]) -> &Mutex<Place> {
        &self.places[self.hasher.hash_one(key) as usize % PLACES]
    }
}

/// No code panics while it holds one of these locks.
fn lock(place: &Mutex<Place>) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A read that the server has not answered yet.
pub(super) struct Question<'r> {
    records: &'r Records,
    key: &'r Key,
    place: &'r Mutex<Place>,
    /// The changes at the time of the question. `None` if the answer must not be kept.
    changes: Option<u64>,
}

impl Question<'_> {
    /// Keeps the answer, unless it may be outdated.
    pub(super) fn keep(self, value: Bytes, ends: Option<Instant>) {
        let now = lock(self.place);
        if self.changes == Some(now.changes) {
            self.records.cached.insert(self.key.as_bytes().into(), Cached { value, ends });
        }
    }
}

/// A change that is not over yet.
pub(super) struct Changing<'r> {
    place: &'r Mutex<Place>,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        lock(self.place).changing -= 1;
    }
}

#[cfg(test)]
mod tests {
    use cloakroom::{IdLength, KeyPrefix, SessionId};

    use super::*;

    fn records() -> (Records, Key) {
        (Records::new(1_000_000, Duration::from_secs(3_600)), fresh_key())
    }

    fn fresh_key() -> Key {
        let id = SessionId::generate(IdLength::default()).expect("an id");
        Key::hashed(&KeyPrefix::default(), "id", &id)
    }

    fn is_kept(records: &Records, key: &Key) -> bool {
        records.get(key, Instant::now()).is_some()
    }

    /// What makes a record outdated, as far as is known here.
    const EVENTS: [fn(&Records, &Key); 3] = [
        |records, key| records.forget(key.as_bytes()),
        |records, _| records.forget_all(),
        |records, key| drop(records.change(key)),
    ];

    #[test]
    fn an_answer_is_kept_until_its_record_changes() {
        let (records, key) = records();
        for event in EVENTS {
            records.ask(&key).keep(Bytes::new(), None);
            assert!(is_kept(&records, &key));
            event(&records, &key);
            assert!(!is_kept(&records, &key));
        }
    }

    #[test]
    fn an_answer_that_may_be_outdated_is_not_kept() {
        let (records, key) = records();
        for event in EVENTS {
            let question = records.ask(&key);
            event(&records, &key);
            question.keep(Bytes::new(), None);
            assert!(!is_kept(&records, &key));
        }
    }

    /// The update's reply may come before the message that it has outdated this.
    #[test]
    fn an_answer_to_a_question_from_the_time_of_a_change_is_not_kept() {
        let (records, key) = records();
        let changing = [records.change(&key), records.change(&key)];
        for changing in changing {
            let question = records.ask(&key);
            drop(changing);
            question.keep(Bytes::new(), None);
            assert!(!is_kept(&records, &key));
        }
        records.ask(&key).keep(Bytes::new(), None);
        assert!(is_kept(&records, &key));
    }

    /// Another key with the same place.
    fn neighbour(records: &Records, key: &Key) -> Key {
        let place = records.place_of(key.as_bytes());
        std::iter::repeat_with(fresh_key)
            .find(|other| std::ptr::eq(records.place_of(other.as_bytes()), place))
            .expect("keys without end")
    }

    #[test]
    fn what_happens_to_a_key_of_the_same_place_costs_an_answer_and_no_record() {
        let (records, key) = records();
        let neighbour = neighbour(&records, &key);
        records.ask(&key).keep(Bytes::new(), None);

        let question = records.ask(&neighbour);
        records.forget(key.as_bytes());
        question.keep(Bytes::new(), None);
        assert!(!is_kept(&records, &neighbour) && !is_kept(&records, &key));

        records.ask(&key).keep(Bytes::new(), None);
        let changing = records.change(&neighbour);
        assert!(is_kept(&records, &key), "its record is as good as before");
        drop(changing);
        records.ask(&neighbour).keep(Bytes::new(), None);
        assert!(is_kept(&records, &neighbour) && is_kept(&records, &key));
    }
}
