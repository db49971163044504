//! Limits of a value and of a sweep.

use crate::error::SqlError;

/// The longest value. Together with the one before it, it has to fit into one message.
/// PostgreSQL and SQLite accept up to a billion bytes.
const MAX_VALUE: usize = 480 * 1024 * 1024;

/// How many rows one statement of a sweep removes.
pub(crate) const SWEPT_AT_ONCE: u64 = 1_000;

pub(crate) fn check_length(value: &[u8]) -> Result<(), SqlError> {
    if value.len() > MAX_VALUE { Err(SqlError::TOO_LARGE) } else { Ok(()) }
}
