//! The answers to questions about MySQL, without the feature `mysql`.

use sqlx::error::DatabaseError;

pub(crate) fn number(_: &dyn DatabaseError) -> Option<u16> {
    None
}
