//! The answers to questions about MySQL, without the feature `mysql`.

use sqlx::error::DatabaseError;

pub(crate) fn is_read_only(_: &dyn DatabaseError) -> bool {
    false
}
