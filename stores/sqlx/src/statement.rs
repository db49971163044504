//! Statements. A store writes them once, for its names.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Database, SqlSafeStr, SqlStr};

/// A statement with its values.
pub(crate) type Query<'q, DB> = sqlx::query::Query<'q, DB, <DB as Database>::Arguments>;

/// A statement with names that were checked.
pub(crate) fn statement(text: String) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
}
