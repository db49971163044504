//! What a [`NearCache`](crate::NearCache) keeps.
//!
//! A reply is kept only if nothing was heard about its key since it was asked
//! for. Otherwise the message that it is outdated might have come before it, and
//! no other would follow.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::Key;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// What a record takes beside its key and its value, about.
const OVERHEAD: u64 = 200;

/// So many that keys which are in use at the same moment seldom share one.
const PLACES: usize = 1_024;

pub(super) struct Records {
    held: Cache<Box<[u8]>, Held, Weight>,
    /// Each key has one of them, found by its hash. What happens to one key is
    /// taken to happen to all that share its place: some replies are then not
    /// kept that could be.
    places: Box<[Mutex<Place>]>,
    hasher: RandomState,
    /// The server has answered what was asked at this time, in nanoseconds since
    /// `start`. What it had to say before that has been heard.
    heard_at: AtomicU64,
    start: Instant,
    max_silence: Duration,
}

#[derive(Clone)]
struct Held {
    value: Bytes,
    ends: Option<Instant>,
}

#[derive(Default)]
struct Place {
    /// How many requests are changing a record.
    changing: usize,
    /// How often a record was changed, or was said to be.
    changes: u64,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<[u8]>, Held> for Weight {
    fn weight(&self, key: &Box<[u8]>, held: &Held) -> u64 {
        OVERHEAD + (key.len() + held.value.len()) as u64
    }
}

impl Records {
    pub(super) fn new(capacity: usize, max_silence: Duration) -> Self {
        let estimate = capacity / 512;
        Self {
            held: Cache::with_weighter(estimate, capacity as u64, Weight),
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            heard_at: AtomicU64::new(0),
            start: Instant::now(),
            max_silence,
        }
    }

    /// What may be handed out at this time.
    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<Bytes> {
        let heard_at = self.start + Duration::from_nanos(self.heard_at.load(Ordering::Acquire));
        if now.saturating_duration_since(heard_at) >= self.max_silence {
            return None;
        }
        let held = self.held.get(key.as_bytes())?;
        match held.ends {
            Some(ends) if ends <= now => None,
            _ => Some(held.value),
        }
    }

    /// A reply has come to something that was asked at this time.
    pub(super) fn heard(&self, asked_at: Instant) {
        let nanos = asked_at.saturating_duration_since(self.start).as_nanos();
        self.heard_at.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX), Ordering::AcqRel);
    }

    /// Begins to ask the server. Must come before the connection is chosen, since
    /// another connection makes all questions void.
    pub(super) fn ask<'r>(&'r self, key: &'r Key) -> Question<'r> {
        let place = self.place_of(key.as_bytes());
        let now = lock(place);
        let changes = (now.changing == 0).then_some(now.changes);
        Question { records: self, key, place, changes }
    }

    /// Begins to change a record. Nothing is kept of it until that is over.
    pub(super) fn change(&self, key: &Key) -> Changing<'_> {
        let place = self.place_of(key.as_bytes());
        let mut now = lock(place);
        now.changing += 1;
        now.changes += 1;
        self.held.remove(key.as_bytes());
        Changing { place }
    }

    /// The record has changed, or ended.
    pub(super) fn forget(&self, key: &[u8]) {
        let mut now = lock(self.place_of(key));
        now.changes += 1;
        self.held.remove(key);
    }

    pub(super) fn forget_all(&self) {
        for place in &self.places {
            lock(place).changes += 1;
        }
        // No answer to an earlier question is kept any more.
        self.held.clear();
    }

    fn place_of(&self, key: &[u8]) -> &Mutex<Place> {
        &self.places[self.hasher.hash_one(key) as usize % PLACES]
    }
}

/// Nobody panics while holding one of these locks.
fn lock(place: &Mutex<Place>) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// While the server is asked for a record.
pub(super) struct Question<'r> {
    records: &'r Records,
    key: &'r Key,
    place: &'r Mutex<Place>,
    /// The changes when it was asked, unless its answer is not to be kept.
    changes: Option<u64>,
}

impl Question<'_> {
    /// Keeps the answer, unless it may be outdated.
    pub(super) fn keep(self, value: Bytes, ends: Option<Instant>) {
        let now = lock(self.place);
        if self.changes == Some(now.changes) {
            self.records.held.insert(self.key.as_bytes().into(), Held { value, ends });
        }
    }
}

/// While a record is changed.
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
