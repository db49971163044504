//! When a server was last heard.
//!
//! Routers and load balancers forget connections on which nothing was sent for some
//! minutes, and tell neither side. What is sent there afterwards gets no reply.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::ConnectionLike;
use redis::cmd;
use tokio::time::timeout;

/// The time of the last reply.
pub(crate) struct Heard {
    /// In milliseconds since the program first asked.
    at: AtomicU64,
}

impl Heard {
    pub(crate) fn now(&self) {
        self.at.store(millis(), Ordering::Relaxed);
    }

    pub(crate) fn is_longer_ago_than(&self, time: Duration) -> bool {
        let silence = millis().saturating_sub(self.at.load(Ordering::Relaxed));
        Duration::from_millis(silence) > time
    }
}

impl Default for Heard {
    fn default() -> Self {
        Self { at: AtomicU64::new(millis()) }
    }
}

fn millis() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Whether a server answers in time, if only with a refusal.
pub(crate) async fn answers(mut connection: impl ConnectionLike, time: Duration) -> bool {
    let ping = cmd("PING");
    let reply = timeout(time, connection.req_packed_command(&ping)).await;
    reply.is_ok_and(|reply| !reply.is_err_and(|fault| fault.is_io_error()))
}
