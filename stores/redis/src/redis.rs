//! The store: [`Redis`].

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{IdLength, Key, KeyPrefix, SessionId, Store, Ttl, Writable};
use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, Pipeline, RedisResult, Value};

use crate::cluster::RedisCluster;
use crate::command::{bytes, on};
use crate::error::RedisError;
use crate::options::RedisOptions;
use crate::server::RedisServer;

/// The longest value that Redis accepts: the default of its setting `proto-max-bulk-len`.
const MAX_VALUE: usize = 512 * 1024 * 1024;

/// Keeps sessions in Redis 6.2 or newer, or in Valkey: on one server, or in a
/// cluster. Inside a tokio runtime only.
///
/// Every operation is one round trip, with commands for one key. Only an update that
/// finds another version takes a second round trip, to tell why. The server removes
/// expired records.
///
/// | operation | command |
/// |---|---|
/// | load | `GET`; behind a `PEXPIRE` with `GT` where it extends; before Redis 7.0, a script with the same effect by `EVALSHA` |
/// | create | `SET` with `NX` |
/// | update | `SET` with `IFEQ`; before Redis 8.4 and Valkey 8.1, a script with the same effect by `EVALSHA` |
/// | remove | `GETDEL` |
///
/// The store finds out what a server knows from its first refusal, and remembers it for as
/// long as the store and its clones live. Connecting tries the operations on a key that no
/// session has, so a command that the server forbids is an error there.
///
/// # Access rules
///
/// A user who may do nothing else needs these commands:
///
/// ```text
/// ACL SETUSER sessions on >password ~session:* +get +set +getdel +exists +pexpire +ping
/// ```
///
/// - `+evalsha +eval +pttl` before Redis 8.4 and Valkey 8.1. Where scripts are forbidden
///   there, connecting is an error.
/// - `+pttl +client|tracking` for [`NearCache`](crate::NearCache), with `+client` on Redis 6.2.
/// - `+cluster|slots` for a cluster, with `+cluster` on Redis 6.2.
/// - `+info`, if the log should have a warning where the server evicts sessions.
/// - `+role` behind sentinels.
/// - `+select` where the URL names a database.
///
/// Another prefix of the session keys takes the place of `session:`.
///
/// The server holds values as they are given. Other programs can read them.
///
/// # What is kept
///
/// An acknowledged write is as durable as the server is set up to make it: with
/// `appendonly yes` and `appendfsync always` it survives a crash of the server. Redis
/// acknowledges before it replicates. A replica that takes over from a failed master may
/// miss the master's last writes.
///
/// The server must not evict sessions. With a `maxmemory-policy` other than `noeviction`, a
/// full server ends sessions before their time.
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
    pub(crate) by_script: Arc<ByScript>,
}

/// What the server is too old to do without a script.
#[derive(Default)]
pub(crate) struct ByScript {
    /// To compare and set in one command.
    pub(crate) swap: AtomicBool,
    /// To postpone an expiry only where that lengthens it.
    pub(crate) extend: AtomicBool,
}

/// The version of a record in [`Redis`]: its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisRevision(pub(crate) Bytes);

impl Redis {
    /// Connects to the server that a URL names: `redis://127.0.0.1`,
    /// `redis://user:password@host:port/database`, or
    /// `redis+unix:///path/to/socket`.
    ///
    /// `rediss://`, which is TLS, needs the feature `rustls`.
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

    /// Connects to a cluster through some of its nodes, from which the store learns the
    /// others. Name several: one that answers is enough.
    ///
    /// # Errors
    ///
    /// When a URL cannot be read, and when no named node answers.
    pub async fn connect_cluster<'a>(
        urls: impl IntoIterator<Item = &'a str>,
    ) -> Result<Redis<RedisCluster>, RedisError> {
        Self::options().connect_cluster(urls).await
    }

    /// Connects to the master that Redis Sentinel watches under a name. Name several
    /// sentinels: one that answers is enough. After a failover, the next operation asks
    /// them for the new master.
    ///
    /// The user, the password and the database in the URLs are those of the master. Sentinels
    /// that ask for a password need [`RedisOptions::connect_sentinel_as`].
    ///
    /// # Errors
    ///
    /// When a URL cannot be read, when no sentinel answers, and when none knows the name.
    pub async fn connect_sentinel<'a>(
        urls: impl IntoIterator<Item = &'a str>,
        name: &str,
    ) -> Result<Self, RedisError> {
        Self::options().connect_sentinel(urls, name).await
    }

    /// Timeouts, to change before connecting.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }
}

impl<C> Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    /// Uses a connection of the application: a `redis::aio::ConnectionManager`, a
    /// `redis::cluster_async::ClusterConnection`, or any other that clones share.
    ///
    /// The application sets its timeouts, and chooses what it does when it breaks. A
    /// `MultiplexedConnection` stays broken. A `ClusterConnection` sends an operation again
    /// whose reply got lost, so an update may find its own change and report a conflict. A
    /// cluster connection must not read from replicas, which may still have a session that
    /// has ended.
    #[must_use]
    pub fn new(connection: C) -> Self {
        Self { connection, by_script: Arc::default() }
    }

    /// Tries the operations on a key that no session has, so that a command which the server
    /// or an access rule refuses is an error when the application starts.
    pub(crate) async fn check_commands(&self) -> Result<(), RedisError> {
        let Ok(id) = SessionId::generate(IdLength::default()) else { return Ok(()) };
        let key = Key::hashed(&KeyPrefix::default(), "", &id);
        let seen = RedisRevision::of(b"");
        let (loaded, updated, removed) = (
            self.load(&key, Some(Ttl::MIN)).await.map(drop),
            self.update(&key, b"", Ttl::MIN, &seen).await.map(drop),
            self.remove(&key).await.map(drop),
        );
        // Any other fault may be over by the first request.
        let results = [loaded, updated, removed];
        results.into_iter().filter(forbids).collect()
    }

    /// Warns where the server removes live sessions when its memory is full. It need not let
    /// this user know.
    pub(crate) async fn warn_of_eviction(&self) {
        let mut question = Cmd::new();
        question.arg("INFO").arg("memory");
        let info = match self.send(&question).await {
            Ok(Value::BulkString(info)) => info,
            Ok(Value::VerbatimString { text, .. }) => text.into_bytes(),
            _ => return,
        };
        let info = String::from_utf8_lossy(&info);
        let setting =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let has_limit = setting("maxmemory").is_some_and(|bytes| bytes.trim() != "0");
        let keeps = setting("maxmemory_policy").is_none_or(|policy| policy.trim() == "noeviction");
        if has_limit && !keeps {
            tracing::warn!(
                "Redis evicts records when its memory is full, which ends live sessions: set `maxmemory-policy noeviction`, so that writes fail instead"
            );
        }
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let connection: &dyn Any = &self.connection;
        // The compiler decides this. The store's own connection needs no box for a reply.
        if let Some(server) = connection.downcast_ref::<RedisServer>() {
            return server.send(command).await;
        }
        let reply = self.connection.clone().req_packed_command(command).await;
        reply.and_then(Value::extract_error)
    }

    /// Sends two commands for one key in one round trip.
    pub(crate) async fn send_both(&self, both: &Pipeline) -> RedisResult<[RedisResult<Value>; 2]> {
        let connection: &dyn Any = &self.connection;
        let replies = if let Some(cluster) = connection.downcast_ref::<RedisCluster>() {
            cluster.run_all(both).await?
        } else {
            let mut connection = self.connection.clone();
            let replies = connection.req_packed_commands(both, 0, both.len()).await?;
            replies.into_iter().map(Value::extract_error).collect()
        };
        replies.try_into().map_err(|_| (ErrorKind::UnexpectedReturnType, "not two replies").into())
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
        let value = match extend {
            None => bytes(self.send(&on(key, "GET", 0)).await)?,
            // In a box: otherwise its future enlarges that of every read.
            Some(ttl) => Box::pin(self.load_and_extend(key, ttl)).await?,
        };
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

fn forbids(result: &Result<(), RedisError>) -> bool {
    result.as_ref().is_err_and(RedisError::forbids_a_command)
}

/// The server closes the connection on a value that is too long. Other operations wait for
/// their replies there.
fn check_length(value: &[u8]) -> Result<(), RedisError> {
    if value.len() > MAX_VALUE { Err(RedisError::TOO_LARGE) } else { Ok(()) }
}
