//! Whether the table of [`Sqlite`](crate::Sqlite) is one for sessions.

use cloakroom::Key;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, query};

use crate::answer::value;
use crate::columns::{Column, Needed, check_columns};
use crate::error::SqlError;
use crate::lease::Lease;
use crate::name::SqlName;

/// Checks a table that exists, which another program may have made.
pub(super) async fn check_table(
    lease: &mut Lease<sqlx::Sqlite>,
    table: &SqlName,
) -> Result<(), SqlError> {
    if !answer(lease, IS_TABLE, table).await? {
        let what = "belongs to something that is not a table with numbered rows".to_owned();
        return Err(SqlError::misfit(table, what));
    }
    let mut columns = Vec::new();
    let found = || query(COLUMNS).bind(table.as_str()).persistent(false);
    for row in lease.rows(found).await? {
        columns.push(column(&row).map_err(SqlError::of)?);
    }
    check_columns(table, &columns, &NEEDED, false)?;
    if !answer(lease, IS_UNIQUE, table).await? {
        let what = "has no unique index on `session_id` alone, by its bytes".to_owned();
        return Err(SqlError::misfit(table, what));
    }
    Ok(())
}

/// SQLite takes a type for a hint. Other programs that use the table may not.
const NEEDED: [Needed; 4] = [
    Needed { name: "id", kind: "INTEGER", fits: |name, _| name == "integer" },
    Needed {
        name: "session_id",
        kind: "VARCHAR(255)",
        fits: |name, length| {
            matches!(name, "varchar" | "text")
                && length.is_none_or(|length| length >= Key::MAX as u64)
        },
    },
    Needed { name: "data", kind: "BLOB", fits: |name, _| name == "blob" },
    Needed {
        name: "expiry",
        kind: "DATETIME",
        fits: |name, _| matches!(name, "datetime" | "text" | "timestamp"),
    },
];

const IS_TABLE: &str = "SELECT EXISTS ( \
    SELECT 1 FROM pragma_table_list \
    WHERE schema = 'main' AND name = ?1 COLLATE NOCASE AND type = 'table' AND NOT wr \
)";

const COLUMNS: &str = "SELECT lower(name), type, NOT \"notnull\", \
    dflt_value IS NOT NULL OR ( \
        pk = 1 AND upper(type) = 'INTEGER' \
        AND 1 = (SELECT count(*) FROM pragma_table_info(?1) WHERE pk > 0) \
    ) \
    FROM pragma_table_info(?1) ORDER BY cid";

/// Whether a row's key can be asked for in `ON CONFLICT`.
const IS_UNIQUE: &str = "SELECT EXISTS ( \
    SELECT 1 FROM pragma_index_list(?1) AS list \
    WHERE \"unique\" AND NOT partial \
    AND 1 = (SELECT count(*) FROM pragma_index_xinfo(list.name) WHERE key) \
    AND EXISTS ( \
        SELECT 1 FROM pragma_index_xinfo(list.name) \
        WHERE key AND name = 'session_id' COLLATE NOCASE AND coll = 'BINARY' \
    ) \
)";

fn column(row: &SqliteRow) -> Result<Column, sqlx::Error> {
    Ok(Column {
        name: row.try_get(0)?,
        kind: row.try_get(1)?,
        is_nullable: row.try_get(2)?,
        fills_itself: row.try_get(3)?,
        // The index says it.
        is_exact: true,
    })
}

async fn answer(
    lease: &mut Lease<sqlx::Sqlite>,
    question: &'static str,
    table: &SqlName,
) -> Result<bool, SqlError> {
    let asked = || query(question).bind(table.as_str()).persistent(false);
    value(&lease.rows(asked).await?, 0)
}
