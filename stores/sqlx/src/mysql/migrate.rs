//! Making the table of [`MySql`].

use std::time::Duration;

use cloakroom::Key;
use sqlx::mysql::MySqlRow;
use sqlx::{Row, SqlSafeStr, SqlStr, query};

use super::MySql;
use crate::answer::value;
use crate::columns::{Column, Needed, check_columns};
use crate::error::{Answer, SqlError};
use crate::lease::Lease;
use crate::name::SqlName;
use crate::options::SqlOptions;
use crate::statement::{Query, statement};

/// The timeout for making the table with its index.
const TIME: Duration = Duration::from_secs(60);

impl MySql {
    /// Makes the schema, the table and the index on `expiry`, unless they exist.
    ///
    /// Several processes may call it at once. It takes a minute at most. Where nothing is
    /// missing, it needs no right to create anything.
    ///
    /// # Errors
    ///
    /// When the server is not there, when the user may not create a table, and when the table is
    /// one of another program. The error then says which column does not fit.
    pub async fn migrate(&self) -> Result<(), SqlError> {
        let options = self.shared.options.clone();
        self.shared.link.run_within(TIME, |lease| make_all(lease, options)).await
    }
}

async fn make_all(
    mut lease: Lease<sqlx::MySql>,
    options: SqlOptions<MySql>,
) -> Result<(), SqlError> {
    let table = options.quoted_table('`');
    let schema = options.schema.as_ref().map(SqlName::as_str);
    if let Some(schema) = &options.schema {
        let create = format!("CREATE DATABASE IF NOT EXISTS {}", schema.quoted('`'));
        make(&mut lease, NO_SCHEMA, &[Some(schema.as_str())], create).await?;
    }
    let place = [schema, Some(options.table.as_str())];
    let create = format!("CREATE TABLE IF NOT EXISTS {table} {COLUMNS}");
    make(&mut lease, NO_TABLE, &place, create).await?;
    check_table(&mut lease, &place, &options.table).await?;
    make(&mut lease, NO_INDEX, &place, format!("CREATE INDEX expiry ON {table} (expiry)")).await
}

/// Whether the table is one for sessions, also where another program made it.
async fn check_table(
    lease: &mut Lease<sqlx::MySql>,
    place: &[Option<&str>],
    table: &SqlName,
) -> Result<(), SqlError> {
    if !answer(lease, IS_TABLE, place).await? {
        let what = "belongs to something that is not a table".to_owned();
        return Err(SqlError::misfit(table, what));
    }
    let mut columns = Vec::new();
    for row in lease.rows(|| asked(FOUND, place)).await? {
        columns.push(column(&row).map_err(SqlError::of)?);
    }
    check_columns(table, &columns, &NEEDED, false)?;
    if !answer(lease, IS_UNIQUE, place).await? {
        let what = "has no unique index on `session_id` alone".to_owned();
        return Err(SqlError::misfit(table, what));
    }
    Ok(())
}

const NEEDED: [Needed; 4] = [
    Needed {
        name: "id",
        kind: "BIGINT or INT",
        fits: |name, _| name.starts_with("bigint") || name.starts_with("int"),
    },
    Needed {
        name: "session_id",
        kind: "VARCHAR(255)",
        fits: |name, length| {
            name == "varchar" && length.is_some_and(|length| length >= Key::MAX as u64)
        },
    },
    Needed {
        name: "data",
        kind: "LONGBLOB or BLOB",
        fits: |name, _| matches!(name, "blob" | "mediumblob" | "longblob"),
    },
    Needed { name: "expiry", kind: "DATETIME(6)", fits: |name, _| name == "datetime" },
];

const COLUMNS: &str = "( \
    id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, \
    session_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL UNIQUE, \
    data LONGBLOB, \
    expiry DATETIME(6), \
    INDEX expiry (expiry) \
) ENGINE = InnoDB";

const NO_SCHEMA: &str =
    "SELECT NOT EXISTS (SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?)";

const NO_TABLE: &str = "SELECT NOT EXISTS ( \
    SELECT 1 FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? \
)";

/// Whether no index begins with the column, whatever its name.
const NO_INDEX: &str = "SELECT NOT EXISTS ( \
    SELECT 1 FROM information_schema.STATISTICS \
    WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? \
    AND COLUMN_NAME = 'expiry' AND SEQ_IN_INDEX = 1 \
)";

const IS_TABLE: &str = "SELECT EXISTS ( \
    SELECT 1 FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? \
    AND TABLE_TYPE NOT IN ('VIEW', 'SYSTEM VIEW', 'SEQUENCE') \
)";

/// Keys are compared by their bytes. In these character sets, each letter has more than one.
const FOUND: &str = "SELECT \
    CAST(LOWER(COLUMN_NAME) AS CHAR), CAST(COLUMN_TYPE AS CHAR), IS_NULLABLE = 'YES', \
    (COLUMN_DEFAULT IS NOT NULL OR EXTRA LIKE '%auto_increment%' OR EXTRA LIKE '%GENERATED%'), \
    COALESCE(CHARACTER_SET_NAME, '') NOT IN ('ucs2', 'utf16', 'utf16le', 'utf32') \
FROM information_schema.COLUMNS \
WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION";

const IS_UNIQUE: &str = "SELECT EXISTS ( \
    SELECT 1 FROM information_schema.STATISTICS \
    WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND NON_UNIQUE = 0 \
    GROUP BY INDEX_NAME \
    HAVING COUNT(*) = 1 AND MAX(COLUMN_NAME = 'session_id' AND SUB_PART IS NULL) = 1 \
)";

fn column(row: &MySqlRow) -> Result<Column, sqlx::Error> {
    Ok(Column {
        name: row.try_get(0)?,
        kind: row.try_get(1)?,
        is_nullable: row.try_get(2)?,
        fills_itself: row.try_get(3)?,
        is_exact: row.try_get(4)?,
    })
}

/// Makes what is missing. It asks first: the server demands rights for `CREATE .. IF NOT EXISTS`
/// even of a table that exists. Where another process makes the same meanwhile, it is there.
///
/// There is no lock around it. Galera and Percona's cluster refuse `GET_LOCK` in strict mode.
async fn make(
    lease: &mut Lease<sqlx::MySql>,
    is_missing: &'static str,
    place: &[Option<&str>],
    create: String,
) -> Result<(), SqlError> {
    if answer(lease, is_missing, place).await? {
        let create: SqlStr = statement(create);
        match lease.execute(|| once(create.clone())).await {
            Ok(_) => {}
            Err(fault) if fault.answer() == Some(Answer::Duplicate) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Asks a question about a place.
async fn answer(
    lease: &mut Lease<sqlx::MySql>,
    question: &'static str,
    place: &[Option<&str>],
) -> Result<bool, SqlError> {
    value(&lease.rows(|| asked(question, place)).await?, 0)
}

fn asked<'q>(question: &'static str, place: &[Option<&'q str>]) -> Query<'q, sqlx::MySql> {
    place.iter().fold(once(question), |query, name| query.bind(*name))
}

/// A statement that the connection does not cache.
fn once<'q>(text: impl SqlSafeStr) -> Query<'q, sqlx::MySql> {
    query(text).persistent(false)
}
