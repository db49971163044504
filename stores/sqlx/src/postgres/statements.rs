//! The statements of [`Postgres`].

use sqlx::SqlStr;

use super::Postgres;
use crate::limits::SWEPT_AT_ONCE;
use crate::options::SqlOptions;
use crate::statement::statement;

/// The current time, also for a statement that has waited for a lock.
const NOW: &str = "(clock_timestamp() AT TIME ZONE 'UTC')";

/// Whether a row is not a record: it has expired, or Flask-Session would not read it.
const IS_LIVE: &str = "expiry > (clock_timestamp() AT TIME ZONE 'UTC') AND data IS NOT NULL";

pub(super) struct Statements {
    pub(super) load: SqlStr,
    pub(super) extend: SqlStr,
    pub(super) create: SqlStr,
    pub(super) update: SqlStr,
    pub(super) remove: SqlStr,
    pub(super) sweep: SqlStr,
}

impl Statements {
    pub(super) fn new(options: &SqlOptions<Postgres>) -> Self {
        let table = options.quoted_table('"');
        Self {
            load: statement(format!(
                "SELECT data FROM {table} WHERE session_id = $1 AND {IS_LIVE}"
            )),
            extend: statement(format!(
                "UPDATE {table} SET expiry = GREATEST(expiry, {}) \
                 WHERE session_id = $1 AND {IS_LIVE} RETURNING data",
                expiry("$2"),
            )),
            create: statement(create(&table, options)),
            update: statement(update(&table)),
            remove: statement(format!(
                "DELETE FROM {table} WHERE session_id = $1 \
                 RETURNING CASE WHEN {IS_LIVE} THEN data END"
            )),
            sweep: statement(sweep(&table)),
        }
    }
}

/// Replaces a row that is not a record, in the same statement.
fn create(table: &str, options: &SqlOptions<Postgres>) -> String {
    let (column, number) = match &options.sequence {
        Some(sequence) => ("id, ", format!("nextval('{}'), ", sequence.quoted('"'))),
        None => ("", String::new()),
    };
    format!(
        "INSERT INTO {table} AS kept ({column}session_id, data, expiry) \
         VALUES ({number}$1, $2, {}) \
         ON CONFLICT (session_id) DO UPDATE SET data = EXCLUDED.data, expiry = EXCLUDED.expiry \
         WHERE (kept.expiry > {NOW} AND kept.data IS NOT NULL) IS NOT TRUE",
        expiry("$3"),
    )
}

/// Answers whether the record was replaced, and whether there was a record when the statement
/// began.
fn update(table: &str) -> String {
    format!(
        "WITH updated AS ( \
             UPDATE {table} SET data = $3, expiry = {} \
             WHERE session_id = $1 AND data = $2 AND {IS_LIVE} RETURNING 1 \
         ) \
         SELECT EXISTS (SELECT FROM updated), \
                EXISTS (SELECT FROM {table} WHERE session_id = $1 AND {IS_LIVE})",
        expiry("$4"),
    )
}

/// The time of `now()` is constant during a statement, so the server can use the index.
fn sweep(table: &str) -> String {
    let is_over = "expiry <= (now() AT TIME ZONE 'UTC')";
    format!(
        "DELETE FROM {table} WHERE {is_over} AND id IN ( \
             SELECT id FROM {table} WHERE {is_over} LIMIT {SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED \
         )"
    )
}

/// When a time to live in milliseconds that begins now is over.
fn expiry(millis: &str) -> String {
    format!("{NOW} + {millis}::bigint * interval '1 millisecond'")
}
