//! Work that goes on when nobody waits for it any more.

use std::panic::resume_unwind;
use std::time::Duration;

use tokio::time::timeout;

use super::MongoDbError;

/// How long after its deadline work is given up that neither the server nor the
/// driver has ended: it holds a connection to nowhere.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Waits for the work until the deadline. What is not done by then goes on
/// without anybody who waits, and so does what a caller dropped.
pub(super) async fn until<T: Send + 'static>(
    deadline: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, MongoDbError> {
    let work = to_the_end(timeout(deadline.saturating_add(GIVEN_UP), work));
    match timeout(deadline, work).await {
        Ok(done) => done?.map_err(|_| MongoDbError::TIMED_OUT),
        Err(_) => Err(MongoDbError::TIMED_OUT),
    }
}

/// Polls to the end whatever becomes of the caller: each of the driver's futures
/// that is dropped while it waits for a connection holds up another one.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, MongoDbError> {
    tokio::spawn(work).await.map_err(|fault| match fault.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(_) => MongoDbError::STOPPED,
    })
}
