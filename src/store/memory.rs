//! A store in this process's memory.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use super::eviction::Evictions;
use super::{Create, Key, Loaded, Record, Store, Sweep, Update, Writable};
use crate::clock::Clock;
use crate::ttl::Ttl;

/// How many records a store without a limit of its own holds.
const DEFAULT_CAPACITY: usize = 1_000_000;
/// How many records a shard has room for at least.
const RECORDS_IN_A_SHARD: usize = 1_024;
/// How many expired records one operation removes at most, so that none takes
/// long.
const REMOVED_AT_ONCE: usize = 16;

/// Keeps sessions in memory: the fastest store, for one process. What it holds
/// ends with the process.
///
/// Records are spread over shards, each behind a lock that is held for a look-up
/// and a copy of the data. Every operation also removes some records whose time is
/// over, so their memory comes back without being asked for.
///
/// # Limit
///
/// It holds a bounded number of records, a million by default. When it is full,
/// a new record takes the place of the one that would expire first among those
/// of its shard: with renewed sessions, that is the one that was not used for
/// the longest time. Once a minute at most, a warning says so.
///
/// Clones share the same records.
#[derive(Clone)]
pub struct Memory {
    inner: Arc<Inner>,
    clock: Clock,
}

struct Inner {
    shards: Box<[Mutex<Shard>]>,
    /// The most records in one shard.
    shard_capacity: usize,
    spread: Spread,
    evictions: Evictions,
}

/// The version of a record in [`Memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryRevision(u64);

impl Memory {
    /// A store for a million records.
    #[must_use]
    pub fn new() -> Self {
        Self::of_capacity(DEFAULT_CAPACITY)
    }

    /// A store for about `records` records: the limit is kept in each shard, so
    /// that eviction may begin a little before or after the total.
    #[must_use]
    pub fn with_capacity(records: NonZeroUsize) -> Self {
        Self::of_capacity(records.get())
    }

    /// Takes the time from `clock`, so that a test can move it.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How many records are held, among them expired ones that were not
    /// removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.shards.iter().map(|shard| lock(shard).records.len()).sum()
    }

    /// Whether no record is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn of_capacity(capacity: usize) -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        // A shard has room for at least a thousand records, so that chance does
        // not fill one long before the others; a small store has one.
        let shards = (capacity / RECORDS_IN_A_SHARD).clamp(1, cores * 8);
        // A map has a power of two of places, and doubles when seven eighths are
        // taken. In a full store, three quarters are.
        let places = 1 << (capacity / shards * 4 / 3).max(4).ilog2();
        let shards = if shards == 1 { 1 } else { capacity.div_ceil(places / 4 * 3) };
        let spread = Spread { seed: RandomState::new().hash_one(shards) };
        let inner = Inner {
            shards: (0..shards).map(|_| Mutex::new(Shard::new(spread))).collect(),
            shard_capacity: capacity.div_ceil(shards),
            spread,
            evictions: Evictions::default(),
        };
        Self { inner: Arc::new(inner), clock: Clock::system() }
    }

    /// The shard of a key, cleared of some expired records, and the time.
    fn shard(&self, key: &Key) -> (MutexGuard<'_, Shard>, u64) {
        let shards = &self.inner.shards;
        // The map in it looks at the lowest and at the seven highest bits.
        let spread = self.inner.spread.hash_one(key.as_bytes()) << 8 >> 32;
        let mut shard = lock(&shards[((spread * shards.len() as u64) >> 32) as usize]);
        let now = self.clock.unix_millis();
        shard.remove_expired(now, REMOVED_AT_ONCE);
        (shard, now)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("len", &self.len()).finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Writable for Memory {}

#[diagnostic::do_not_recommend]
impl Store for Memory {
    type Error = Infallible;
    type Value = Box<[u8]>;
    type Revision = MemoryRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        let (mut shard, now) = self.shard(key);
        let Some(entry) = shard.live(key, now) else { return Ok(None) };
        let record = Record::new(entry.value.clone(), entry.revision)
            .read_at(self.clock.is_system().then_some(now));
        if let Some(ttl) = extend {
            entry.expires = entry.expires.max(now + ttl.as_millis());
        }
        Ok(Some(record))
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<MemoryRevision>, Infallible> {
        let value = Box::from(value);
        let (mut shard, now) = self.shard(key);
        if shard.live(key, now).is_some() {
            return Ok(Create::KeyTaken);
        }
        let evicted = shard.make_room(self.inner.shard_capacity, now);
        let revision = shard.put(key.as_bytes().into(), value, now + ttl.as_millis());
        drop(shard);
        self.inner.evictions.happened(evicted, now, "Memory", "`with_capacity` keeps more");
        Ok(Create::Created(revision))
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &MemoryRevision,
    ) -> Result<Update<MemoryRevision>, Infallible> {
        let (mut shard, now) = self.shard(key);
        let revision = shard.next_revision();
        let Some(entry) = shard.live(key, now) else { return Ok(Update::Gone) };
        if entry.revision != *seen {
            return Ok(Update::Conflict);
        }
        entry.set_value(value);
        entry.revision = revision;
        entry.expires = now + ttl.as_millis();
        if entry.is_out_of_order() {
            shard.bring_forward(key);
        }
        Ok(Update::Updated(revision))
    }

    async fn remove(&self, key: &Key) -> Result<Option<Box<[u8]>>, Infallible> {
        let (mut shard, now) = self.shard(key);
        let removed = shard.take(key);
        shard.give_memory_back();
        Ok(removed.filter(|(_, entry)| entry.expires > now).map(|(_, entry)| entry.value))
    }
}

#[diagnostic::do_not_recommend]
impl Sweep for Memory {
    async fn sweep(&self) -> Result<u64, Infallible> {
        let now = self.clock.unix_millis();
        let swept = self.inner.shards.iter().map(|shard| {
            let mut removed = 0;
            // Between batches, other tasks can take the lock.
            while lock(shard).is_due(now) {
                removed += lock(shard).remove_expired(now, REMOVED_AT_ONCE);
            }
            removed
        });
        Ok(swept.sum::<usize>() as u64)
    }
}

/// No operation can leave a shard half changed, so one that panicked does no
/// harm to the next.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Shard {
    records: HashMap<Arc<[u8]>, Entry, Spread>,
    /// The keys in the order in which they fall due.
    expiries: BTreeSet<(u64, Arc<[u8]>)>,
    /// None of them falls due before this time; it may be earlier than the first.
    next_due: u64,
    /// Counts on with every write, so no two versions share a number.
    last_revision: u64,
}

struct Entry {
    value: Box<[u8]>,
    revision: MemoryRevision,
    /// Milliseconds since the Unix epoch.
    expires: u64,
    /// The time in `expiries`: that of the expiry, or earlier where it was
    /// postponed, so that a use of the record does not touch the order.
    due: u64,
}

impl Entry {
    /// Where the old one lies if it can: a record that moved with every write
    /// would end up far from all others.
    fn set_value(&mut self, value: &[u8]) {
        if self.value.len() == value.len() {
            self.value.copy_from_slice(value);
        } else {
            self.value = value.into();
        }
    }

    /// Whether it expires before the order says so.
    const fn is_out_of_order(&self) -> bool {
        self.expires < self.due
    }
}

impl Shard {
    fn new(spread: Spread) -> Self {
        Self {
            records: HashMap::with_hasher(spread),
            expiries: BTreeSet::new(),
            next_due: u64::MAX,
            last_revision: 0,
        }
    }

    fn live(&mut self, key: &Key, now: u64) -> Option<&mut Entry> {
        self.records.get_mut(key.as_bytes()).filter(|entry| entry.expires > now)
    }

    fn next_revision(&mut self) -> MemoryRevision {
        self.last_revision += 1;
        MemoryRevision(self.last_revision)
    }

    fn put(&mut self, key: Arc<[u8]>, value: Box<[u8]>, expires: u64) -> MemoryRevision {
        let revision = self.next_revision();
        let entry = Entry { value, revision, expires, due: expires };
        if let Some(old) = self.records.insert(key.clone(), entry) {
            self.expiries.remove(&(old.due, key.clone()));
        }
        self.put_in_order(expires, key);
        revision
    }

    /// Gives a record that expires sooner than before its place in the order.
    fn bring_forward(&mut self, key: &Key) {
        if let Some((key, mut entry)) = self.take(key) {
            entry.due = entry.expires;
            self.put_in_order(entry.due, key.clone());
            self.records.insert(key, entry);
        }
    }

    fn take(&mut self, key: &Key) -> Option<(Arc<[u8]>, Entry)> {
        let (key, entry) = self.records.remove_entry(key.as_bytes())?;
        let due = (entry.due, key);
        self.expiries.remove(&due);
        Some((due.1, entry))
    }

    fn put_in_order(&mut self, due: u64, key: Arc<[u8]>) {
        self.next_due = self.next_due.min(due);
        self.expiries.insert((due, key));
    }

    /// Says how many were removed; `most` also bounds those that are looked at.
    fn remove_expired(&mut self, now: u64, most: usize) -> usize {
        let mut removed = 0;
        for _ in 0..most {
            if !self.is_due(now) {
                break;
            }
            removed += usize::from(self.remove_first());
        }
        removed
    }

    fn is_due(&mut self, now: u64) -> bool {
        // Mostly nothing is, and the order need not be looked at.
        if self.next_due <= now {
            self.next_due = self.expiries.first().map_or(u64::MAX, |(due, _)| *due);
        }
        self.next_due <= now
    }

    /// Says how many live records had to go.
    fn make_room(&mut self, capacity: usize, now: u64) -> usize {
        let mut live = 0;
        while self.records.len() >= capacity && !self.records.is_empty() {
            let is_live = !self.is_due(now);
            live += usize::from(self.remove_first() && is_live);
        }
        live
    }

    /// Removes the record that falls due first, unless its expiry was postponed:
    /// then it takes its place in the order again.
    fn remove_first(&mut self) -> bool {
        let Some((due, key)) = self.expiries.pop_first() else { return false };
        if let Some(entry) = self.records.get_mut(&key)
            && entry.expires > due
        {
            entry.due = entry.expires;
            let due = entry.due;
            self.put_in_order(due, key);
            return false;
        }
        self.records.remove(&key);
        self.give_memory_back();
        true
    }

    /// Shrinks a map that is mostly empty.
    fn give_memory_back(&mut self) {
        if self.records.capacity() > 64 && self.records.len() < self.records.capacity() / 4 {
            self.records.shrink_to(self.records.len() * 2);
        }
    }
}

/// Hashes a key by its end, which is random: that of an id, or of its digest.
///
/// Only the generator makes ids. An attacker who knows many of them, and picks which ones
/// stay, still cannot make them collide, since the attacker does not know the seed.
#[derive(Clone, Copy)]
struct Spread {
    seed: u64,
}

impl BuildHasher for Spread {
    type Hasher = SpreadHasher;

    fn build_hasher(&self) -> SpreadHasher {
        SpreadHasher(self.seed)
    }
}

struct SpreadHasher(u64);

impl Hasher for SpreadHasher {
    fn write(&mut self, bytes: &[u8]) {
        let end = bytes.last_chunk().map_or(0, |end| u64::from_ne_bytes(*end));
        let product = u128::from(self.0 ^ end) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    /// The length, which is the same for all keys.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
