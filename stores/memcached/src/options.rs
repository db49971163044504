//! What can be chosen before connecting: [`MemcachedOptions`].

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::error::MemcachedError;
use crate::memcached::Memcached;
use crate::server::{MemcachedDial, MemcachedServer};

/// The largest item that a server takes, unless its setting `-I` was changed.
const USUAL_LIMIT: usize = 1 << 20;

/// How long [`Memcached`] waits for its server, over how many connections, and
/// then connects.
///
/// An operation ends at the latest after both times together.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_memcached::MemcachedError> {
/// use std::time::Duration;
///
/// use cloakroom_memcached::Memcached;
///
/// let store = Memcached::options()
///     .response_timeout(Duration::from_millis(200))
///     .connect("memcached://127.0.0.1")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "options do nothing until they connect"]
pub struct MemcachedOptions {
    pub(crate) response_timeout: Duration,
    pub(crate) connection_timeout: Duration,
    pub(crate) pool_size: NonZeroUsize,
    pub(crate) max_value_bytes: Option<usize>,
}

impl MemcachedOptions {
    /// How long to wait for the replies of an operation. One whose time is over
    /// is an error, and its connection is closed.
    ///
    /// # Default
    ///
    /// One second.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long to wait for a connection: for one that becomes free, or for a
    /// new one.
    ///
    /// # Default
    ///
    /// One second.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// How many connections there are at most. An operation has one for itself
    /// while it lasts; further ones wait for their turn. Connections are made
    /// when they are needed, and an operation closes those that had no use for a
    /// minute.
    ///
    /// # Default
    ///
    /// Sixteen. A server takes 1,024 connections from all its clients together,
    /// unless its setting `-c` was changed.
    pub fn pool_size(mut self, connections: NonZeroUsize) -> Self {
        self.pool_size = connections;
        self
    }

    /// The longest value that is sent to the server at all, in bytes. A longer
    /// one is an error at once. Of one that is not longer the server decides, and
    /// if it refuses it, the record stays as it was.
    ///
    /// # Default
    ///
    /// The server's own limit for an item, its setting `-I`:
    /// [`connect`](Self::connect) asks for it. Where the server does not say, and
    /// with [`dial`](Self::dial), 1 MiB.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = Some(bytes);
        self
    }

    /// Connects to a server, as [`Memcached::connect`].
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when the server is not there, and when it is
    /// older than version 1.6.
    pub async fn connect(self, url: &str) -> Result<Memcached, MemcachedError> {
        let mut store = self.dial(MemcachedServer::of_url(url)?);
        let limit = store.ask_for_limit().await?;
        if let (None, Some(limit)) = (self.max_value_bytes, limit) {
            store.max_value_bytes = limit;
        }
        Ok(store)
    }

    /// Uses connections of your own making, as [`Memcached::new`]. The first
    /// operation makes the first one.
    pub fn dial<D: MemcachedDial>(self, dial: D) -> Memcached<D> {
        Memcached::with(dial, &self, self.max_value_bytes.unwrap_or(USUAL_LIMIT))
    }
}

impl Default for MemcachedOptions {
    fn default() -> Self {
        let timeout = Duration::from_secs(1);
        Self {
            response_timeout: timeout,
            connection_timeout: timeout,
            pool_size: const { NonZeroUsize::new(16).expect("not zero") },
            max_value_bytes: None,
        }
    }
}
