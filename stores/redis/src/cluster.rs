//! The connection to a cluster: [`RedisCluster`].

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::{
    Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, RedisError,
    RedisFuture, RedisResult, RetryMethod, Value,
};
use tokio::time::{sleep, timeout};

use crate::command::timed_out;
use crate::options::{RedisOptions, tcp_settings};
use crate::server::RedisServer;

/// The pause before the store sends an operation again that a node has refused. It doubles
/// each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The connection to a cluster that
/// [`Redis::connect_cluster`](crate::Redis::connect_cluster) makes.
///
/// An operation goes to the master of its slot. It follows a slot that moves to another
/// node, and waits for a new master until its timeouts are over. The store sends it again
/// only after a node has refused it.
#[derive(Clone)]
pub struct RedisCluster {
    shared: Arc<Shared>,
}

struct Shared {
    client: ClusterClient,
    connection: Mutex<ClusterConnection>,
    is_renewing: AtomicBool,
    /// Connections to nodes that take over a slot: the cluster may not list them yet.
    newcomers: Mutex<HashMap<String, RedisServer>>,
    sample: ConnectionInfo,
    options: RedisOptions,
}

impl RedisCluster {
    pub(crate) async fn connect(
        nodes: Vec<ConnectionInfo>,
        options: RedisOptions,
    ) -> RedisResult<Self> {
        let Some(sample) = nodes.first().cloned() else {
            return Err((ErrorKind::InvalidClientConfig, "no node is named").into());
        };
        let client = ClusterClientBuilder::new(nodes)
            // The client would also repeat an operation that a node may have executed.
            .retries(0)
            .response_timeout(options.response_timeout)
            .connection_timeout(options.connection_timeout)
            .tcp_settings(tcp_settings())
            .build()?;
        let connection = client.get_async_connection().await?;
        let shared = Shared {
            client,
            connection: Mutex::new(connection),
            is_renewing: AtomicBool::new(false),
            newcomers: Mutex::default(),
            sample,
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        let options = self.shared.options;
        let limit = options.connection_timeout + options.response_timeout;
        let done = match timeout(limit, self.run_until_done(command)).await {
            Ok(done) => done,
            Err(_) => Err(timed_out()),
        };
        if done.as_ref().is_err_and(RedisError::is_timeout) {
            self.renew();
        }
        done
    }

    /// Sends commands for one key in one round trip. Those that a node refuses then go their
    /// own ways. The client may report one refusal for all, so each must be one that may happen
    /// twice.
    pub(crate) async fn run_all(
        &self,
        commands: &Pipeline,
    ) -> RedisResult<Vec<RedisResult<Value>>> {
        let mut connection = lock(&self.shared.connection).clone();
        let options = self.shared.options;
        let limit = options.connection_timeout + options.response_timeout;
        let sent = connection.req_packed_commands(commands, 0, commands.len());
        let replies = match timeout(limit, sent).await {
            Ok(replies) => replies,
            Err(_) => Err(timed_out()),
        };
        let mut replies: Vec<_> = match replies {
            Ok(replies) => replies.into_iter().map(Value::extract_error).collect(),
            Err(refusal) if is_sent_again(&refusal) => vec![Err(refusal); commands.len()],
            Err(fault) => {
                if fault.is_timeout() {
                    self.renew();
                }
                return Err(fault);
            }
        };
        for (command, reply) in commands.cmd_iter().zip(&mut replies) {
            if reply.as_ref().is_err_and(is_sent_again) {
                *reply = self.run(command).await;
            }
        }
        Ok(replies)
    }

    async fn run_until_done(&self, command: &Cmd) -> RedisResult<Value> {
        let mut pause = FIRST_PAUSE;
        loop {
            let mut connection = lock(&self.shared.connection).clone();
            let reply = connection.req_packed_command(command).await;
            let mut reply = reply.and_then(Value::extract_error);
            if let Err(refusal) = &reply
                && matches!(refusal.retry_method(), RetryMethod::AskRedirect)
            {
                reply = self.ask(refusal, command).await;
            }
            let refusal = match reply {
                Ok(reply) => return Ok(reply),
                Err(refusal) => refusal,
            };
            if !is_sent_again(&refusal) {
                return Err(refusal);
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    /// Sends a command to the node that has its key already, but not yet its slot.
    async fn ask(&self, refusal: &RedisError, command: &Cmd) -> RedisResult<Value> {
        let Some((address, _)) = refusal.redirect_node() else { return Err(refusal.clone()) };
        let mut both = redis::pipe();
        both.cmd("ASKING").add_command(command.clone());
        let mut replies = self.newcomer(address)?.send_all(&both, 0, 2).await?;
        // The first reply is that of `ASKING`.
        let reply = replies.pop().ok_or((ErrorKind::UnexpectedReturnType, "no reply"))?;
        reply.extract_error()
    }

    fn newcomer(&self, address: &str) -> RedisResult<RedisServer> {
        let mut newcomers = lock(&self.shared.newcomers);
        if let Some(known) = newcomers.get(address) {
            return Ok(known.clone());
        }
        let info = address_of(address, &self.shared.sample)?;
        let newcomer = RedisServer::lazy(info, self.shared.options)?;
        newcomers.insert(address.to_owned(), newcomer.clone());
        Ok(newcomer)
    }

    /// Learns the nodes of the cluster again, from those that the caller named: the client
    /// keeps asking a silent node, though another may have taken over. The old connections
    /// serve until there are new ones.
    fn renew(&self) {
        if self.shared.is_renewing.swap(true, Ordering::Relaxed) {
            return;
        }
        let shared = self.shared.clone();
        tokio::spawn(async move {
            if let Ok(connection) = shared.client.get_async_connection().await {
                *lock(&shared.connection) = connection;
                lock(&shared.newcomers).clear();
            }
            shared.is_renewing.store(false, Ordering::Relaxed);
        });
    }
}

/// Whether no node has executed the operation. A newcomer redirects, too, once the slot has
/// moved on.
fn is_sent_again(refusal: &RedisError) -> bool {
    matches!(
        refusal.retry_method(),
        RetryMethod::AskRedirect
            | RetryMethod::MovedRedirect
            | RetryMethod::RefreshSlotsAndRetry
            | RetryMethod::WaitAndRetry
            | RetryMethod::ReconnectFromInitialConnections
    )
}

/// The node at `address`, with the settings of `sample`.
fn address_of(address: &str, sample: &ConnectionInfo) -> RedisResult<ConnectionInfo> {
    let named = format!("redis://{address}").into_connection_info()?;
    let ConnectionAddr::Tcp(named_host, named_port) = named.addr() else { return Ok(named) };
    let mut addr = sample.addr().clone();
    match &mut addr {
        ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
            host.clone_from(named_host);
            *port = *named_port;
        }
        _ => return Ok(named),
    }
    Ok(sample.clone().set_addr(addr))
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ConnectionLike for RedisCluster {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(self.run(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let mut connection = lock(&self.shared.connection).clone();
        Box::pin(async move { connection.req_packed_commands(pipeline, offset, count).await })
    }

    fn get_db(&self) -> i64 {
        lock(&self.shared.connection).get_db()
    }
}

impl fmt::Debug for RedisCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCluster").finish_non_exhaustive()
    }
}
