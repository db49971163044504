//! Removing expired records again and again: [`Sweeper`].

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::Sessions;
use crate::cause::cause_of;
use crate::codec::Codec;
use crate::signer::Signer;
use crate::store::{Store, Sweep};
use crate::ttl::Ttl;

/// A task that removes expired records, begun by [`Sessions::sweep_every`].
///
/// It goes on until [`shutdown`](Self::shutdown), or until this handle is
/// dropped. A drop interrupts a sweep under way; what it had removed by then
/// stays removed, and the rest is left to the next one.
#[must_use = "the sweeping stops when this is dropped"]
pub struct Sweeper {
    /// The task ends by itself when this is gone.
    go_on: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Sweeper {
    /// Stops the task. A sweep under way goes on to its end, and this waits for
    /// it.
    ///
    /// When the future is dropped before that, the sweep is interrupted.
    pub async fn shutdown(mut self) {
        drop(self.go_on.take());
        // It ends without a result, or together with its runtime.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper").finish_non_exhaustive()
    }
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    /// Begins a task that calls [`sweep`](Self::sweep) again and again, for a
    /// store that does not remove expired records by itself.
    ///
    /// The first sweep begins at a random moment within the interval. After each
    /// sweep the task waits for the interval, give or take up to 10 %. So
    /// processes that were started together do not sweep together.
    ///
    /// A sweep that fails is logged as an error (`tracing`), one that panics as
    /// well, and the task goes on. Expired records are never handed out, swept or
    /// not: the interval only decides how long they take up room.
    ///
    /// With the feature `sweeper`, which the stores that need it bring along.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, and in one whose timer is off.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use cloakroom::{Codec, Sessions, Signer, Sweep, Ttl};
    /// # async fn example<S: Sweep, C: Codec, K: Signer>(sessions: &Sessions<S, C, K>) {
    /// let sweeper = sessions.sweep_every(Ttl::minutes(10));
    /// // The server runs here.
    /// sweeper.shutdown().await;
    /// # }
    /// ```
    pub fn sweep_every(&self, interval: Ttl) -> Sweeper
    where
        S: Sweep,
    {
        let (go_on, stopped) = oneshot::channel();
        let task = tokio::spawn(sweep_until(stopped, self.clone(), interval.as_duration()));
        Sweeper { go_on: Some(go_on), task }
    }
}

async fn sweep_until<S: Sweep, C: Codec, K: Signer>(
    mut stopped: oneshot::Receiver<()>,
    sessions: Sessions<S, C, K>,
    interval: Duration,
) {
    let mut pause = interval.mul_f64(random_share());
    while timeout(pause, &mut stopped).await.is_err() {
        sweep_once(&sessions).await;
        pause = interval.mul_f64(0.9 + 0.2 * random_share());
    }
}

async fn sweep_once<S: Sweep, C: Codec, K: Signer>(sessions: &Sessions<S, C, K>) {
    match unless_it_panics(sessions.sweep()).await {
        Some(Ok(removed)) => tracing::debug!(removed, "expired sessions were removed"),
        Some(Err(source)) => {
            let cause = cause_of(&source).map(tracing::field::display);
            tracing::error!(%source, cause, "expired sessions were not removed; the next sweep tries again");
        }
        None => {
            tracing::error!("the store panicked while it was swept; the next sweep tries again");
        }
    }
}

/// What a future results in, or `None` when it panics.
async fn unless_it_panics<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // After a panic, the future is dropped and not polled again.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// From 0 to 1. Without randomness it is the middle, and only the spread is lost.
fn random_share() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}
