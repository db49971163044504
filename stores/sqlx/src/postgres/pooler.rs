//! Whether a pooler mixes up what is prepared.

use std::time::Duration;

use sqlx::query;
use tokio::time::timeout;

use super::Shared;
use crate::error::SqlError;
use crate::lease::Lease;

/// How long to wait for a second connection. A user may be allowed only one.
const PATIENCE: Duration = Duration::from_secs(1);

impl Shared {
    /// Prepares statements on two connections. An idle pooler that shares one connection to the
    /// server between them refuses the second name. A busy one may not; then the seals of the
    /// statements refuse them later.
    pub(super) async fn check_statements(&self) -> Result<(), SqlError> {
        if self.options.in_transactions || self.link.most_connections() < 2 {
            return Ok(());
        }
        let first = self.link.lease().await?;
        let Ok(Ok(second)) = timeout(PATIENCE, self.link.lease()).await else {
            return Ok(());
        };
        let done = timeout(self.options.response_timeout, prepare_on_both(first, second)).await;
        done.unwrap_or(Err(SqlError::TIMED_OUT))
    }
}

async fn prepare_on_both(
    mut first: Lease<sqlx::Postgres>,
    mut second: Lease<sqlx::Postgres>,
) -> Result<(), SqlError> {
    for _ in 0..2 {
        first.execute(|| query("SELECT 1 WHERE $1::bigint = 1").bind(1_i64)).await?;
        second.execute(|| query("SELECT 2 WHERE $1::bigint = 2").bind(2_i64)).await?;
    }
    Ok(())
}
