//! Sessions in an SQL database: what [`Postgres`], [`MySql`] and [`Sqlite`]
//! share.
//!
//! They keep the table of Flask-Session. It has no column for a version, so a
//! version is its bytes: an update names the bytes that were seen, and the
//! server compares them.

mod error;
mod lease;
#[cfg(feature = "mysql")]
mod mysql;
mod name;
#[cfg(not(feature = "mysql"))]
mod no_mysql;
mod options;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, ColumnIndex, Database, Decode, Row, SqlSafeStr, SqlStr, Type};

pub use self::error::SqlError;
#[cfg(feature = "mysql")]
pub use self::mysql::MySql;
#[cfg(feature = "mysql")]
use self::mysql::is_read_only;
pub use self::name::{InvalidSqlName, SqlName};
#[cfg(not(feature = "mysql"))]
use self::no_mysql::is_read_only;
pub use self::options::SqlOptions;
#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
#[cfg(feature = "sqlite")]
pub use self::sqlite::Sqlite;
use super::Record;

/// The longest value: with the one before it, it has to fit into one message,
/// and PostgreSQL and SQLite take up to a billion bytes.
const MAX_VALUE: usize = 480 * 1024 * 1024;

/// How many rows one statement of a sweep removes.
const SWEPT_AT_ONCE: u64 = 1_000;

/// The version of a record in an SQL database: its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SqlRevision(Arc<[u8]>);

impl fmt::Debug for SqlRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlRevision(..)")
    }
}

/// A statement that is written once, of names that were checked.
fn statement(text: String) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
}

/// The record in the only row of an answer.
fn record<R>(rows: &[R]) -> Result<Found, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
{
    let value = bytes(rows)?;
    Ok(value.map(|value| Record::new(value.clone(), SqlRevision(value))))
}

/// The bytes in the first column of the only row of an answer.
fn bytes<R>(rows: &[R]) -> Result<Option<Arc<[u8]>>, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
{
    let value: Option<Option<&[u8]>> =
        rows.first().map(|row| row.try_get(0)).transpose().map_err(SqlError::of)?;
    Ok(value.flatten().map(Arc::from))
}

/// What stands in a column of the only row of an answer.
fn value<T, R>(rows: &[R], column: usize) -> Result<T, SqlError>
where
    R: Row,
    usize: ColumnIndex<R>,
    T: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let row = rows.first().ok_or(SqlError::UNEXPECTED)?;
    row.try_get(column).map_err(SqlError::of)
}

fn check_length(value: &[u8]) -> Result<(), SqlError> {
    if value.len() > MAX_VALUE { Err(SqlError::TOO_LARGE) } else { Ok(()) }
}

/// What a load of any of these stores has found.
type Found = Option<Record<Arc<[u8]>, SqlRevision>>;

/// A statement with its values.
type Query<'q, DB> = sqlx::query::Query<'q, DB, <DB as Database>::Arguments>;
