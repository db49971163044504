//! Where sessions are kept: the [`Store`] trait, and the stores.
//!
//! # Stores in other crates
//!
//! A store for a server or a database takes connections of the application, so types of
//! its client are part of its interface. Such a store is a crate of its own, which sees
//! only the public interface of this one.
//!
//! | crate | stores |
//! |---|---|
//! | `cloakroom-memcached` | `Memcached` |
//! | `cloakroom-mongodb` | `MongoDb` |
//! | `cloakroom-redis` | `Redis`, on one server or in a cluster; `NearCache` in front of it |
//! | `cloakroom-sqlx` | `Postgres`, `MySql`, `Sqlite` |
//!
//! The guide says [which one to choose](crate::guide::stores).

mod arc;
#[cfg(any(feature = "memory", all(unix, feature = "file")))]
mod eviction;
#[cfg(all(unix, feature = "file"))]
mod file;
mod key;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "null")]
mod null;

use std::error::Error;
use std::fmt;

#[cfg(all(unix, feature = "file"))]
pub use self::file::{File, FileError, FileRevision};
pub use self::key::{InvalidKeyPrefix, Key, KeyPrefix};
#[cfg(feature = "memory")]
pub use self::memory::{Memory, MemoryRevision};
#[cfg(feature = "null")]
pub use self::null::Null;
use crate::ttl::Ttl;

/// Keeps bytes under a key for a time.
///
/// There is no upsert: a record is made by [`create`](Self::create), and
/// replaced by [`update`](Self::update) only while it is still the version that
/// the caller saw. A record that is gone stays gone. On that rest the two
/// promises that no update is overwritten unseen and that no session returns after
/// logout.
///
/// # Every operation
///
/// - takes one round trip where the server allows it;
/// - treats a record past its time as absent, even where the server has not
///   removed it yet;
/// - may be cancelled at any await: the operation then has either happened or
///   not, and no later caller sees its reply;
/// - reports expected results as values; `Err` means a fault.
///
/// The `contract` feature has a test for each of these rules.
///
/// # Writing one
///
/// Write the methods as `async fn`, or return a future that is `Send`. Leave
/// `#[async_trait]` out: it changes the methods' signatures, and the compiler says that
/// "lifetime parameters do not match the trait definition" (E0195).
///
/// # Example
///
/// ```
/// use std::collections::HashMap;
/// use std::collections::hash_map::Entry;
/// use std::convert::Infallible;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use std::sync::{Mutex, PoisonError};
///
/// use cloakroom::store::{Create, Key, Loaded, Record, Store, Update, Writable};
/// use cloakroom::{Clock, Ttl};
///
/// struct Row {
///     value: Vec<u8>,
///     revision: u64,
///     expires: u64,
/// }
///
/// #[derive(Default)]
/// struct Shelf {
///     rows: Mutex<HashMap<Key, Row>>,
///     writes: AtomicU64,
///     clock: Clock,
/// }
///
/// impl Shelf {
///     /// Works on the place of a key, in which there is no expired row.
///     fn at<T>(&self, key: &Key, act: impl FnOnce(Entry<'_, Key, Row>, u64) -> T) -> T {
///         let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
///         let now = self.clock.unix_millis();
///         rows.retain(|_, row| row.expires > now);
///         act(rows.entry(key.clone()), now)
///     }
///
///     fn row(&self, value: &[u8], now: u64, ttl: Ttl) -> Row {
///         // No two writes share a revision, not even after a removal.
///         let revision = self.writes.fetch_add(1, Ordering::Relaxed);
///         Row { value: value.to_vec(), revision, expires: now + ttl.as_millis() }
///     }
/// }
///
/// impl Writable for Shelf {}
///
/// impl Store for Shelf {
///     type Error = Infallible;
///     type Value = Vec<u8>;
///     type Revision = u64;
///
///     async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
///         Ok(self.at(key, |entry, now| {
///             let Entry::Occupied(mut row) = entry else { return None };
///             if let Some(ttl) = extend {
///                 let expires = &mut row.get_mut().expires;
///                 *expires = (*expires).max(now + ttl.as_millis());
///             }
///             Some(Record::new(row.get().value.clone(), row.get().revision))
///         }))
///     }
///
///     async fn create(&self, key: &Key, value: &[u8], ttl: Ttl) -> Result<Create<u64>, Infallible> {
///         Ok(self.at(key, |entry, now| {
///             let Entry::Vacant(place) = entry else { return Create::KeyTaken };
///             let row = self.row(value, now, ttl);
///             Create::Created(place.insert(row).revision)
///         }))
///     }
///
///     async fn update(
///         &self,
///         key: &Key,
///         value: &[u8],
///         ttl: Ttl,
///         seen: &u64,
///     ) -> Result<Update<u64>, Infallible> {
///         Ok(self.at(key, |entry, now| match entry {
///             Entry::Vacant(_) => Update::Gone,
///             Entry::Occupied(row) if row.get().revision != *seen => Update::Conflict,
///             Entry::Occupied(mut row) => {
///                 row.insert(self.row(value, now, ttl));
///                 Update::Updated(row.get().revision)
///             }
///         }))
///     }
///
///     async fn remove(&self, key: &Key) -> Result<Option<Vec<u8>>, Infallible> {
///         Ok(self.at(key, |entry, _| match entry {
///             Entry::Vacant(_) => None,
///             Entry::Occupied(row) => Some(row.remove().value),
///         }))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session store",
    label = "this type does not implement `Store`",
    note = "stores are `Memory`, `File`, `Redis` and others, an `Arc` of one, and what you write `impl Store` for",
    note = "in a generic function, write `where S: Store` to read sessions, or `where S: Writable` to change them"
)]
pub trait Store: Sized + Send + Sync + 'static {
    /// What can go wrong at this store. Its message is logged, so it names
    /// neither keys nor values.
    type Error: Error + Send + Sync + 'static;

    /// The bytes of a record as the store hands them out: shared for a store in
    /// memory, the reply's own buffer for a server.
    type Value: AsRef<[u8]> + Send + Sync + 'static;

    /// The version of a record that was seen: a counter, a CAS token, a digest of
    /// the bytes, or the bytes themselves.
    ///
    /// Versions that share one hold the same bytes.
    type Revision: Send + Sync + 'static;

    /// Reads a record. Where `extend` is given, the record lives at least that long from
    /// now; a load never shortens.
    ///
    /// Extending takes no further round trip where the server allows it, and does not change
    /// the revision. A record that has more time left keeps its expiry, also when several
    /// loads extend it at once.
    fn load(
        &self, // In an `impl`, write `async fn`, and no `#[async_trait]`.
        key: &Key,
        extend: Option<Ttl>,
    ) -> impl Future<Output = Result<Loaded<Self>, Self::Error>> + Send;

    /// Makes a record that lives for `ttl`, unless a live one has the key.
    fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> impl Future<Output = Result<Create<Self::Revision>, Self::Error>> + Send;

    /// Replaces the record that was `seen`, to live for `ttl` from now.
    ///
    /// A value that is too large for the store is a fault, and the record
    /// before it stays.
    fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &Self::Revision,
    ) -> impl Future<Output = Result<Update<Self::Revision>, Self::Error>> + Send;

    /// Removes a record in any version, and returns its bytes.
    fn remove(
        &self,
        key: &Key,
    ) -> impl Future<Output = Result<Option<Self::Value>, Self::Error>> + Send;
}

/// A store that keeps what it is given: every one but `Null`.
///
/// A session can be changed only in such a store. A generic handler that only reads
/// says `S: Store`; one that changes the session, also through `&mut`, says
/// `S: Writable`.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "json")] {
/// use cloakroom::{Json, Session, Store, Unsigned, Writable};
///
/// async fn read<S: Store>(session: Session<S, Json<u32>, Unsigned>) -> String {
///     session.to_string()
/// }
///
/// async fn count<S: Writable>(mut session: Session<S, Json<u32>, Unsigned>) {
///     *session += 1;
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a session in `{Self}` cannot be changed",
    label = "`{Self}` is not `Writable`",
    note = "a generic function that changes sessions says `where S: Writable` instead of `S: Store`",
    note = "`Null` keeps nothing: choose a store that keeps sessions, for example `Memory`",
    note = "a store of your own says that it keeps sessions with `impl Writable for YourStore {{}}`"
)]
pub trait Writable: Store {}

/// A store in which the program has to remove expired records.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not need sweeping",
    label = "this store removes expired records by itself",
    note = "leave the call out"
)]
pub trait Sweep: Store {
    /// Removes the records whose time is over, and says how many they were.
    fn sweep(&self) -> impl Future<Output = Result<u64, Self::Error>> + Send;
}

/// What a [`Store::load`] of store `S` found.
pub type Loaded<S> = Option<Record<<S as Store>::Value, <S as Store>::Revision>>;

/// A record as [`Store::load`] found it.
///
/// # Example
///
/// ```
/// use cloakroom::store::Record;
///
/// let record = Record::new(vec![1, 2, 3], 7_u64);
/// assert_eq!(record.value, [1, 2, 3]);
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Record<V, R> {
    /// The bytes.
    pub value: V,
    /// Their version, to be named in an [`update`](Store::update).
    pub revision: R,
    /// Unix time in milliseconds at which the store read the record, if it read the
    /// system's clock.
    pub read_at: Option<u64>,
}

impl<V, R> Record<V, R> {
    /// The bytes of a record, in this version.
    #[must_use]
    pub const fn new(value: V, revision: R) -> Self {
        Self { value, revision, read_at: None }
    }

    /// Unix time in milliseconds at which the store read the record, if it read the
    /// system's clock: the session then does not read the clock again.
    ///
    /// A store with a clock of the caller's gives `None` unless
    /// [`Clock::is_system`](crate::Clock::is_system).
    #[must_use]
    pub fn read_at(self, unix_millis: Option<u64>) -> Self {
        Self { read_at: unix_millis, ..self }
    }
}

impl<V, R> fmt::Debug for Record<V, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Record(..)")
    }
}

/// What became of a [`Store::create`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "nothing was stored when the key was taken"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every result of the contract")]
pub enum Create<R> {
    /// The record is there, in this version.
    Created(R),
    /// A live record has this key; it was left as it is.
    KeyTaken,
}

/// What became of a [`Store::update`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "nothing was stored unless the record was updated"]
#[expect(clippy::exhaustive_enums, reason = "callers must handle every result of the contract")]
pub enum Update<R> {
    /// The record was replaced, and is now in this version.
    Updated(R),
    /// The record is not the version that was seen; it was left as it is.
    Conflict,
    /// There is no such record any more.
    Gone,
}
