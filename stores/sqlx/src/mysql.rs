//! The store: [`MySql`].

mod migrate;
mod operations;
mod statements;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{Key, Store, Sweep, Ttl, Writable};
use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sqlx::{MySqlPool, query};

use self::operations::Operation;
use self::statements::Statements;
use crate::error::SqlError;
use crate::lease::{Link, Trouble, pool_options};
use crate::limits::{SWEPT_AT_ONCE, check_length};
use crate::name::SqlName;
use crate::options::SqlOptions;
use crate::revision::SqlRevision;
use crate::url;

/// Keeps sessions in MariaDB 10.5 or MySQL 8.0, or newer. Inside a tokio runtime
/// only.
///
/// The table is Flask-Session's; [`migrate`](Self::migrate) makes it.
///
/// | column | type | content |
/// |---|---|---|
/// | `id` | `BIGINT`, primary key | a number |
/// | `session_id` | `VARCHAR(255)`, unique, compared by its bytes | the key |
/// | `data` | `LONGBLOB` | the value |
/// | `expiry` | `DATETIME(6)`, with an index | when the record expires, in UTC |
///
/// An operation is one statement where these servers can execute it as one:
///
/// | operation | statements |
/// |---|---|
/// | load | one; two where it extends |
/// | create | one; two or three where the key has a row |
/// | update | one; two where it found another version |
/// | remove | two; two more after each update in between |
///
/// An expired record counts as absent, by the server's clock. [`sweep`](Sweep::sweep) removes
/// expired records, a thousand rows at a time.
///
/// # A table that Flask-Session made
///
/// It works without a change, with two limits. Its column is a `BLOB`: a value has up to 65,535
/// bytes, and a longer one is an error in any `sql_mode`, never cut off. Its expiry is a
/// `DATETIME`, which counts whole seconds: a record may end up to a second early in MariaDB,
/// which cuts the fraction off, and half a second early or late in MySQL, which rounds.
///
/// # What is kept
///
/// An acknowledged write survives a crash, with the default
/// `innodb_flush_log_at_trx_commit = 1`. A replica that takes over may miss the last writes. The
/// pool must not lead to replicas, which may still have a session that has ended. Its
/// connections must be in the default mode `autocommit`.
///
/// # Behind a proxy
///
/// A proxy must follow prepared statements, as ProxySQL and MaxScale do. It must send the reads
/// of the table to the primary, not to replicas.
///
/// # Sizes
///
/// A value and the one before it have to fit into the server's `max_allowed_packet` together.
///
/// # When the connection fails
///
/// An operation that got no answer is an error, and may or may not have happened. The store
/// sends a statement again only if the server has undone it because of a deadlock. An operation
/// that is dropped once it has a connection continues to its end in the background.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_sqlx::SqlError> {
/// use cloakroom_sqlx::MySql;
///
/// let store = MySql::connect("mysql://app:password@127.0.0.1/shop").await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share the pool.
#[derive(Clone)]
pub struct MySql {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link<sqlx::MySql>,
    statements: Statements,
    options: SqlOptions<MySql>,
    /// The longest value, and the longest sum with the one before it. The store asks for them
    /// once a value is longer than every table accepts.
    room: [AtomicU64; 2],
}

impl MySql {
    /// Uses a pool of the application, with the default options.
    ///
    /// `test_before_acquire(false)` on it saves a round trip in every operation. An operation
    /// on a connection that the server has closed, or that the network has forgotten, is then an
    /// error.
    #[must_use]
    pub fn new(pool: MySqlPool) -> Self {
        Self::options().pool(pool)
    }

    /// Connects to the server that a URL names, with up to ten connections:
    /// `mysql://user:password@host:port/database`.
    ///
    /// TLS needs the feature `rustls`, and `?ssl-mode=VERIFY_IDENTITY` in the URL, perhaps with
    /// `&ssl-ca=` and the path of an authority's certificate: otherwise the store accepts a server
    /// without TLS, or with any certificate. Without TLS, the usual users of MySQL 8 need the
    /// feature `mysql-rsa` of the crate `sqlx`.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the server is not there.
    pub async fn connect(url: &str) -> Result<Self, SqlError> {
        Self::options().connect(url).await
    }

    /// Connects to the server on MySQL's usual port of this machine,
    /// `127.0.0.1:3306`, as user `root`, to the database `sessions`.
    ///
    /// # Errors
    ///
    /// When there is no server or no such database.
    pub async fn local() -> Result<Self, SqlError> {
        Self::connect("mysql://root@127.0.0.1:3306/sessions").await
    }

    /// Names and timeouts, to change before connecting.
    pub fn options() -> SqlOptions<Self> {
        SqlOptions::new()
    }

    /// Runs an operation on one key.
    async fn run<T, F>(
        &self,
        key: &Key,
        work: impl FnOnce(Operation) -> F + Send,
    ) -> Result<T, SqlError>
    where
        F: Future<Output = Result<T, SqlError>> + Send + 'static,
        T: Send + 'static,
    {
        let (shared, key) = (self.shared.clone(), key.clone());
        self.shared.link.run(|lease| work(Operation { lease, shared, key })).await
    }
}

impl Default for SqlOptions<MySql> {
    fn default() -> Self {
        Self::new()
    }
}

impl SqlOptions<MySql> {
    /// The schema of the table. These servers also call it a database.
    ///
    /// # Default
    ///
    /// The database of the connection.
    pub fn schema(mut self, name: SqlName) -> Self {
        self.schema = Some(name);
        self
    }

    /// A store with a pool of the application.
    #[must_use]
    pub fn pool(self, pool: MySqlPool) -> MySql {
        self.store(pool, Arc::default())
    }

    /// Connects, as [`MySql::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the server is not there.
    pub async fn connect(self, url: &str) -> Result<MySql, SqlError> {
        let server: MySqlConnectOptions = url::server(
            url,
            ["mysql://", "mariadb://"],
            "the URL is not one of MySQL: it begins with `mysql://`",
        )?;
        let trouble = Arc::default();
        let pool = pool_options(&self, &trouble).connect_with(server).await;
        Ok(self.store(pool.map_err(SqlError::of)?, trouble))
    }

    fn store(self, pool: MySqlPool, trouble: Arc<Trouble>) -> MySql {
        let link = Link::new(pool, &self, trouble);
        let statements = Statements::new(&self);
        let room = Default::default();
        MySql { shared: Arc::new(Shared { link, statements, options: self, room }) }
    }
}

impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql").finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Writable for MySql {}

#[diagnostic::do_not_recommend]
impl Store for MySql {
    type Error = SqlError;
    type Value = Arc<[u8]>;
    type Revision = SqlRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, SqlError> {
        self.run(key, move |operation| operation.load(extend)).await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<SqlRevision>, SqlError> {
        check_length(value)?;
        let value = Arc::from(value);
        self.run(key, move |operation| operation.create(value, ttl)).await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &SqlRevision,
    ) -> Result<Update<SqlRevision>, SqlError> {
        check_length(value)?;
        let (value, seen) = (Arc::from(value), seen.clone());
        self.run(key, move |operation| operation.update(value, ttl, seen)).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Arc<[u8]>>, SqlError> {
        self.run(key, Operation::remove).await
    }
}

#[diagnostic::do_not_recommend]
impl Sweep for MySql {
    /// Each statement removes a thousand rows, so that it does not lock them for long. After an
    /// error, some rows may have been removed.
    async fn sweep(&self) -> Result<u64, SqlError> {
        let mut total = 0;
        loop {
            let shared = self.shared.clone();
            let swept = self.shared.link.run(move |mut lease| async move {
                let sweep = &shared.statements.sweep;
                Ok(lease.execute(|| query(sweep.clone())).await?.rows_affected())
            });
            let swept = swept.await?;
            total += swept;
            if swept < SWEPT_AT_ONCE {
                return Ok(total);
            }
        }
    }
}

/// The number of an error. Several numbers have the general SQLSTATE.
pub(crate) fn number(error: &dyn DatabaseError) -> Option<u16> {
    Some(error.try_downcast_ref::<MySqlDatabaseError>()?.number())
}
