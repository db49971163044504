//! A small store that keeps the contract, unless it is given a flaw.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom::contract::{Harness, Time};
use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{Clock, Key, Store, Ttl, Writable};
use tokio::task::yield_now;

/// What a store may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    CreateKeepsNothing,
    CreateReplaces,
    CreateLooksThenWrites,
    TakenKeyRestartsTheTime,
    UpdateMakesARecord,
    UpdateKeepsTheValue,
    UpdateKeepsTheTime,
    UpdateIgnoresTheRevision,
    UpdateGivesTheOldRevision,
    UpdateComparesThenSwaps,
    ConflictRestartsTheTime,
    LoadPostpones,
    LoadReadsInTwoSteps,
    ExtendDoesNothing,
    ExtendShortens,
    ExtendComparesThenSets,
    ExtendIsAVersion,
    ExtendRevives,
    RemoveSaysNothing,
    RemoveHandsOutExpired,
    WritesInTwoSteps,
    RepliesAreMixedUp,
    HandlesKeepToThemselves,
    VersionsStartAgain,
    VersionsAreLengths,
    ExpiryIsIgnored,
    ExpiryIsLeftToTheClearing,
    TimesAreRoundedUp,
    TimesAreCutToSeconds,
    TimesHave31Bits,
    TimesHave32Bits,
    LongTimesAreDates,
    EmptyIsAbsent,
    ValuesEndAtZero,
    ValuesAreCut,
    KeysAreCutTo(usize),
    KeysForgetCase,
    KeysArePaths,
}

#[derive(Clone)]
pub(crate) struct Flawed {
    flaw: Option<Flaw>,
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    records: HashMap<String, Entry>,
    last_revision: u64,
    /// Replies that no operation has read yet, as on a connection.
    replies: VecDeque<Loaded<Flawed>>,
}

#[derive(Clone)]
struct Entry {
    value: Vec<u8>,
    revision: u64,
    /// Milliseconds since the Unix epoch.
    expires: u64,
    ttl: Ttl,
}

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(Flaw::ExpiryIsLeftToTheClearing) {
            state.clear_some(self.clock.unix_millis());
        }
        state
    }

    fn name(&self, key: &Key) -> String {
        let key = key.as_str();
        match self.flaw {
            Some(Flaw::KeysAreCutTo(len)) => key[..key.len().min(len)].to_owned(),
            Some(Flaw::KeysForgetCase) => key.to_lowercase(),
            Some(Flaw::KeysArePaths) => key.replace("./", "").replace("//", "/"),
            _ => key.to_owned(),
        }
    }

    fn live(&self, state: &State, name: &str) -> Option<Entry> {
        let entry = state.records.get(name)?;
        let expiry_is_kept =
            !self.has(Flaw::ExpiryIsIgnored) && !self.has(Flaw::ExpiryIsLeftToTheClearing);
        let over = expiry_is_kept && entry.expires <= self.clock.unix_millis();
        let absent = self.has(Flaw::EmptyIsAbsent) && entry.value.is_empty();
        (!over && !absent).then(|| entry.clone())
    }

    fn put(&self, state: &mut State, name: &str, value: &[u8], ttl: Ttl) -> u64 {
        let before = state.records.get(name).map_or(0, |entry| entry.revision);
        state.last_revision += 1;
        let revision = match self.flaw {
            Some(Flaw::VersionsStartAgain) => before + 1,
            Some(Flaw::VersionsAreLengths) => value.len() as u64,
            _ => state.last_revision,
        };
        let value = match self.flaw {
            Some(Flaw::ValuesAreCut) => &value[..value.len().min(65_535)],
            Some(Flaw::ValuesEndAtZero) => value.split(|b| *b == 0).next().unwrap_or_default(),
            _ => value,
        };
        let entry = Entry { value: value.to_owned(), revision, expires: self.expiry(ttl), ttl };
        state.records.insert(name.to_owned(), entry);
        revision
    }

    fn expiry(&self, ttl: Ttl) -> u64 {
        let millis = ttl.as_millis();
        let millis = match self.flaw {
            Some(Flaw::TimesAreRoundedUp) => millis.next_multiple_of(1_000),
            Some(Flaw::TimesAreCutToSeconds) => millis / 1_000 * 1_000,
            Some(Flaw::TimesHave31Bits) => millis & 0x7fff_ffff,
            Some(Flaw::TimesHave32Bits) => millis & 0xffff_ffff,
            Some(Flaw::LongTimesAreDates) if ttl > Ttl::days(30) => return millis,
            _ => millis,
        };
        self.clock.unix_millis() + millis
    }

    fn answer_load(&self, name: &str, extend: Option<Ttl>) -> Loaded<Self> {
        let mut state = self.lock();
        let revives = self.has(Flaw::ExtendRevives) && extend.is_some();
        let found =
            if revives { state.records.get(name).cloned() } else { self.live(&state, name) };
        let entry = found?;
        let extend = match self.flaw {
            Some(Flaw::LoadPostpones) => Some(extend.unwrap_or(entry.ttl)),
            Some(Flaw::ExtendDoesNothing) => None,
            _ => extend,
        };
        if let Some(ttl) = extend {
            let revision = if self.has(Flaw::ExtendIsAVersion) {
                self.put(&mut state, name, &entry.value, ttl)
            } else {
                entry.revision
            };
            let shortens = self.has(Flaw::ExtendShortens);
            let least = if shortens { 0 } else { entry.expires };
            let expires = self.expiry(ttl).max(least);
            state.records.insert(name.to_owned(), Entry { expires, revision, ..entry.clone() });
        }
        Some(Record::new(entry.value, entry.revision))
    }

    fn restart(&self, name: &str, ttl: Ttl) {
        let expires = self.expiry(ttl);
        if let Some(entry) = self.lock().records.get_mut(name) {
            entry.expires = expires;
        }
    }
}

impl State {
    fn clear_some(&mut self, now: u64) {
        let mut over: Vec<_> = self.records.iter().filter(|(_, e)| e.expires <= now).collect();
        over.sort_by_key(|(_, entry)| entry.expires);
        let names: Vec<_> = over.into_iter().take(16).map(|(name, _)| name.clone()).collect();
        for name in names {
            self.records.remove(&name);
        }
    }
}

impl Writable for Flawed {}

impl Store for Flawed {
    type Error = Infallible;
    type Value = Vec<u8>;
    type Revision = u64;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        let name = self.name(key);
        if self.has(Flaw::ExtendComparesThenSets)
            && let Some(ttl) = extend
        {
            return Ok(self.compare_then_set(&name, ttl).await);
        }
        let mut found = self.answer_load(&name, extend);
        if self.has(Flaw::RepliesAreMixedUp) {
            self.lock().replies.push_back(found);
            yield_now().await;
            found = self.lock().replies.pop_front().expect("a reply");
        }
        if self.has(Flaw::LoadReadsInTwoSteps)
            && let Some(record) = &mut found
        {
            yield_now().await;
            if let Some(later) = self.answer_load(&name, extend) {
                record.value.truncate(record.value.len() / 2);
                record.value.extend(later.value.iter().skip(later.value.len() / 2));
            }
        }
        Ok(found)
    }

    async fn create(&self, key: &Key, value: &[u8], ttl: Ttl) -> Result<Create<u64>, Infallible> {
        let name = self.name(key);
        match self.flaw {
            Some(Flaw::TakenKeyRestartsTheTime) => self.restart(&name, ttl),
            Some(Flaw::CreateLooksThenWrites) => {
                if self.live(&self.lock(), &name).is_some() {
                    return Ok(Create::KeyTaken);
                }
                yield_now().await;
                return Ok(Create::Created(self.put(&mut self.lock(), &name, value, ttl)));
            }
            Some(Flaw::WritesInTwoSteps) if self.live(&self.lock(), &name).is_none() => {
                self.put(&mut self.lock(), &name, &[], ttl);
                yield_now().await;
                return Ok(Create::Created(self.put(&mut self.lock(), &name, value, ttl)));
            }
            _ => {}
        }
        let mut state = self.lock();
        if self.live(&state, &name).is_some() && !self.has(Flaw::CreateReplaces) {
            return Ok(Create::KeyTaken);
        }
        if self.has(Flaw::CreateKeepsNothing) {
            return Ok(Create::Created(0));
        }
        state.records.remove(&name);
        Ok(Create::Created(self.put(&mut state, &name, value, ttl)))
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &u64,
    ) -> Result<Update<u64>, Infallible> {
        let name = self.name(key);
        let Some(entry) = self.live(&self.lock(), &name) else {
            if self.has(Flaw::UpdateMakesARecord) {
                return Ok(Update::Updated(self.put(&mut self.lock(), &name, value, ttl)));
            }
            return Ok(Update::Gone);
        };
        if entry.revision != *seen && !self.has(Flaw::UpdateIgnoresTheRevision) {
            if self.has(Flaw::ConflictRestartsTheTime) {
                self.restart(&name, ttl);
            }
            return Ok(Update::Conflict);
        }
        if self.has(Flaw::WritesInTwoSteps) {
            self.lock().records.remove(&name);
            yield_now().await;
            return Ok(Update::Updated(self.put(&mut self.lock(), &name, value, ttl)));
        }
        if self.has(Flaw::UpdateComparesThenSwaps) {
            yield_now().await;
            return Ok(Update::Updated(self.put(&mut self.lock(), &name, value, ttl)));
        }
        Ok(self.swap(&name, value, ttl, &entry))
    }

    async fn remove(&self, key: &Key) -> Result<Option<Vec<u8>>, Infallible> {
        let name = self.name(key);
        if self.has(Flaw::WritesInTwoSteps) && self.live(&self.lock(), &name).is_some() {
            let removed = self.lock().records.get_mut(&name).map(|e| std::mem::take(&mut e.value));
            yield_now().await;
            self.lock().records.remove(&name);
            return Ok(removed);
        }
        let mut state = self.lock();
        let live = self.live(&state, &name);
        let removed = state.records.remove(&name);
        Ok(match self.flaw {
            Some(Flaw::RemoveSaysNothing) => None,
            Some(Flaw::RemoveHandsOutExpired) => removed.map(|entry| entry.value),
            _ => live.map(|entry| entry.value),
        })
    }
}

impl Flawed {
    /// Sets the expiry that was the later one before another task had its turn.
    async fn compare_then_set(&self, name: &str, ttl: Ttl) -> Loaded<Self> {
        let entry = self.live(&self.lock(), name)?;
        // As long as a round trip takes: the other loads compare meanwhile.
        for _ in 0..50 {
            yield_now().await;
        }
        if self.expiry(ttl) > entry.expires {
            self.restart(name, ttl);
        }
        Some(Record::new(entry.value, entry.revision))
    }

    /// Replaces `before`, unless another task was faster.
    fn swap(&self, name: &str, value: &[u8], ttl: Ttl, before: &Entry) -> Update<u64> {
        let mut state = self.lock();
        match self.live(&state, name) {
            None => return Update::Gone,
            Some(entry) if entry.revision != before.revision => return Update::Conflict,
            Some(_) => {}
        }
        let value = if self.has(Flaw::UpdateKeepsTheValue) { &before.value } else { value };
        let revision = self.put(&mut state, name, value, ttl);
        match self.flaw {
            Some(Flaw::UpdateGivesTheOldRevision) => return Update::Updated(before.revision),
            Some(Flaw::UpdateKeepsTheTime) => {
                let expires = before.expires;
                state.records.entry(name.to_owned()).and_modify(|entry| entry.expires = expires);
            }
            _ => {}
        }
        Update::Updated(revision)
    }
}

pub(crate) struct FlawedHarness {
    store: Flawed,
    second: Flawed,
}

impl FlawedHarness {
    pub(crate) fn new(flaw: Option<Flaw>) -> Self {
        let store = Flawed { flaw, clock: Clock::manual(), state: Arc::default() };
        let mut second = store.clone();
        if flaw == Some(Flaw::HandlesKeepToThemselves) {
            second.state = Arc::default();
        }
        Self { store, second }
    }
}

impl Harness for FlawedHarness {
    type Store = Flawed;

    fn store(&self) -> &Flawed {
        &self.store
    }

    fn second(&self) -> &Flawed {
        &self.second
    }

    fn time(&self) -> Time {
        Time::ByHand
    }

    async fn pass(&self, time: Duration) {
        self.store.clock.advance(time);
    }
}

/// Without a flaw, it keeps every rule: what the others show is their flaw.
mod without_a_flaw {
    use super::FlawedHarness;

    cloakroom::store_contract!(FlawedHarness::new(None));
}
