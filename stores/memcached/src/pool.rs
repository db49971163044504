//! The connections, each lent to one operation at a time.

use std::mem::take;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::MemcachedError;
use crate::options::MemcachedOptions;
use crate::server::MemcachedDial;

/// A connection that nobody used for longer may have been forgotten by whatever
/// is in between.
const MAX_REST: Duration = Duration::from_secs(60);

/// Up to a number of connections, made when they are needed.
pub(crate) struct Pool<D: MemcachedDial> {
    dial: D,
    /// One for each connection that may be there; taken while it is lent.
    slots: Semaphore,
    /// The one that was used last is last.
    resting: Mutex<Vec<Resting<D::Stream>>>,
    response_timeout: Duration,
    connection_timeout: Duration,
}

struct Resting<S> {
    connection: Connection<S>,
    since: Instant,
}

impl<D: MemcachedDial> Pool<D> {
    pub(crate) fn new(dial: D, options: &MemcachedOptions) -> Self {
        Self {
            dial,
            slots: Semaphore::new(options.pool_size.get().min(Semaphore::MAX_PERMITS)),
            resting: Mutex::default(),
            response_timeout: options.response_timeout,
            connection_timeout: options.connection_timeout,
        }
    }

    /// A connection for one operation, at the latest after the connection
    /// timeout.
    pub(crate) async fn lend(&self) -> Result<Loan<'_, D>, MemcachedError> {
        let mut fault = MemcachedError::BUSY;
        let lending = async {
            // Closed by nobody.
            let slot = self.slots.acquire().await.map_err(|_| MemcachedError::BUSY)?;
            fault = MemcachedError::TIMED_OUT;
            let connection = match self.rested() {
                Some(connection) => connection,
                None => Connection::new(self.dial.dial().await?),
            };
            Ok(Loan { connection, pool: self, slot })
        };
        match timeout(self.connection_timeout, lending).await {
            Ok(lent) => lent,
            Err(_) => Err(fault),
        }
    }

    /// Waits for what an operation does with its connection, at most for the
    /// response timeout.
    pub(crate) async fn in_time<T>(
        &self,
        exchange: impl Future<Output = Result<T, MemcachedError>>,
    ) -> Result<T, MemcachedError> {
        timeout(self.response_timeout, exchange).await.unwrap_or(Err(MemcachedError::TIMED_OUT))
    }

    /// The connection that was used last, if it still seems to be alive.
    fn rested(&self) -> Option<Connection<D::Stream>> {
        loop {
            let Resting { mut connection, since } = self.resting().pop()?;
            if since.elapsed() < MAX_REST && connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    fn rest(&self, connection: Connection<D::Stream>) {
        let now = Instant::now();
        let mut resting = self.resting();
        resting.push(Resting { connection, since: now });
        // Those that fewer operations at once leave over.
        let idle = resting.partition_point(|resting| now - resting.since >= MAX_REST);
        resting.drain(..idle);
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Resting<D::Stream>>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that one operation has for itself. When it is dropped, in the
/// middle of an operation or not, the connection is closed, so nobody else ever
/// reads what was meant for this operation.
pub(crate) struct Loan<'a, D: MemcachedDial> {
    connection: Connection<D::Stream>,
    pool: &'a Pool<D>,
    slot: SemaphorePermit<'a>,
}

impl<D: MemcachedDial> Loan<'_, D> {
    /// Gives the connection back after a complete reply.
    pub(crate) fn end<T>(self, reply: Result<T, MemcachedError>) -> Result<T, MemcachedError> {
        let Self { connection, pool, slot } = self;
        match &reply {
            Ok(_) => pool.rest(connection),
            // What ended this one may have ended the others, which would be
            // found out one timeout after the other.
            Err(fault) if fault.is_of_connection() => drop(take(&mut *pool.resting())),
            Err(_) => {}
        }
        drop(slot);
        reply
    }
}

impl<D: MemcachedDial> Deref for Loan<'_, D> {
    type Target = Connection<D::Stream>;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<D: MemcachedDial> DerefMut for Loan<'_, D> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}
