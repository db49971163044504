//! The store: [`Memcached`].

use std::fmt;
use std::sync::Arc;

use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{Key, Store, Ttl, Writable};

use crate::error::MemcachedError;
use crate::expiry::Expiry;
use crate::options::MemcachedOptions;
use crate::pool::{Pool, Taken};
use crate::reply::Swapped;
use crate::server::{MemcachedDial, MemcachedServer};

// Memcached refuses longer keys, white space and control characters. A `Key` is
// visible ASCII.
const _: () = assert!(Key::MAX <= 250);

/// Keeps sessions in Memcached 1.6 or newer. Inside a tokio runtime only.
///
/// Every operation is one command for one key, and one round trip, but for `remove` and a
/// `load` that extends. The server removes expired records.
///
/// | operation | command |
/// |---|---|
/// | load | `mg`; where it extends, another `mg` with `T` if the record has less time left |
/// | create | `add` |
/// | update | `cas`; after an `mg` where the same request wrote the version that was seen |
/// | remove | `mg`, and an `md` of the version that it saw; both again after a conflict |
///
/// The server holds values as they are given, with flags 0. Other programs can read
/// them.
///
/// # What is kept
///
/// Nothing beyond the server's memory: a restart ends all sessions. A server whose
/// memory is full evicts the least recently used records, and ends sessions before
/// their time. Started with `-M`, it refuses new values instead. A record whose change
/// it refused stays as it was.
///
/// # Who can read it
///
/// Memcached asks for no password and encrypts nothing, unless it was set up to. A
/// program that reaches its port can read and change all sessions. Keep the server on a
/// network of its own, or use [`new`](Self::new).
///
/// # Times
///
/// Memcached counts whole seconds. A record lives for its time at least, and for
/// up to three seconds more. The store sends a time to live of 30 days or more as a
/// date. A server whose clock is ahead or behind ends such a record by that much too
/// early or too late. Until January 19, 2038, no such date is later than that day: a
/// server that counts in 32 bits would take it for the past.
///
/// A `load` that extends by less than the record has left changes nothing. Memcached has no
/// command that only lengthens, so the store reads first. Where two programs extend one record
/// at the same moment, the shorter time may count for an instant; the server says so, and the
/// store puts the longer one back. The shorter one stays only if that operation is dropped, or
/// its connection breaks, in this very instant.
///
/// # When the connection fails
///
/// An operation whose reply did not arrive is an error, and may or may not have
/// happened. The store never sends it again, so it does not happen twice. The next
/// operation makes a new connection where it needs one.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_memcached::MemcachedError> {
/// use cloakroom_memcached::Memcached;
///
/// let store = Memcached::connect("memcached://127.0.0.1").await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share the connections.
pub struct Memcached<D: MemcachedDial = MemcachedServer> {
    pool: Arc<Pool<D>>,
    pub(crate) max_value_bytes: usize,
}

/// The version of a record in [`Memcached`]. A loaded record has its CAS token. A written
/// record has its bytes, because Memcached does not say which token they got.
#[derive(Clone, PartialEq, Eq)]
pub struct MemcachedRevision(Seen);

#[derive(Clone, PartialEq, Eq)]
enum Seen {
    Token(u64),
    Bytes(Box<[u8]>),
}

impl Memcached {
    /// Connects to the server that a URL names: `memcached://127.0.0.1`, or
    /// `memcached://host:port`. `memcache://` means the same.
    ///
    /// The connection is neither encrypted nor authenticated. For a server that requires
    /// either, use [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when the server is not there, and when it is
    /// older than version 1.6.
    pub async fn connect(url: &str) -> Result<Self, MemcachedError> {
        Self::options().connect(url).await
    }

    /// Connects to the server on Memcached's usual port of this machine:
    /// `127.0.0.1:11211`.
    ///
    /// # Errors
    ///
    /// When the server is not there, and when it is older than version 1.6.
    pub async fn local() -> Result<Self, MemcachedError> {
        Self::connect("memcached://127.0.0.1:11211").await
    }

    /// Timeouts, the number of connections and the longest value, to change before
    /// connecting.
    pub fn options() -> MemcachedOptions {
        MemcachedOptions::default()
    }
}

impl<D: MemcachedDial> Memcached<D> {
    /// Uses connections that the application makes: through TLS, to a Unix socket, or
    /// authenticated. [`MemcachedDial`] has an example.
    #[must_use]
    pub fn new(dial: D) -> Self {
        Memcached::options().dial(dial)
    }

    pub(crate) fn with(dial: D, options: &MemcachedOptions, max_value_bytes: usize) -> Self {
        Self { pool: Arc::new(Pool::new(dial, options)), max_value_bytes }
    }

    /// The largest item that the server takes, if it says so. Fails where the store cannot
    /// use the server.
    pub(crate) async fn ask_for_limit(&self) -> Result<Option<usize>, MemcachedError> {
        let mut connection = self.pool.take().await?;
        let greeted = self.pool.in_time(connection.greet()).await;
        connection.put_back(greeted)?;

        let mut connection = self.pool.take().await?;
        let settings = self.pool.in_time(connection.settings()).await;
        let settings = match connection.put_back(settings) {
            // Some services do not show their settings.
            Err(fault) if fault.is_refusal() => return Ok(None),
            settings => settings?,
        };
        if settings.evicts {
            tracing::warn!(
                "Memcached evicts records when its memory is full, which ends live sessions: give it memory for all of them (`-m`), or start it with `-M`, so that writes fail instead"
            );
        }
        Ok(settings.item_size_max)
    }

    fn check_length(&self, value: &[u8]) -> Result<(), MemcachedError> {
        if value.len() > self.max_value_bytes { Err(MemcachedError::TOO_LARGE) } else { Ok(()) }
    }
}

#[diagnostic::do_not_recommend]
impl<D: MemcachedDial> Writable for Memcached<D> {}

#[diagnostic::do_not_recommend]
impl<D: MemcachedDial> Store for Memcached<D> {
    type Error = MemcachedError;
    type Value = Vec<u8>;
    type Revision = MemcachedRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, MemcachedError> {
        let mut connection = self.pool.take().await?;
        let found = match extend {
            None => self.pool.in_time(connection.load(key)).await,
            // In a box: otherwise its future enlarges that of every read.
            Some(ttl) => Box::pin(self.pool.in_time(connection.load_and_extend(key, ttl))).await,
        };
        let found = connection.put_back(found)?;
        Ok(found.map(|Record { value, revision, .. }| {
            Record::new(value, MemcachedRevision(Seen::Token(revision)))
        }))
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<MemcachedRevision>, MemcachedError> {
        self.check_length(value)?;
        let mut connection = self.pool.take().await?;
        let added = self.pool.in_time(connection.add(key, value, Expiry::of(ttl))).await;
        match connection.put_back(added)? {
            true => Ok(Create::Created(MemcachedRevision::of(value))),
            false => Ok(Create::KeyTaken),
        }
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &MemcachedRevision,
    ) -> Result<Update<MemcachedRevision>, MemcachedError> {
        self.check_length(value)?;
        let mut connection = self.pool.take().await?;
        let swapped = self.pool.in_time(swap(&mut connection, key, value, ttl, &seen.0)).await;
        match connection.put_back(swapped)? {
            Swapped::Done => Ok(Update::Updated(MemcachedRevision::of(value))),
            Swapped::Conflict => Ok(Update::Conflict),
            Swapped::Gone => Ok(Update::Gone),
        }
    }

    async fn remove(&self, key: &Key) -> Result<Option<Vec<u8>>, MemcachedError> {
        let mut connection = self.pool.take().await?;
        let removed = self.pool.in_time(take(&mut connection, key)).await;
        connection.put_back(removed)
    }
}

/// Writes if the record is still the version that was seen.
async fn swap<D: MemcachedDial>(
    connection: &mut Taken<'_, D>,
    key: &Key,
    value: &[u8],
    ttl: Ttl,
    seen: &Seen,
) -> Result<Swapped, MemcachedError> {
    let token = match seen {
        Seen::Token(token) => *token,
        Seen::Bytes(bytes) => match connection.load(key).await? {
            None => return Ok(Swapped::Gone),
            Some(record) if *record.value != **bytes => return Ok(Swapped::Conflict),
            Some(record) => record.revision,
        },
    };
    connection.swap(key, value, Expiry::of(ttl), token).await
}

/// Deletes exactly the version that it returns, however often others write meanwhile.
async fn take<D: MemcachedDial>(
    connection: &mut Taken<'_, D>,
    key: &Key,
) -> Result<Option<Vec<u8>>, MemcachedError> {
    while let Some(record) = connection.load(key).await? {
        match connection.delete(key, record.revision).await? {
            Swapped::Done => return Ok(Some(record.value)),
            Swapped::Conflict => {}
            Swapped::Gone => break,
        }
    }
    Ok(None)
}

impl MemcachedRevision {
    fn of(value: &[u8]) -> Self {
        Self(Seen::Bytes(value.into()))
    }
}

impl<D: MemcachedDial> Clone for Memcached<D> {
    fn clone(&self) -> Self {
        Self { pool: self.pool.clone(), max_value_bytes: self.max_value_bytes }
    }
}

impl<D: MemcachedDial> fmt::Debug for Memcached<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memcached").finish_non_exhaustive()
    }
}

impl fmt::Debug for MemcachedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemcachedRevision(..)")
    }
}
