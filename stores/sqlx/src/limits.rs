//! How much at once.

use crate::error::SqlError;

/// The longest value: with the one before it, it has to fit into one message,
/// and PostgreSQL and SQLite take up to a billion bytes.
const MAX_VALUE: usize = 480 * 1024 * 1024;

/// How many rows one statement of a sweep removes.
pub(crate) const SWEPT_AT_ONCE: u64 = 1_000;

pub(crate) fn check_length(value: &[u8]) -> Result<(), SqlError> {
    if value.len() > MAX_VALUE { Err(SqlError::TOO_LARGE) } else { Ok(()) }
}
