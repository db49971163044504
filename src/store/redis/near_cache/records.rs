//! What a [`NearCache`](super::NearCache) keeps.
//!
//! A reply is kept only if nothing was heard about its key since it was asked
//! for. Otherwise the message that it is outdated might have come before it, and
//! no other would follow.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::store::Key;

/// What a record takes beside its key and its value, about.
const OVERHEAD: u64 = 200;

pub(super) struct Records {
    held: Cache<Box<str>, Held, Weight>,
    /// The keys that are asked for or changed at this moment.
    pending: Mutex<HashMap<Box<str>, Pending>>,
    questions: AtomicU64,
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
struct Pending {
    /// How many requests are changing the record.
    changing: usize,
    /// The question whose answer may be kept.
    question: Option<u64>,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<str>, Held> for Weight {
    fn weight(&self, key: &Box<str>, held: &Held) -> u64 {
        OVERHEAD + (key.len() + held.value.len()) as u64
    }
}

impl Records {
    pub(super) fn new(capacity: usize, max_silence: Duration) -> Self {
        let estimate = capacity / 512;
        Self {
            held: Cache::with_weighter(estimate, capacity as u64, Weight),
            pending: Mutex::default(),
            questions: AtomicU64::new(0),
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
        let held = self.held.get(key.as_str())?;
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
        let number = self.questions.fetch_add(1, Ordering::Relaxed);
        let mut pending = self.pending();
        let of_key = pending.entry(key.as_str().into()).or_default();
        // Of many who ask at once, the first one keeps the answer.
        if of_key.changing == 0 && of_key.question.is_none() {
            of_key.question = Some(number);
        }
        Question { records: self, key, number }
    }

    /// Begins to change a record. Nothing is kept of it until that is over.
    pub(super) fn change<'r>(&'r self, key: &'r Key) -> Changing<'r> {
        let mut pending = self.pending();
        let of_key = pending.entry(key.as_str().into()).or_default();
        of_key.changing += 1;
        of_key.question = None;
        self.held.remove(key.as_str());
        Changing { records: self, key }
    }

    /// The record has changed, or ended.
    pub(super) fn forget(&self, key: &[u8]) {
        let Ok(key) = str::from_utf8(key) else { return };
        let mut pending = self.pending();
        if let Some(of_key) = pending.get_mut(key) {
            of_key.question = None;
        }
        self.held.remove(key);
    }

    pub(super) fn forget_all(&self) {
        let mut pending = self.pending();
        for of_key in pending.values_mut() {
            of_key.question = None;
        }
        self.held.clear();
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Box<str>, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on what is known of a key, and forgets it where nothing is left.
    fn settle<T>(&self, key: &Key, act: impl FnOnce(&mut Pending) -> T) -> Option<T> {
        let mut pending = self.pending();
        let of_key = pending.get_mut(key.as_str())?;
        let done = act(of_key);
        if of_key.changing == 0 && of_key.question.is_none() {
            pending.remove(key.as_str());
        }
        Some(done)
    }
}

/// While the server is asked for a record.
pub(super) struct Question<'r> {
    records: &'r Records,
    key: &'r Key,
    number: u64,
}

impl Question<'_> {
    /// Keeps the answer, unless it may be outdated.
    pub(super) fn keep(self, value: Bytes, ends: Option<Instant>) {
        self.records.settle(self.key, |of_key| {
            if of_key.question == Some(self.number) {
                self.records.held.insert(self.key.as_str().into(), Held { value, ends });
            }
        });
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.records.settle(self.key, |of_key| {
            if of_key.question == Some(self.number) {
                of_key.question = None;
            }
        });
    }
}

/// While a record is changed.
pub(super) struct Changing<'r> {
    records: &'r Records,
    key: &'r Key,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.records.settle(self.key, |of_key| of_key.changing -= 1);
    }
}
