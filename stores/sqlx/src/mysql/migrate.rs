//! Making the table of [`MySql`].

use std::time::Duration;

use sqlx::{SqlSafeStr, SqlStr, query};

use super::MySql;
use crate::answer::value;
use crate::error::SqlError;
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
    /// When the server is not there, when the user may not create a table, and when the table's
    /// name belongs to something else.
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
    // Ends with the connection, if this is cut off.
    lease.hold();
    let locked = lease.rows(|| once("SELECT GET_LOCK('cloakroom', 60)")).await?;
    if value::<Option<i64>, _>(&locked, 0)? != Some(1) {
        return Err(SqlError::TIMED_OUT);
    }
    let schema = options.schema.as_ref().map(SqlName::as_str);
    if let Some(schema) = &options.schema {
        let create = format!("CREATE DATABASE IF NOT EXISTS {}", schema.quoted('`'));
        make(&mut lease, NO_SCHEMA, &[Some(schema.as_str())], create).await?;
    }
    let place = [schema, Some(options.table.as_str())];
    let create = format!("CREATE TABLE IF NOT EXISTS {table} {COLUMNS}");
    make(&mut lease, NO_TABLE, &place, create).await?;
    make(&mut lease, NO_INDEX, &place, format!("CREATE INDEX expiry ON {table} (expiry)")).await?;
    lease.rows(|| once("SELECT RELEASE_LOCK('cloakroom')")).await?;
    lease.release();
    Ok(())
}

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

/// Makes what is missing. It asks first: the server demands rights for `CREATE .. IF NOT EXISTS`
/// even of a table that exists.
async fn make(
    lease: &mut Lease<sqlx::MySql>,
    is_missing: &'static str,
    place: &[Option<&str>],
    create: String,
) -> Result<(), SqlError> {
    let missing =
        lease.rows(|| place.iter().fold(once(is_missing), |query, name| query.bind(*name)));
    if value::<bool, _>(&missing.await?, 0)? {
        let create: SqlStr = statement(create);
        lease.execute(|| once(create.clone())).await?;
    }
    Ok(())
}

/// A statement that the connection does not cache.
fn once(text: impl SqlSafeStr) -> Query<'static, sqlx::MySql> {
    query(text).persistent(false)
}
