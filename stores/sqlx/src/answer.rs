//! The rows of an answer.

use std::sync::Arc;

use cloakroom::store::Record;
use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::error::SqlError;
use crate::revision::SqlRevision;

/// The result of a load.
pub(crate) type Found = Option<Record<Arc<[u8]>, SqlRevision>>;

/// The record in the only row of an answer.
pub(crate) fn record<R>(rows: &[R]) -> Result<Found, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
{
    let value = bytes(rows)?;
    Ok(value.map(|value| Record::new(value.clone(), SqlRevision(value))))
}

/// The bytes in the first column of the only row of an answer.
pub(crate) fn bytes<R>(rows: &[R]) -> Result<Option<Arc<[u8]>>, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
{
    let value: Option<Option<&[u8]>> =
        rows.first().map(|row| row.try_get(0)).transpose().map_err(SqlError::of)?;
    Ok(value.flatten().map(Arc::from))
}

/// The value in a column of the only row of an answer.
pub(crate) fn value<T, R>(rows: &[R], column: usize) -> Result<T, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    T: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let row = rows.first().ok_or(SqlError::UNEXPECTED)?;
    row.try_get(column).map_err(SqlError::of)
}
