//! The statements of [`MySql`].

use sqlx::SqlStr;

use super::MySql;
use crate::limits::SWEPT_AT_ONCE;
use crate::options::SqlOptions;
use crate::statement::statement;

/// The row of a key. A column of Flask-Session also finds keys that differ in case, and most
/// columns find keys that differ in spaces at the end. So the statement compares the bytes, too.
const HAS_KEY: &str = "session_id = ? AND CAST(session_id AS BINARY) = ?";

/// Whether a row is a record: it has not expired, and Flask-Session would read it.
const IS_LIVE: &str = "expiry > UTC_TIMESTAMP(6) AND data IS NOT NULL";

/// When a time to live in microseconds that begins now is over.
const EXPIRY: &str = "UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND";

pub(super) struct Statements {
    pub(super) load: SqlStr,
    pub(super) extend: SqlStr,
    pub(super) create: SqlStr,
    pub(super) replace: SqlStr,
    pub(super) update: SqlStr,
    pub(super) is_live: SqlStr,
    pub(super) find: SqlStr,
    pub(super) remove: SqlStr,
    pub(super) discard: SqlStr,
    pub(super) sweep: SqlStr,
    pub(super) room: SqlStr,
}

impl Statements {
    pub(super) fn new(options: &SqlOptions<MySql>) -> Self {
        let table = options.quoted_table('`');
        Self {
            load: statement(format!("SELECT data FROM {table} WHERE {HAS_KEY} AND {IS_LIVE}")),
            extend: statement(format!(
                "UPDATE {table} SET expiry = GREATEST(expiry, {EXPIRY}) \
                 WHERE {HAS_KEY} AND {IS_LIVE}"
            )),
            create: statement(format!(
                "INSERT INTO {table} (session_id, data, expiry) VALUES (?, ?, {EXPIRY})"
            )),
            replace: statement(format!(
                "UPDATE {table} SET data = ?, expiry = {EXPIRY} \
                 WHERE {HAS_KEY} AND ({IS_LIVE}) IS NOT TRUE"
            )),
            update: statement(format!(
                "UPDATE {table} SET data = ?, expiry = {EXPIRY} \
                 WHERE {HAS_KEY} AND {IS_LIVE} AND data = ?"
            )),
            is_live: statement(format!(
                "SELECT EXISTS (SELECT 1 FROM {table} WHERE {HAS_KEY} AND {IS_LIVE})"
            )),
            find: statement(format!(
                "SELECT IF({IS_LIVE}, data, NULL) FROM {table} WHERE {HAS_KEY}"
            )),
            remove: statement(format!("DELETE FROM {table} WHERE {HAS_KEY} AND data = ?")),
            discard: statement(format!(
                "DELETE FROM {table} WHERE {HAS_KEY} AND ({IS_LIVE}) IS NOT TRUE"
            )),
            sweep: statement(format!(
                "DELETE FROM {table} WHERE expiry <= UTC_TIMESTAMP(6) \
                 ORDER BY expiry LIMIT {SWEPT_AT_ONCE}"
            )),
            room: statement(room(options)),
        }
    }
}

/// The longest value, and the longest message.
fn room(options: &SqlOptions<MySql>) -> String {
    let schema = match &options.schema {
        Some(schema) => format!("'{}'", schema.as_str()),
        None => "DATABASE()".to_owned(),
    };
    format!(
        "SELECT ( \
             SELECT CAST(CHARACTER_MAXIMUM_LENGTH AS UNSIGNED) FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = '{}' AND COLUMN_NAME = 'data' \
         ), CAST(@@max_allowed_packet AS UNSIGNED)",
        options.table.as_str(),
    )
}
