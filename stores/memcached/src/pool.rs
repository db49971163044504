//! The connections. Each serves one operation at a time.

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

/// A firewall on the way may forget a connection that was idle for longer.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// A limited number of connections. An operation makes one where none is idle.
pub(crate) struct Pool<D: MemcachedDial> {
    dial: D,
    /// One for each connection. An operation holds one while it has a connection.
    slots: Semaphore,
    /// In the order of their last use.
    idle: Mutex<Vec<Idle<D::Stream>>>,
    response_timeout: Duration,
    connection_timeout: Duration,
    trusted_silence: Duration,
}

struct Idle<S> {
    connection: Connection<S>,
    since: Instant,
}

impl<D: MemcachedDial> Pool<D> {
    pub(crate) fn new(dial: D, options: &MemcachedOptions) -> Self {
        Self {
            dial,
            slots: Semaphore::new(options.pool_size.get().min(Semaphore::MAX_PERMITS)),
            idle: Mutex::default(),
            response_timeout: options.response_timeout,
            connection_timeout: options.connection_timeout,
            trusted_silence: options.trusted_silence,
        }
    }

    /// A connection for one operation. Waits for it no longer than the connection
    /// timeout.
    pub(crate) async fn take(&self) -> Result<Taken<'_, D>, MemcachedError> {
        let mut fault = MemcachedError::BUSY;
        let taking = async {
            // The semaphore is never closed.
            let slot = self.slots.acquire().await.map_err(|_| MemcachedError::BUSY)?;
            fault = MemcachedError::TIMED_OUT;
            let connection = match self.living_connection().await {
                Some(connection) => connection,
                None => Connection::new(self.dial.dial().await?),
            };
            Ok(Taken { connection, pool: self, slot })
        };
        match timeout(self.connection_timeout, taking).await {
            Ok(taken) => taken,
            Err(_) => Err(fault),
        }
    }

    /// Runs what an operation does with its connection, for the response timeout at most.
    pub(crate) async fn in_time<T>(
        &self,
        exchange: impl Future<Output = Result<T, MemcachedError>>,
    ) -> Result<T, MemcachedError> {
        timeout(self.response_timeout, exchange).await.unwrap_or(Err(MemcachedError::TIMED_OUT))
    }

    /// An idle connection that is alive. One that was silent is asked first.
    async fn living_connection(&self) -> Option<Connection<D::Stream>> {
        let Idle { mut connection, since } = self.idle_connection()?;
        if since.elapsed() <= self.trusted_silence {
            return Some(connection);
        }
        match timeout(self.connection_timeout / 4, connection.greet()).await {
            Ok(Ok(())) => Some(connection),
            _ => {
                // The others were silent for longer.
                drop(take(&mut *self.idle()));
                None
            }
        }
    }

    /// The most recently used idle connection that has not ended.
    fn idle_connection(&self) -> Option<Idle<D::Stream>> {
        loop {
            let mut idle = self.idle().pop()?;
            if idle.since.elapsed() < MAX_IDLE && idle.connection.is_quiet() {
                return Some(idle);
            }
        }
    }

    fn keep(&self, connection: Connection<D::Stream>) {
        let now = Instant::now();
        let mut idle = self.idle();
        idle.push(Idle { connection, since: now });
        // A pool that serves fewer operations at once than before needs fewer connections.
        let too_long = idle.partition_point(|idle| now - idle.since >= MAX_IDLE);
        idle.drain(..too_long);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle<D::Stream>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that serves one operation. Dropping it closes the connection, so that no
/// other operation reads a reply that was meant for this one.
pub(crate) struct Taken<'a, D: MemcachedDial> {
    connection: Connection<D::Stream>,
    pool: &'a Pool<D>,
    slot: SemaphorePermit<'a>,
}

impl<D: MemcachedDial> Taken<'_, D> {
    /// Puts the connection back after a complete reply. Closes it after a fault.
    pub(crate) fn put_back<T>(self, reply: Result<T, MemcachedError>) -> Result<T, MemcachedError> {
        let Self { connection, pool, slot } = self;
        match &reply {
            Ok(_) => pool.keep(connection),
            // The idle connections may be broken, too. Otherwise each one would cost an
            // operation its timeout.
            Err(fault) if fault.is_of_connection() => drop(take(&mut *pool.idle())),
            Err(_) => {}
        }
        drop(slot);
        reply
    }
}

impl<D: MemcachedDial> Deref for Taken<'_, D> {
    type Target = Connection<D::Stream>;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl<D: MemcachedDial> DerefMut for Taken<'_, D> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}
