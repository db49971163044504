//! A connection for one operation, which is closed rather than given back with
//! an answer under way.
//!
//! The crate `sqlx` does not promise that a connection can be used again on which
//! an operation was dropped: it asks the connection, without a deadline, and
//! closes it where the answer is not the one it waits for. So an operation that
//! has got a connection is brought to its end, in the background if need be; and
//! where its time is over, the connection is closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::{Connection, Database, Executor, IntoArguments, Pool};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::error::{Answer, SqlError};
use crate::options::SqlOptions;
use crate::statement::Query;

/// A connection that was not used for so long is asked before its next use
/// whether it is still there.
const FRESH: Duration = Duration::from_millis(100);

/// The way to the database.
pub(crate) struct Link<DB: Database> {
    pool: Pool<DB>,
    response_timeout: Duration,
    connection_timeout: Duration,
    trouble: Arc<Trouble>,
}

/// When the database last failed to answer.
#[derive(Default)]
pub(crate) struct Trouble {
    last: Mutex<Option<Instant>>,
}

/// A connection for one operation.
pub(crate) struct Lease<DB: Database> {
    connection: PoolConnection<DB>,
    /// Whether the connection is not as it was: an answer is under way, or a
    /// transaction.
    is_busy: bool,
    is_held: bool,
    runtime: Handle,
    response_timeout: Duration,
    trouble: Arc<Trouble>,
}

impl<DB: Database> Link<DB> {
    pub(crate) fn new<S>(pool: Pool<DB>, options: &SqlOptions<S>, trouble: Arc<Trouble>) -> Self {
        let SqlOptions { response_timeout, connection_timeout, .. } = *options;
        Self { pool, response_timeout, connection_timeout, trouble }
    }

    /// Does something on a connection.
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

    /// Does something that may take another time than an operation.
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

    /// Waits for a connection; whoever gives up has changed nothing.
    async fn lease(&self) -> Result<Lease<DB>, SqlError> {
        let connection = match timeout(self.connection_timeout, self.pool.acquire()).await {
            Ok(connection) => connection.map_err(SqlError::of)?,
            Err(_) => return Err(SqlError::NO_CONNECTION),
        };
        Ok(Lease {
            connection,
            is_busy: false,
            is_held: false,
            runtime: Handle::current(),
            response_timeout: self.response_timeout,
            trouble: self.trouble.clone(),
        })
    }
}

impl<DB: Database> Lease<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    DB::Arguments: IntoArguments<DB>,
{
    /// Runs a statement for what it does.
    pub(crate) async fn execute<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, DB> + Send,
    ) -> Result<DB::QueryResult, SqlError> {
        loop {
            self.is_busy = true;
            let done = query().execute(&mut *self.connection).await;
            if let Some(done) = self.finished(done) {
                return done;
            }
        }
    }

    /// Runs a statement for its rows, to its end: where it changes something,
    /// that is done only then.
    pub(crate) async fn rows<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, DB> + Send,
    ) -> Result<Vec<DB::Row>, SqlError> {
        loop {
            self.is_busy = true;
            let done = query().fetch_all(&mut *self.connection).await;
            if let Some(done) = self.finished(done) {
                return done;
            }
        }
    }

    /// From here the connection is in a state that nobody else may meet, until
    /// [`release`](Self::release).
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    pub(crate) fn release(&mut self) {
        self.is_held = false;
    }

    /// What a statement has come to, unless it has to be sent again.
    fn finished<T>(&mut self, done: Result<T, sqlx::Error>) -> Option<Result<T, SqlError>> {
        let done = done.map_err(SqlError::of);
        let answer = done.as_ref().err().map(SqlError::answer);
        self.is_busy = answer == Some(None);
        if self.is_busy {
            self.trouble.happened();
        }
        // What is part of a transaction was undone together with what was before.
        let is_repeated = !self.is_held && answer == Some(Some(Answer::RolledBack));
        (!is_repeated).then_some(done)
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        // Dropped without being run, this closes the connection.
        let giving_back = self.connection.return_to_pool();
        if !(self.is_busy || self.is_held) {
            let limit = self.response_timeout;
            // The pool asks the connection whether it is well, for as long as it takes.
            // The timer is made there: here may be no runtime any more.
            drop(self.runtime.spawn(async move { timeout(limit, giving_back).await }));
        }
    }
}

/// Work that goes on in the background when nobody waits for it any more.
struct ToItsEnd<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    runtime: Handle,
}

impl<T: Send + 'static> Future for ToItsEnd<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        // Taken out, so that work that panics does not go on.
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

    /// Whether a connection that was idle so long should be asked first.
    fn doubts(&self, idle: Duration) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        idle >= FRESH || last.is_some_and(|last| last.elapsed() <= idle)
    }
}

/// The settings of a pool of this store's own. Its connections are asked whether
/// they are there only where that is in doubt, so that an operation usually is
/// one round trip.
pub(crate) fn pool_options<DB: Database, S>(
    options: &SqlOptions<S>,
    trouble: &Arc<Trouble>,
) -> PoolOptions<DB> {
    let (trouble, limit) = (trouble.clone(), options.connection_timeout);
    PoolOptions::new().acquire_timeout(limit).test_before_acquire(false).before_acquire(
        move |connection: &mut DB::Connection, meta| {
            let is_doubtful = trouble.doubts(meta.idle_for);
            Box::pin(async move {
                if !is_doubtful {
                    return Ok(true);
                }
                // Leaves time for a new connection in the place of a dead one.
                match timeout(limit / 4, connection.ping()).await {
                    Ok(answer) => answer.map(|()| true),
                    Err(late) => Err(sqlx::Error::Io(late.into())),
                }
            })
        },
    )
}
