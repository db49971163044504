//! Work that continues after its caller has gone.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::MongoDbError;

/// How long work may continue after its deadline. Its connection is dead by then.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// The highest number of operations at once, with those whose caller has gone. Without it, a
/// server that never answers would fill the memory.
const MOST: usize = 256;

/// Runs operations. Clones share the places.
#[derive(Clone)]
pub(crate) struct Background {
    places: Arc<Semaphore>,
}

impl Background {
    pub(crate) fn new() -> Self {
        Self::with(MOST)
    }

    fn with(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)) }
    }

    /// Waits for the work until the deadline. After that, or when the caller drops the future,
    /// the work continues. Work that has no place yet never begins.
    pub(crate) async fn until<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, MongoDbError> {
        let placed = async {
            let place = self.places.clone().acquire_owned().await;
            let place = place.map_err(|_| MongoDbError::STOPPED)?;
            let limit = deadline.saturating_add(GIVEN_UP);
            to_the_end(async move {
                let done = timeout(limit, work).await;
                drop(place);
                done
            })
            .await
        };
        match timeout(deadline, placed).await {
            Ok(done) => done?.map_err(|_| MongoDbError::TIMED_OUT),
            Err(_) => Err(MongoDbError::TIMED_OUT),
        }
    }
}

/// Polls the work to its end, also when the caller has gone: a future of the driver that is
/// dropped while it waits for a connection delays another one.
pub(crate) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, MongoDbError> {
    tokio::spawn(work).await.map_err(|fault| match fault.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => MongoDbError::STOPPED,
    })
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::sync::oneshot;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(2);

    #[tokio::test(start_paused = true)]
    async fn work_without_a_place_never_begins_and_ends_with_the_deadline() {
        let background = Background::with(2);
        for _ in 0..2 {
            let silent = background.until(DEADLINE, pending::<()>()).await;
            assert!(silent.expect_err("never done").is_timeout());
        }
        let (begun, begins) = oneshot::channel();
        let late = background.until(DEADLINE, async move { begun.send(()) }).await;
        assert!(late.expect_err("no place").is_timeout());
        assert!(begins.await.is_err());

        tokio::time::sleep(GIVEN_UP).await;
        background.until(DEADLINE, ready(())).await.expect("places are free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_stops_waiting_for_a_place_takes_none() {
        let background = Background::with(1);
        let (end, ended) = oneshot::channel::<()>();
        let short = Duration::from_millis(1);
        let first = timeout(short, background.until(DEADLINE, ended)).await;
        assert!(first.is_err(), "it continues");
        for _ in 0..3 {
            let waits = timeout(short, background.until(DEADLINE, ready(()))).await;
            assert!(waits.is_err(), "the only place is taken");
        }
        end.send(()).expect("it still continues");
        background.until(DEADLINE, ready(())).await.expect("the place is free again");
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let background = Background::with(1);
        let panics = background.clone();
        let panics = async move { panics.until(DEADLINE, async { panic!("on purpose") }).await };
        let done: Result<Result<(), MongoDbError>, _> = tokio::spawn(panics).await;
        assert!(done.is_err_and(|fault| fault.is_panic()));
        background.until(DEADLINE, ready(())).await.expect("the place is free again");
    }
}
