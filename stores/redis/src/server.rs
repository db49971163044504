//! The connection to one server: [`RedisServer`].

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, Pipeline, PushInfo, PushKind,
    RedisError, RedisFuture, RedisResult, ServerErrorKind, Value, cmd,
};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};

use crate::command::timed_out;
use crate::heard::{Heard, answers};
use crate::options::{Protocol, RedisOptions};
use crate::sentinels::Sentinels;

/// The connection to one server that [`Redis::connect`](crate::Redis::connect)
/// makes. All operations share it. After a break, or after a reply that did not arrive in
/// time, the next operation makes a new one.
///
/// An operation that gets no connection fails, and the next one tries again. No operation
/// waits for a server that is down.
#[derive(Clone)]
pub struct RedisServer {
    shared: Arc<Shared>,
}

/// Receives the messages of a server about keys that were read from it.
pub(crate) trait Listener: Send + Sync {
    /// Called in the order of the server's replies and messages.
    fn hear(&self, push: &PushInfo);

    /// From now on there is another connection, or none. Messages may have been lost.
    fn start_over(&self);
}

/// Where the server is.
enum Whereabouts {
    Known(Client),
    /// Sentinels say it at each new connection.
    Watched(Sentinels),
}

struct Shared {
    whereabouts: Arc<Whereabouts>,
    config: AsyncConnectionConfig,
    options: RedisOptions,
    database: i64,
    link: Mutex<Arc<Link>>,
    listener: Option<Arc<dyn Listener>>,
}

/// One connection, from before it is made until the store drops it.
#[derive(Default)]
struct Link {
    connection: OnceCell<MultiplexedConnection>,
    is_broken: Arc<AtomicBool>,
    heard: Heard,
}

impl RedisServer {
    /// A server to which the first operation connects.
    pub(crate) fn lazy(info: ConnectionInfo, options: RedisOptions) -> RedisResult<Self> {
        let database = info.redis_settings().db();
        let whereabouts = Whereabouts::Known(Client::open(info)?);
        Ok(Self::with(whereabouts, options, database))
    }

    /// The master that sentinels name.
    pub(crate) fn watched(sentinels: Sentinels, options: RedisOptions) -> Self {
        let database = sentinels.server().redis_settings().db();
        Self::with(Whereabouts::Watched(sentinels), options, database)
    }

    fn with(whereabouts: Whereabouts, options: RedisOptions, database: i64) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connection_timeout))
            .set_response_timeout(Some(options.response_timeout));
        let shared = Shared {
            whereabouts: Arc::new(whereabouts),
            config,
            options,
            database,
            link: Mutex::default(),
            listener: None,
        };
        Self { shared: Arc::new(shared) }
    }

    /// The same server on another connection, on which the server reports changes of what
    /// was read.
    ///
    /// # Errors
    ///
    /// When the options say RESP2, in which it reports nothing.
    pub(crate) fn with_listener(&self, listener: Arc<dyn Listener>) -> RedisResult<Self> {
        if let Protocol::Resp2 = self.shared.options.protocol {
            return Err((ErrorKind::RESP3NotSupported, "changes are reported in RESP3").into());
        }
        let shared = Shared {
            whereabouts: self.shared.whereabouts.clone(),
            config: self.shared.config.clone(),
            options: self.shared.options.clone(),
            database: self.shared.database,
            link: Mutex::default(),
            listener: Some(listener),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Connects, unless there is a connection.
    pub(crate) async fn open(&self) -> RedisResult<()> {
        self.shared.connection().await.map(drop)
    }

    pub(crate) async fn send(&self, command: &Cmd) -> RedisResult<Value> {
        let (link, mut connection) = self.shared.connection().await?;
        let reply = connection.send_packed_command(command).await.and_then(Value::extract_error);
        link.check(&reply);
        reply
    }

    pub(crate) async fn send_all(
        &self,
        commands: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let (link, mut connection) = self.shared.connection().await?;
        let replies = connection.send_packed_commands(commands, offset, count).await;
        link.check_all(&replies);
        replies
    }
}

impl Shared {
    /// The current link, or a new one after a break.
    fn link(&self) -> Arc<Link> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if link.is_broken.load(Ordering::Relaxed) {
            *link = Arc::default();
            // Under the lock: otherwise an operation keeps an answer of the old connection.
            if let Some(listener) = &self.listener {
                listener.start_over();
            }
        }
        link.clone()
    }

    /// A connection that is there.
    async fn connection(&self) -> RedisResult<(Arc<Link>, MultiplexedConnection)> {
        let link = self.link();
        match link.connection.get() {
            Some(connection) if !link.heard.is_longer_ago_than(self.options.trusted_silence) => {
                let connection = connection.clone();
                Ok((link, connection))
            }
            // In a box, so that it does not enlarge every operation.
            _ => Box::pin(self.ask_or_connect(link)).await,
        }
    }

    /// Asks a connection that was silent, and makes one where there is none. An operation
    /// gives up after the connection timeout, however many attempts have failed.
    async fn ask_or_connect(
        &self,
        mut link: Arc<Link>,
    ) -> RedisResult<(Arc<Link>, MultiplexedConnection)> {
        let end = Instant::now() + self.options.connection_timeout;
        if let Some(connection) = link.connection.get() {
            let connection = connection.clone();
            if answers(connection.clone(), self.options.answer_timeout()).await {
                link.heard.now();
                return Ok((link, connection));
            }
            link.is_broken.store(true, Ordering::Relaxed);
            link = self.link();
        }
        // One of the operations that wait for a connection makes it.
        let connecting = link.connection.get_or_try_init(|| self.connect(&link.is_broken));
        let connection = match timeout_at(end, connecting).await {
            Ok(connection) => connection.cloned(),
            Err(_) => Err(timed_out()),
        };
        link.check(&connection);
        connection.map(|connection| (link, connection))
    }

    async fn connect(&self, is_broken: &Arc<AtomicBool>) -> RedisResult<MultiplexedConnection> {
        let config = match self.options.protocol {
            Protocol::Resp2 => self.config.clone(),
            Protocol::Resp3 => self.hearing(is_broken.clone()),
        };
        let client = match &*self.whereabouts {
            Whereabouts::Known(client) => client.clone(),
            Whereabouts::Watched(sentinels) => sentinels.master(&self.config).await?,
        };
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        if let Whereabouts::Watched(_) = &*self.whereabouts {
            check_role(&mut connection).await?;
        }
        if self.listener.is_some() {
            let track = cmd("CLIENT").arg("TRACKING").arg("ON").take();
            connection.send_packed_command(&track).await?.extract_error()?;
        }
        Ok(connection)
    }

    /// The settings of a connection on which the server reports changes, and the client
    /// the end.
    fn hearing(&self, is_broken: Arc<AtomicBool>) -> AsyncConnectionConfig {
        let listener = self.listener.clone();
        self.config.clone().set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                is_broken.store(true, Ordering::Relaxed);
            }
            match &listener {
                Some(listener) if push.kind == PushKind::Disconnection => listener.start_over(),
                Some(listener) => listener.hear(&push),
                None => {}
            }
            Ok::<(), RedisError>(())
        })
    }
}

impl Link {
    fn check<T>(&self, answer: &RedisResult<T>) {
        match answer {
            Err(fault) if breaks_connection(fault) => {
                self.is_broken.store(true, Ordering::Relaxed);
            }
            _ => self.heard.now(),
        }
    }

    /// Each reply may be an error of its own.
    fn check_all(&self, answer: &RedisResult<Vec<Value>>) {
        self.check(answer);
        for reply in answer.iter().flatten() {
            if let Value::ServerError(error) = reply {
                self.check(&Err::<(), RedisError>(error.clone().into()));
            }
        }
    }
}

/// Refuses a server that is a replica: a sentinel may not have heard of a failover yet. A
/// server that forbids the question counts as a master.
async fn check_role(connection: &mut MultiplexedConnection) -> RedisResult<()> {
    let reply = connection.send_packed_command(&cmd("ROLE")).await?;
    match reply {
        Value::Array(role) if !matches!(&role[..], [Value::BulkString(role), ..] if role == b"master") => {
            Err((ErrorKind::Server(ServerErrorKind::ReadOnly), "not the master").into())
        }
        _ => Ok(()),
    }
}

/// Whether the next operation needs a new connection. A timeout may mean that a connection
/// is dead; `READONLY` means that the server is no longer the master; after a protocol
/// error, such as a value that is too long, it closes the connection.
fn breaks_connection(fault: &RedisError) -> bool {
    const CLOSES: &str = "Protocol error";
    fault.is_io_error()
        || fault.is_unrecoverable_error()
        || fault.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
        || (fault.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
            && fault.detail().is_some_and(|detail| detail.starts_with(CLOSES)))
}

impl ConnectionLike for RedisServer {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.send(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(self.send_all(pipeline, offset, count))
    }

    fn get_db(&self) -> i64 {
        self.shared.database
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer").finish_non_exhaustive()
    }
}
