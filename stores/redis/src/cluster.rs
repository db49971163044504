//! The connection to a cluster: [`RedisCluster`].

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(feature = "rustls")]
use redis::ConnectionAddr;
use redis::aio::ConnectionLike;
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::{
    Arg, Cmd, ConnectionInfo, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult,
    RetryMethod, Value, cmd,
};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::address::at_text;
use crate::command::timed_out;
use crate::heard::Heard;
use crate::options::RedisOptions;
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
    /// Held while the nodes are learned again.
    renewing: tokio::sync::Mutex<()>,
    /// How often that was tried.
    renewals: AtomicU64,
    /// Of whichever node: keys are spread over all.
    heard: Heard,
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
        let builder = ClusterClientBuilder::new(nodes)
            // The client would also repeat an operation that a node may have executed.
            .retries(0)
            .response_timeout(options.response_timeout)
            .connection_timeout(options.connection_timeout)
            .tcp_settings(options.tcp_settings());
        #[cfg(feature = "rustls")]
        let builder = match sample.addr() {
            ConnectionAddr::TcpTls { .. } => builder.certs(options.certificates()),
            // The client would use TLS with all nodes.
            _ => builder,
        };
        let client = builder.build()?;
        let connection = client.get_async_connection().await?;
        let shared = Shared {
            client,
            connection: Mutex::new(connection),
            renewing: tokio::sync::Mutex::default(),
            renewals: AtomicU64::new(0),
            heard: Heard::default(),
            newcomers: Mutex::default(),
            sample,
            options,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    async fn run(&self, command: &Cmd) -> RedisResult<Value> {
        let options = &self.shared.options;
        let limit = options.connection_timeout + options.response_timeout;
        let running = async {
            self.wake(command).await;
            self.run_until_done(command).await
        };
        let done = timeout(limit, running).await.unwrap_or_else(|_| Err(timed_out()));
        self.note(&done);
        if done.as_ref().is_err_and(RedisError::is_timeout) {
            drop(self.renew());
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
        let options = &self.shared.options;
        let limit = options.connection_timeout + options.response_timeout;
        let sending = async {
            if let Some(command) = commands.cmd_iter().next() {
                self.wake(command).await;
            }
            let mut connection = lock(&self.shared.connection).clone();
            connection.req_packed_commands(commands, 0, commands.len()).await
        };
        let replies = timeout(limit, sending).await.unwrap_or_else(|_| Err(timed_out()));
        self.note(&replies);
        let mut replies: Vec<_> = match replies {
            Ok(replies) => replies.into_iter().map(Value::extract_error).collect(),
            Err(refusal) if is_sent_again(&refusal) => vec![Err(refusal); commands.len()],
            Err(fault) => {
                if fault.is_timeout() {
                    drop(self.renew());
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

    /// After a silence, asks the node of a command's key whether it is there, and makes new
    /// connections where it does not answer.
    async fn wake(&self, command: &Cmd) {
        let options = &self.shared.options;
        if !self.shared.heard.is_longer_ago_than(options.trusted_silence) {
            return;
        }
        let Some(Arg::Simple(key)) = command.args_iter().nth(1) else { return };
        let mut question = cmd("EXISTS");
        question.arg(key);
        let mut connection = lock(&self.shared.connection).clone();
        let asking = connection.req_packed_command(&question);
        let answer = timeout(options.answer_timeout(), asking).await;
        let is_there = answer.is_ok_and(|reply| !reply.is_err_and(|fault| fault.is_io_error()));
        if is_there {
            self.shared.heard.now();
        } else {
            // A task ends early with its runtime only.
            let _ = self.renew().await;
        }
    }

    fn note<T>(&self, reply: &RedisResult<T>) {
        if !reply.as_ref().is_err_and(RedisError::is_io_error) {
            self.shared.heard.now();
        }
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
        let info = at_text(&self.shared.sample, address)?;
        let newcomer = RedisServer::lazy(info, self.shared.options.clone())?;
        newcomers.insert(address.to_owned(), newcomer.clone());
        Ok(newcomer)
    }

    /// Learns the nodes of the cluster again, from those that the caller named: the client
    /// keeps asking a silent node, though another may have taken over. The old connections
    /// serve until there are new ones.
    ///
    /// A task does it, which goes on when no operation waits for it. Operations that meet the
    /// same silence share one attempt.
    fn renew(&self) -> JoinHandle<()> {
        let shared = self.shared.clone();
        let seen = shared.renewals.load(Ordering::Relaxed);
        tokio::spawn(async move {
            let _one_at_a_time = shared.renewing.lock().await;
            if shared.renewals.load(Ordering::Relaxed) != seen {
                return;
            }
            if let Ok(connection) = shared.client.get_async_connection().await {
                *lock(&shared.connection) = connection;
                lock(&shared.newcomers).clear();
            }
            shared.renewals.fetch_add(1, Ordering::Relaxed);
        })
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
