//! Settings of a store: [`SqlOptions`].

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::name::SqlName;

/// Names in the database, and timeouts. `S` is the store: [`Postgres`](crate::Postgres),
/// [`MySql`](crate::MySql) or [`Sqlite`](crate::Sqlite).
///
/// `connect(url)` makes the store of it, or `pool(pool)` with a pool of the application. An
/// operation ends after the sum of both timeouts at the latest: it may wait for a connection
/// first.
///
/// # Example
///
/// ```no_run
/// # #[cfg(feature = "postgres")] {
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use cloakroom_sqlx::{Postgres, SqlName};
///
/// let store = Postgres::options()
///     .table(SqlName::new("shop_sessions")?)
///     .schema(SqlName::new("shop")?)
///     .response_timeout(Duration::from_secs(1))
///     .connect("postgres://postgres@127.0.0.1/postgres")
///     .await?;
/// # Ok(())
/// # }
/// # }
/// ```
#[must_use = "options do nothing until they become a store"]
pub struct SqlOptions<S> {
    pub(crate) table: SqlName,
    pub(crate) schema: Option<SqlName>,
    pub(crate) sequence: Option<SqlName>,
    pub(crate) response_timeout: Duration,
    pub(crate) connection_timeout: Duration,
    /// Whether each statement is a transaction of its own, which prepares it.
    pub(crate) in_transactions: bool,
    store: PhantomData<fn() -> S>,
}

impl<S> SqlOptions<S> {
    /// Only the stores make options.
    pub(crate) fn new() -> Self {
        let timeout = Duration::from_secs(5);
        Self {
            table: SqlName::sessions(),
            schema: None,
            sequence: None,
            response_timeout: timeout,
            connection_timeout: timeout,
            in_transactions: false,
            store: PhantomData,
        }
    }

    /// The table.
    ///
    /// # Default
    ///
    /// `sessions`, as in Flask-Session.
    pub fn table(mut self, name: SqlName) -> Self {
        self.table = name;
        self
    }

    /// How long an operation may take once it has a connection. After that it is an error, and
    /// the store closes the connection.
    ///
    /// # Default
    ///
    /// Five seconds.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long an operation waits for a free connection, or for a new one.
    ///
    /// # Default
    ///
    /// Five seconds.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// The table, as statements name it.
    pub(crate) fn quoted_table(&self, quote: char) -> String {
        let table = self.table.quoted(quote);
        match &self.schema {
            Some(schema) => format!("{}.{table}", schema.quoted(quote)),
            None => table,
        }
    }
}

impl<S> Clone for SqlOptions<S> {
    fn clone(&self) -> Self {
        Self {
            table: self.table.clone(),
            schema: self.schema.clone(),
            sequence: self.sequence.clone(),
            store: PhantomData,
            ..*self
        }
    }
}

impl<S> fmt::Debug for SqlOptions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlOptions")
            .field("table", &self.table)
            .field("schema", &self.schema)
            .field("sequence", &self.sequence)
            .field("response_timeout", &self.response_timeout)
            .field("connection_timeout", &self.connection_timeout)
            .field("transaction_pooler", &self.in_transactions)
            .finish()
    }
}
