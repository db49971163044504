//! A connection for one operation. It is closed, not returned, while an answer is under way.
//!
//! The crate `sqlx` does not promise that a connection can be used again after an operation
//! on it was dropped: it pings the connection, without a deadline, and closes it on another
//! answer. So an operation that has a connection runs to its end, in the background if its
//! caller has gone. After its timeout the connection is closed.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sqlx::database::HasStatementCache;
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Connection, Database, Executor, IntoArguments, Pool, raw_sql};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::error::{Answer, SqlError};
use crate::options::SqlOptions;
use crate::statement::Query;

/// A connection that was idle for so long is pinged before its next use.
const FRESH: Duration = Duration::from_millis(100);

/// The pool, and what is known of the database.
pub(crate) struct Link<DB: Database> {
    pool: Pool<DB>,
    response_timeout: Duration,
    connection_timeout: Duration,
    in_transactions: bool,
    trouble: Arc<Trouble>,
}

/// When the database last failed to answer.
#[derive(Default)]
pub(crate) struct Trouble {
    last: Mutex<Option<Instant>>,
    /// When a ping was sent that got no answer. The connections that were idle then are closed
    /// without a ping: a network that has forgotten one of them has forgotten them all.
    silence: Mutex<Option<Instant>>,
}

/// A connection for one operation.
pub(crate) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    /// Whether an answer or a transaction is under way on the connection.
    is_busy: bool,
    is_held: bool,
    /// Whether a pooler may give the next statement another connection to the server, unless
    /// both are in one transaction. Then no statement is prepared for later.
    in_transactions: bool,
    runtime: Handle,
    response_timeout: Duration,
    trouble: Arc<Trouble>,
}

impl<DB: Database> Link<DB> {
    pub(crate) fn new<S>(pool: Pool<DB>, options: &SqlOptions<S>, trouble: Arc<Trouble>) -> Self {
        let SqlOptions { response_timeout, connection_timeout, in_transactions, .. } = *options;
        Self { pool, response_timeout, connection_timeout, in_transactions, trouble }
    }

    /// Runs an operation on a connection.
    pub(crate) async fn run<T, F>(
        &self,
        work: impl FnOnce(Lease<DB>) -> F + Send,
    ) -> Result<T, SqlError>
    where
        F: Future<Output = Result<T, SqlError>> + Send + 'static,
        T: Send + 'static,
    {
        self.run_within(self.response_timeout, work).await
    }

    /// How many connections there can be at once.
    #[cfg(feature = "postgres")]
    pub(crate) fn most_connections(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// Runs something with a timeout of its own.
    pub(crate) async fn run_within<T, F>(
        &self,
        limit: Duration,
        work: impl FnOnce(Lease<DB>) -> F + Send,
    ) -> Result<T, SqlError>
    where
        F: Future<Output = Result<T, SqlError>> + Send + 'static,
        T: Send + 'static,
    {
        let lease = self.lease().await?;
        let (runtime, trouble) = (lease.runtime.clone(), self.trouble.clone());
        let work = timeout(limit, work(lease));
        let work = Box::pin(async move {
            work.await.unwrap_or_else(|_| {
                trouble.happened();
                Err(SqlError::TIMED_OUT)
            })
        });
        ToItsEnd { work: Some(work), runtime }.await
    }

    /// Waits for a connection. A caller that gives up has changed nothing.
    pub(crate) async fn lease(&self) -> Result<Lease<DB>, SqlError> {
        let connection = match timeout(self.connection_timeout, self.pool.acquire()).await {
            Ok(connection) => connection.map_err(SqlError::of)?,
            Err(_) => return Err(SqlError::NO_CONNECTION),
        };
        Ok(Lease {
            connection,
            is_busy: false,
            is_held: false,
            in_transactions: self.in_transactions,
            runtime: Handle::current(),
            response_timeout: self.response_timeout,
            trouble: self.trouble.clone(),
        })
    }
}

impl<DB: Database + HasStatementCache> Lease<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    /// Runs a statement for its effect.
    pub(crate) async fn execute<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, DB> + Send,
    ) -> Result<DB::QueryResult, SqlError> {
        loop {
            self.begin().await?;
            let query = if self.in_transactions { query().persistent(false) } else { query() };
            let done = query.execute(&mut *self.connection).await;
            let done = self.end(done).await;
            if let Some(done) = self.finished(done) {
                return done;
            }
        }
    }

    /// Runs a statement for its rows, to its end: only then has it changed something.
    pub(crate) async fn rows<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, DB> + Send,
    ) -> Result<Vec<DB::Row>, SqlError> {
        loop {
            self.begin().await?;
            let query = if self.in_transactions { query().persistent(false) } else { query() };
            let done = query.fetch_all(&mut *self.connection).await;
            let done = self.end(done).await;
            if let Some(done) = self.finished(done) {
                return done;
            }
        }
    }

    /// Runs a command without values, for which nothing is prepared.
    pub(crate) async fn command(&mut self, text: &'static str) -> Result<(), SqlError> {
        self.is_busy = true;
        let done = raw_sql(text).execute(&mut *self.connection).await;
        self.finished(done.map(drop)).unwrap_or(Err(SqlError::UNEXPECTED))
    }

    /// Begins the transaction of a statement, where it needs one.
    async fn begin(&mut self) -> Result<(), SqlError> {
        if self.in_transactions && !self.is_held {
            self.command("BEGIN").await?;
        }
        self.is_busy = true;
        Ok(())
    }

    /// Ends the transaction of a statement. The statement has happened only if the end has.
    async fn end<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if !self.in_transactions || self.is_held {
            return done;
        }
        let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
        raw_sql(end).execute(&mut *self.connection).await.and(done)
    }

    /// From here until [`release`](Self::release), no other operation may get the
    /// connection.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn release(&mut self) {
        self.is_held = false;
    }

    /// The result of a statement, unless it has to be sent again.
    fn finished<T>(&mut self, done: Result<T, sqlx::Error>) -> Option<Result<T, SqlError>> {
        let done = done.map_err(SqlError::of);
        let answer = done.as_ref().err().map(SqlError::answer);
        self.is_busy = answer == Some(None);
        if self.is_busy {
            self.trouble.happened();
        }
        // In a transaction, the server has also undone the statements before.
        let is_repeated = !self.is_held && answer == Some(Some(Answer::RolledBack));
        (!is_repeated).then_some(done)
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        // If it is dropped before it runs, the connection is closed.
        let giving_back = self.connection.return_to_pool();
        if !(self.is_busy || self.is_held) {
            let limit = self.response_timeout;
            // The pool pings the connection, without a deadline of its own.
            // The timer is made there: here the runtime may have ended.
            drop(self.runtime.spawn(async move { timeout(limit, giving_back).await }));
        }
    }
}

/// Work that continues in the background after its caller has gone.
struct ToItsEnd<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    runtime: Handle,
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that work that has panicked is not polled again.
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(context);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for ToItsEnd<T> {
    fn drop(&mut self) {
        if let Some(work) = self.work.take() {
            drop(self.runtime.spawn(work));
        }
    }
}

impl Trouble {
    fn happened(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_silent_since(&self, ping: Instant) {
        *self.silence.lock().unwrap_or_else(PoisonError::into_inner) = Some(ping);
    }

    /// Whether a connection that was idle for so long is as dead as another.
    fn knows_dead(&self, idle: Duration) -> bool {
        let silence = *self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        silence.is_some_and(|ping| ping.elapsed() <= idle)
    }

    /// Whether to ping a connection that was idle for so long.
    fn doubts(&self, idle: Duration) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        idle >= FRESH || last.is_some_and(|last| last.elapsed() <= idle)
    }
}

/// The settings of a pool that the store makes. It pings a connection only in doubt, so that
/// an operation usually is one round trip.
pub(crate) fn pool_options<DB: Database, S>(
    options: &SqlOptions<S>,
    trouble: &Arc<Trouble>,
) -> PoolOptions<DB> {
    let (trouble, limit) = (trouble.clone(), options.connection_timeout);
    PoolOptions::new().acquire_timeout(limit).test_before_acquire(false).before_acquire(
        move |connection: &mut DB::Connection, meta| {
            let (trouble, idle) = (trouble.clone(), meta.idle_for);
            Box::pin(async move {
                if !trouble.doubts(idle) {
                    return Ok(true);
                }
                if trouble.knows_dead(idle) {
                    return Err(sqlx::Error::Io(io::ErrorKind::NotConnected.into()));
                }
                let sent = Instant::now();
                // Leaves time to replace a dead connection.
                match timeout(limit / 4, connection.ping()).await {
                    Ok(answer) => answer.map(|()| true),
                    Err(late) => {
                        trouble.is_silent_since(sent);
                        Err(sqlx::Error::Io(late.into()))
                    }
                }
            })
        },
    )
}
