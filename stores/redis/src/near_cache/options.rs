//! Settings of a [`NearCache`]: [`NearCacheOptions`].

use std::time::Duration;

use super::NearCache;
use crate::error::RedisError;
use crate::redis::Redis;

/// How much a [`NearCache`] keeps, and how long it trusts a silent connection.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_redis::RedisError> {
/// use std::time::Duration;
///
/// use cloakroom_redis::{NearCache, Redis};
///
/// let redis = Redis::connect("redis://127.0.0.1").await?;
/// let store = NearCache::options()
///     .capacity(16 * 1024 * 1024)
///     .max_silence(Duration::from_millis(200))
///     .in_front_of(redis)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "options do nothing until they stand in front of a server"]
pub struct NearCacheOptions {
    pub(super) capacity: usize,
    pub(super) max_silence: Duration,
}

impl NearCacheOptions {
    /// How many bytes the records may take, with their keys and about 200 bytes for each.
    /// Above it, the cache drops records that are seldom read.
    ///
    /// # Default
    ///
    /// 64 MiB.
    pub fn capacity(mut self, bytes: usize) -> Self {
        self.capacity = bytes;
        self
    }

    /// How long the cache answers reads after the last reply of the server. After that,
    /// reads go to the server, until one has its reply. From then on the cache answers
    /// again.
    ///
    /// It bounds how old a read may be when a network goes silent without closing the
    /// connection. With zero, every read asks the server.
    ///
    /// # Default
    ///
    /// One second.
    pub fn max_silence(mut self, time: Duration) -> Self {
        self.max_silence = time;
        self
    }

    /// Puts the cache in front of a server, as [`NearCache::new`] does.
    ///
    /// # Errors
    ///
    /// When the server is not there, or cannot report changes.
    pub async fn in_front_of(self, redis: Redis) -> Result<NearCache, RedisError> {
        NearCache::open(redis, self).await
    }
}

impl Default for NearCacheOptions {
    fn default() -> Self {
        Self { capacity: 64 * 1024 * 1024, max_silence: Duration::from_secs(1) }
    }
}
