//! Settings of a connection: [`MemcachedOptions`].

use std::num::NonZeroUsize;
use std::time::Duration;

use crate::error::MemcachedError;
use crate::memcached::Memcached;
use crate::server::{MemcachedDial, MemcachedServer};

/// The default of a server's setting `-I`, the largest item.
const USUAL_LIMIT: usize = 1 << 20;

/// Timeouts, connections and the longest value of a [`Memcached`]; connects with them.
///
/// An operation ends after the sum of both timeouts at the latest.
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
    pub(crate) trusted_silence: Duration,
    pub(crate) keepalive: Duration,
    pub(crate) pool_size: NonZeroUsize,
    pub(crate) max_value_bytes: Option<usize>,
}

impl MemcachedOptions {
    /// How long an operation waits for its replies. After that it is an error, and the
    /// store closes its connection.
    ///
    /// # Default
    ///
    /// One second.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long an operation waits for a free connection, for the answer of one that was
    /// silent, or for a new one.
    ///
    /// # Default
    ///
    /// One second.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// How long an idle connection is used without a question.
    ///
    /// Routers and load balancers forget connections on which nothing was sent for some
    /// minutes, and tell neither side. After a longer silence, an operation sends `mn`
    /// first. Without a reply within a quarter of the connection timeout, it makes a new
    /// connection.
    ///
    /// # Default
    ///
    /// One second: a busy application never asks.
    pub fn trusted_silence(mut self, silence: Duration) -> Self {
        self.trusted_silence = silence;
        self
    }

    /// After how much silence the operating system asks whether the server is there (TCP
    /// keepalive), and how long it waits between questions. The application sets it itself
    /// for connections that it makes.
    ///
    /// # Default
    ///
    /// 30 seconds.
    pub fn keepalive(mut self, silence: Duration) -> Self {
        self.keepalive = silence;
        self
    }

    /// The highest number of connections. Each serves one operation at a time; further
    /// operations wait in a queue. The store makes connections when it needs them, and
    /// closes those that were idle for a minute.
    ///
    /// # Default
    ///
    /// At most 16. All clients of a server share its 1,024 connections, the default of its
    /// setting `-c`.
    pub fn pool_size(mut self, connections: NonZeroUsize) -> Self {
        self.pool_size = connections;
        self
    }

    /// The longest value that the store sends, in bytes. A longer one is an error at once.
    /// The server may refuse a shorter one; the record then stays as it was.
    ///
    /// # Default
    ///
    /// The server's setting `-I`, for which [`connect`](Self::connect) asks. 1 MiB with
    /// [`dial`](Self::dial), and where the server does not say.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = Some(bytes);
        self
    }

    /// Connects to a server, as [`Memcached::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when the server is not there, and when it is
    /// older than version 1.6.
    pub async fn connect(self, url: &str) -> Result<Memcached, MemcachedError> {
        let mut store = self.dial(MemcachedServer::of_url(url, self.keepalive)?);
        let limit = store.ask_for_limit().await?;
        if let (None, Some(limit)) = (self.max_value_bytes, limit) {
            store.max_value_bytes = limit;
        }
        Ok(store)
    }

    /// Uses connections that the application makes, as [`Memcached::new`]. The first
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
            trusted_silence: timeout,
            keepalive: Duration::from_secs(30),
            pool_size: const { NonZeroUsize::new(16).expect("not zero") },
            max_value_bytes: None,
        }
    }
}
