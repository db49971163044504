//! A cache in front of Redis that the server itself keeps coherent.

mod options;
mod records;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{Key, Store, Ttl, Writable};
use redis::{Pipeline, PushInfo, PushKind, Value};

pub use self::options::NearCacheOptions;
use self::records::Records;
use crate::command::{bytes, on};
use crate::error::RedisError;
use crate::redis::{Redis, RedisRevision};
use crate::server::{Listener, RedisServer};

/// Keeps records of [`Redis`] in this process. A session that is read again needs no round
/// trip.
///
/// The server remembers which records this process has read, and reports at once when one
/// changes or ends (client-side caching, `CLIENT TRACKING` in RESP3). The cache writes
/// through, by compare-and-swap. So no update is overwritten unseen, and a session that has
/// ended is never written again.
///
/// # How old a read may be
///
/// A process sees its own changes at once. It sees a change or a logout of another process
/// when the server's message has arrived: usually within a millisecond. When the connection
/// breaks, the cache drops its records, and reads go to the server. A connection may also go
/// silent without breaking. The cache trusts it for
/// [`max_silence`](NearCacheOptions::max_silence), one second by default. That is the longest
/// time for which a request may still be served after a logout elsewhere. Where it is too
/// long, use [`Redis`] itself.
///
/// # What it is for
///
/// For requests that only read. With
/// [`Renewal::EveryRequest`](cloakroom::Renewal::EveryRequest) every request postpones the
/// expiry at the server, and the cache saves nothing. It works with one server, Redis 6.2 or
/// newer, or Valkey: not with a cluster, nor through a proxy that does not speak RESP3.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_redis::RedisError> {
/// use cloakroom_redis::{NearCache, Redis};
///
/// let store = NearCache::new(Redis::connect("redis://127.0.0.1").await?).await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share the records and the connection.
#[derive(Clone)]
pub struct NearCache<S = Redis> {
    store: S,
    records: Arc<Records>,
}

impl NearCache {
    /// Puts a cache with the default options in front of a server. The cache makes a
    /// connection of its own.
    ///
    /// # Errors
    ///
    /// When the server is not there, or cannot report changes: before Redis 6, or where an
    /// access rule forbids `CLIENT TRACKING`.
    pub async fn new(redis: Redis) -> Result<Self, RedisError> {
        Self::options().in_front_of(redis).await
    }

    /// How much the cache keeps, and how long it trusts a silent connection.
    pub fn options() -> NearCacheOptions {
        NearCacheOptions::default()
    }

    async fn open(redis: Redis, options: NearCacheOptions) -> Result<Self, RedisError> {
        let records = Arc::new(Records::new(options.capacity, options.max_silence));
        let server = redis.connection.with_listener(records.clone()).map_err(RedisError::of)?;
        server.open().await.map_err(RedisError::of)?;
        Ok(Self { store: Redis::new(server), records })
    }

    async fn load_from_server(
        &self,
        key: &Key,
        asked_at: Instant,
    ) -> Result<Loaded<Self>, RedisError> {
        let question = self.records.ask(key);
        let answer = self.ask(key).await?;
        self.records.heard(asked_at);
        let Some((value, left)) = answer else { return Ok(None) };
        question.keep(value.clone(), left.and_then(|left| asked_at.checked_add(left)));
        Ok(Some(record(value)))
    }

    /// The value, and how long it has left: `None` for ever.
    async fn ask(&self, key: &Key) -> Result<Option<(Bytes, Option<Duration>)>, RedisError> {
        let mut commands = Pipeline::with_capacity(2);
        commands.add_command(on(key, "GET", 0)).add_command(on(key, "PTTL", 0));
        let replies = self.store.connection.send_all(&commands, 0, 2).await;
        let replies: Result<[Value; 2], _> = replies.map_err(RedisError::of)?.try_into();
        let Ok([value, left]) = replies else { return Err(RedisError::UNEXPECTED) };
        let left = left.extract_error().map_err(RedisError::of)?;
        let Some(value) = bytes(value.extract_error())? else { return Ok(None) };
        let left = match left {
            Value::Int(-1) => None,
            // It expired between the two commands.
            Value::Int(-2) => Some(0),
            Value::Int(left) => Some(u64::try_from(left).map_err(|_| RedisError::UNEXPECTED)?),
            _ => return Err(RedisError::UNEXPECTED),
        };
        Ok(Some((value, left.map(Duration::from_millis))))
    }
}

impl<S> fmt::Debug for NearCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NearCache").finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Writable for NearCache<Redis<RedisServer>> {}

#[diagnostic::do_not_recommend]
impl Store for NearCache<Redis<RedisServer>> {
    type Error = RedisError;
    type Value = Bytes;
    type Revision = RedisRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, RedisError> {
        if extend.is_some() {
            return self.store.load(key, extend).await;
        }
        let asked_at = Instant::now();
        if let Some(value) = self.records.get(key, asked_at) {
            return Ok(Some(record(value)));
        }
        // In a box: otherwise its future enlarges that of a read from the cache.
        Box::pin(self.load_from_server(key, asked_at)).await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<RedisRevision>, RedisError> {
        let _changing = self.records.change(key);
        self.store.create(key, value, ttl).await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &RedisRevision,
    ) -> Result<Update<RedisRevision>, RedisError> {
        let _changing = self.records.change(key);
        self.store.update(key, value, ttl, seen).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Bytes>, RedisError> {
        let _changing = self.records.change(key);
        self.store.remove(key).await
    }
}

fn record(value: Bytes) -> Record<Bytes, RedisRevision> {
    Record::new(value.clone(), RedisRevision(value))
}

impl Listener for Records {
    fn hear(&self, push: &PushInfo) {
        if push.kind != PushKind::Invalidate {
            return;
        }
        match push.data.first() {
            Some(Value::Array(keys)) => {
                for key in keys {
                    match key {
                        Value::BulkString(key) => self.forget(key),
                        _ => self.forget_all(),
                    }
                }
            }
            // The database was emptied, or the message is not known.
            _ => self.forget_all(),
        }
    }

    fn start_over(&self) {
        self.forget_all();
    }
}
