//! The statements of [`Postgres`].

use super::Postgres;
use super::seal::Sealed;
use crate::limits::SWEPT_AT_ONCE;
use crate::options::SqlOptions;

/// The current time, also for a statement that has waited for a lock.
const NOW: &str = "(clock_timestamp() AT TIME ZONE 'UTC')";

/// Whether a row is not a record: it has expired, or Flask-Session would not read it.
const IS_LIVE: &str = "expiry > (clock_timestamp() AT TIME ZONE 'UTC') AND data IS NOT NULL";

pub(super) struct Statements {
    pub(super) load: Sealed,
    pub(super) extend: Sealed,
    pub(super) create: Sealed,
    pub(super) update: Sealed,
    pub(super) remove: Sealed,
    pub(super) sweep: Sealed,
}

impl Statements {
    pub(super) fn new(options: &SqlOptions<Postgres>) -> Self {
        let table = options.quoted_table('"');
        Self {
            load: Sealed::new(|is_intact| {
                format!(
                    "SELECT data FROM {table} WHERE {is_intact} AND session_id = $2 AND {IS_LIVE}"
                )
            }),
            extend: Sealed::new(|is_intact| {
                format!(
                    "UPDATE {table} SET expiry = GREATEST(expiry, {}) \
                     WHERE {is_intact} AND session_id = $2 AND {IS_LIVE} RETURNING data",
                    expiry("$3"),
                )
            }),
            create: Sealed::new(|is_intact| create(&table, options, is_intact)),
            update: Sealed::new(|is_intact| update(&table, is_intact)),
            remove: Sealed::new(|is_intact| {
                format!(
                    "DELETE FROM {table} WHERE {is_intact} AND session_id = $2 \
                     RETURNING CASE WHEN {IS_LIVE} THEN data END"
                )
            }),
            sweep: Sealed::new(|is_intact| sweep(&table, is_intact)),
        }
    }
}

/// Replaces a row that is not a record, in the same statement.
fn create(table: &str, options: &SqlOptions<Postgres>, is_intact: &str) -> String {
    let (column, number) = match &options.sequence {
        Some(sequence) => ("id, ", format!("nextval('{}'), ", sequence.quoted('"'))),
        None => ("", String::new()),
    };
    format!(
        "INSERT INTO {table} AS kept ({column}session_id, data, expiry) \
         SELECT {number}$2, $3, {} WHERE {is_intact} \
         ON CONFLICT (session_id) DO UPDATE SET data = EXCLUDED.data, expiry = EXCLUDED.expiry \
         WHERE (kept.expiry > {NOW} AND kept.data IS NOT NULL) IS NOT TRUE",
        expiry("$4"),
    )
}

/// Answers whether the record was replaced, and whether there was a record when the statement
/// began.
fn update(table: &str, is_intact: &str) -> String {
    format!(
        "WITH updated AS ( \
             UPDATE {table} SET data = $4, expiry = {} \
             WHERE {is_intact} AND session_id = $2 AND data = $3 AND {IS_LIVE} RETURNING 1 \
         ) \
         SELECT EXISTS (SELECT FROM updated), \
                EXISTS (SELECT FROM {table} WHERE session_id = $2 AND {IS_LIVE})",
        expiry("$5"),
    )
}

/// The time of `now()` is constant during a statement, so the server can use the index.
fn sweep(table: &str, is_intact: &str) -> String {
    let is_over = "expiry <= (now() AT TIME ZONE 'UTC')";
    format!(
        "DELETE FROM {table} WHERE {is_intact} AND {is_over} AND id IN ( \
             SELECT id FROM {table} WHERE {is_over} LIMIT {SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED \
         )"
    )
}

/// When a time to live in milliseconds that begins now is over.
fn expiry(millis: &str) -> String {
    format!("{NOW} + {millis}::bigint * interval '1 millisecond'")
}
