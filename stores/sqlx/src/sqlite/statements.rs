//! The statements of [`Sqlite`].

use sqlx::SqlStr;

use super::Sqlite;
use crate::limits::SWEPT_AT_ONCE;
use crate::options::SqlOptions;
use crate::statement::statement;

/// Whether a row is a record: it has not expired, and Flask-Session would read it. `?1` is the
/// key, `?2` the current time.
const IS_RECORD: &str = "session_id = ?1 AND data IS NOT NULL \
    AND expiry > strftime('%Y-%m-%d %H:%M:%f000', ?2 / 1000.0, 'unixepoch')";

pub(super) struct Statements {
    pub(super) load: SqlStr,
    pub(super) extend: SqlStr,
    pub(super) create: SqlStr,
    pub(super) update: SqlStr,
    pub(super) is_live: SqlStr,
    pub(super) remove: SqlStr,
    pub(super) sweep: SqlStr,
    pub(super) tables: [SqlStr; 2],
}

impl Statements {
    pub(super) fn new(options: &SqlOptions<Sqlite>) -> Self {
        let table = options.quoted_table('"');
        let later = time("?3");
        Self {
            load: statement(format!("SELECT data FROM {table} WHERE {IS_RECORD}")),
            extend: statement(format!(
                "UPDATE {table} SET expiry = max(expiry, {later}) WHERE {IS_RECORD} RETURNING data"
            )),
            create: statement(format!(
                "INSERT INTO {table} (session_id, expiry, data) VALUES (?1, {later}, ?4) \
                 ON CONFLICT (session_id) DO UPDATE SET data = excluded.data, expiry = excluded.expiry \
                 WHERE ({IS_RECORD}) IS NOT TRUE",
            )),
            update: statement(format!(
                "UPDATE {table} SET expiry = {later}, data = ?4 WHERE {IS_RECORD} AND data = ?5"
            )),
            is_live: statement(format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {IS_RECORD})")),
            remove: statement(format!(
                "DELETE FROM {table} WHERE session_id = ?1 RETURNING iif({IS_RECORD}, data, NULL)"
            )),
            sweep: statement(sweep(&table)),
            tables: tables(options).map(statement),
        }
    }
}

fn sweep(table: &str) -> String {
    let now = time("?1");
    format!(
        "DELETE FROM {table} WHERE id IN ( \
             SELECT id FROM {table} WHERE expiry <= {now} LIMIT {SWEPT_AT_ONCE} \
         )"
    )
}

fn tables(options: &SqlOptions<Sqlite>) -> [String; 2] {
    let table = options.quoted_table('"');
    // Quotes of its own: the longest name gets longer.
    let index = format!("\"{}_expiry\"", options.table.as_str());
    [
        format!(
            "CREATE TABLE IF NOT EXISTS {table} ( \
                 id INTEGER PRIMARY KEY, session_id VARCHAR(255) NOT NULL UNIQUE, \
                 data BLOB, expiry DATETIME \
             )"
        ),
        format!("CREATE INDEX IF NOT EXISTS {index} ON {table} (expiry)"),
    ]
}

/// Unix time in milliseconds, as SQLAlchemy writes it.
fn time(millis: &str) -> String {
    format!("strftime('%Y-%m-%d %H:%M:%f000', {millis} / 1000.0, 'unixepoch')")
}
