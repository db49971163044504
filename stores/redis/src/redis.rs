//! The store: [`Redis`].

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{Key, Store, Ttl, Writable};
use redis::aio::ConnectionLike;
use redis::{Cmd, RedisResult, Value};

use crate::cluster::RedisCluster;
use crate::command::{bytes, on};
use crate::error::RedisError;
use crate::options::RedisOptions;
use crate::server::RedisServer;

/// The longest value that Redis takes: its setting `proto-max-bulk-len`, unless
/// somebody changed it.
const MAX_VALUE: usize = 512 * 1024 * 1024;

/// Keeps sessions in Redis 6.2 or newer, or in Valkey: on one server, or in a
/// cluster. Inside a tokio runtime only.
///
/// Every operation is one command for one key, and one round trip; only an update
/// that finds another version in its place asks a second question. The server
/// removes what is past its time by itself.
///
/// | operation | command |
/// |---|---|
/// | load | `GET`, or `GETEX` where it postpones the expiry |
/// | create | `SET` with `NX` |
/// | update | `SET` with `IFEQ`; before Redis 8.4 and Valkey 8.1, `EVALSHA` of a script that does the same |
/// | remove | `GETDEL` |
///
/// Values stand in the server as they are given, so that other programs can
/// read them.
///
/// # What is kept
///
/// What the server has acknowledged is as durable as the server is set up to
/// be: with `appendonly yes` and `appendfsync always` it survives a crash of
/// the server. A replica that takes over from a master that failed may miss
/// its last writes, since Redis replicates after it has acknowledged.
///
/// The server must not evict sessions to make room: with a `maxmemory-policy`
/// other than `noeviction`, a full server ends sessions before their time.
///
/// # When the connection fails
///
/// An operation whose reply did not arrive is an error, and may or may not have
/// happened. It is never sent again, so it does not happen twice. The next
/// operation makes a new connection if it has to.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_redis::RedisError> {
/// use cloakroom_redis::Redis;
///
/// let store = Redis::connect("redis://127.0.0.1").await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share the connection.
#[derive(Clone)]
pub struct Redis<C = RedisServer> {
    pub(crate) connection: C,
    /// The server is too old to compare and set in one command.
    pub(crate) swaps_by_script: Arc<AtomicBool>,
}

/// The version of a record in [`Redis`]: its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisRevision(pub(crate) Bytes);

impl Redis {
    /// Connects to the server that a URL names: `redis://127.0.0.1`,
    /// `redis://user:password@host:port/database`, or
    /// `redis+unix:///path/to/socket`.
    ///
    /// For `rediss://`, which is TLS, switch a TLS feature of the crate `redis`
    /// on in your own `Cargo.toml`, for example `tokio-rustls-comp`.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the server is not there.
    pub async fn connect(url: &str) -> Result<Self, RedisError> {
        Self::options().connect(url).await
    }

    /// Connects to the server on Redis's usual port of this machine:
    /// `127.0.0.1:6379`.
    ///
    /// # Errors
    ///
    /// When the server is not there.
    pub async fn local() -> Result<Self, RedisError> {
        Self::connect("redis://127.0.0.1:6379").await
    }

    /// Connects to a cluster of which some nodes are named. All others are
    /// learned from them, so name several: one that answers is enough.
    ///
    /// # Errors
    ///
    /// When a URL cannot be read, and when none of the nodes is there.
    pub async fn connect_cluster<'a>(
        urls: impl IntoIterator<Item = &'a str>,
    ) -> Result<Redis<RedisCluster>, RedisError> {
        Self::options().connect_cluster(urls).await
    }

    /// Timeouts, to be changed before connecting.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }
}

impl<C> Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// Uses a connection of your own: a `redis::aio::ConnectionManager`, a
    /// `redis::cluster_async::ClusterConnection`, or whatever else can be shared
    /// by cloning it.
    ///
    /// Its timeouts are yours to set, and so is what it does when it breaks: a
    /// `MultiplexedConnection` stays broken, and a `ClusterConnection` sends
    /// operations again whose reply got lost, so that an update may find its own
    /// change and report a conflict. A cluster connection must not read from
    /// replicas, which may still have a session that has ended.
    #[must_use]
    pub fn new(connection: C) -> Self {
        Self { connection, swaps_by_script: Arc::default() }
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let connection: &dyn Any = &self.connection;
        // Decided when this is compiled: our own one needs no box around a reply.
        if let Some(server) = connection.downcast_ref::<RedisServer>() {
            return server.send(command).await;
        }
        let reply = self.connection.clone().req_packed_command(command).await;
        reply.and_then(Value::extract_error)
    }
}

impl<C> fmt::Debug for Redis<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

impl fmt::Debug for RedisRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisRevision(..)")
    }
}

#[diagnostic::do_not_recommend]
impl<C> Writable for Redis<C> where C: ConnectionLike + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<C> Store for Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    type Error = RedisError;
    type Value = Bytes;
    type Revision = RedisRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, RedisError> {
        let mut command = on(key, if extend.is_some() { "GETEX" } else { "GET" }, 0);
        if let Some(ttl) = extend {
            command.arg("PX").arg(ttl.as_millis());
        }
        let value = bytes(self.send(&command).await)?;
        Ok(value.map(|value| Record::new(value.clone(), RedisRevision(value))))
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<RedisRevision>, RedisError> {
        check_length(value)?;
        let mut command = on(key, "SET", value.len());
        command.arg(value).arg("NX").arg("PX").arg(ttl.as_millis());
        match self.send(&command).await {
            Ok(Value::Okay) => Ok(Create::Created(RedisRevision::of(value))),
            Ok(Value::Nil) => Ok(Create::KeyTaken),
            reply => Err(RedisError::of_reply(reply)),
        }
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &RedisRevision,
    ) -> Result<Update<RedisRevision>, RedisError> {
        check_length(value)?;
        self.compare_and_swap(key, value, ttl, seen).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Bytes>, RedisError> {
        bytes(self.send(&on(key, "GETDEL", 0)).await)
    }
}

impl RedisRevision {
    pub(crate) fn of(value: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(value))
    }
}

/// A value that is too long would make the server close the connection, on
/// which others wait for their replies.
fn check_length(value: &[u8]) -> Result<(), RedisError> {
    if value.len() > MAX_VALUE { Err(RedisError::TOO_LARGE) } else { Ok(()) }
}
