//! The store: [`Postgres`].

mod migrate;
mod pooler;
mod seal;
mod statements;

use std::fmt;
use std::sync::Arc;

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{Key, Store, Sweep, Ttl, Writable};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use self::statements::Statements;
use crate::answer::{bytes, record, value};
use crate::error::SqlError;
use crate::lease::{Link, Trouble, pool_options};
use crate::limits::{SWEPT_AT_ONCE, check_length};
use crate::name::SqlName;
use crate::options::SqlOptions;
use crate::revision::SqlRevision;
use crate::url;

/// Keeps sessions in PostgreSQL 12 or newer. Inside a tokio runtime only.
///
/// Every operation is one statement, and one round trip. The table is
/// Flask-Session's; [`migrate`](Self::migrate) makes it.
///
/// | column | type | content |
/// |---|---|---|
/// | `id` | `bigint`, primary key | a number |
/// | `session_id` | `varchar(255)`, unique | the key |
/// | `data` | `bytea` | the value |
/// | `expiry` | `timestamp`, with an index | when the record expires, in UTC |
///
/// An expired record counts as absent, by the server's clock. [`sweep`](Sweep::sweep) removes
/// expired records, a thousand rows at a time.
///
/// # What is kept
///
/// An acknowledged write survives a crash, unless `synchronous_commit` or `fsync` is off. An
/// asynchronous replica that takes over may miss the last writes. The pool must not lead to
/// replicas, which may still have a session that has ended.
///
/// # Behind a pooler
///
/// A pooler that gives each transaction any connection to the server, such as PgBouncer with
/// `pool_mode = transaction`, needs
/// [`options().transaction_pooler()`](SqlOptions::transaction_pooler). Without it, the store
/// returns errors there, and never runs a wrong statement.
///
/// # When the connection fails
///
/// An operation that got no answer is an error, and may or may not have happened. The store
/// sends a statement again only if the server has undone it because of a deadlock, or of a
/// conflict of serializable transactions. An operation that is dropped once it has a connection
/// continues to its end in the background.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_sqlx::SqlError> {
/// use cloakroom_sqlx::Postgres;
///
/// let store = Postgres::connect("postgres://postgres@127.0.0.1/postgres").await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share the pool.
#[derive(Clone)]
pub struct Postgres {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link<sqlx::Postgres>,
    statements: Statements,
    options: SqlOptions<Postgres>,
}

impl Postgres {
    /// Uses a pool of the application, with the default options.
    ///
    /// `test_before_acquire(false)` on it saves a round trip in every operation. An operation
    /// on a connection that the server has closed, or that the network has forgotten, is then an
    /// error. [`migrate`](Self::migrate) looks for a pooler that mixes statements up.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self::options().pool(pool)
    }

    /// Connects to the server that a URL names, with up to ten connections:
    /// `postgres://user:password@host:port/database`.
    ///
    /// TLS needs the feature `rustls`, and `?sslmode=verify-full` in the URL, perhaps with
    /// `&sslrootcert=` and the path of an authority's certificate: otherwise the store accepts a
    /// server without TLS, or with any certificate.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when the server is not there, and when the connections lead
    /// to a pooler that [would mix statements up](SqlOptions::transaction_pooler).
    pub async fn connect(url: &str) -> Result<Self, SqlError> {
        Self::options().connect(url).await
    }

    /// Connects to the server on PostgreSQL's usual port of this machine,
    /// `127.0.0.1:5432`, as user `postgres`, to the database `postgres`.
    ///
    /// # Errors
    ///
    /// When the server is not there.
    pub async fn local() -> Result<Self, SqlError> {
        Self::connect("postgres://postgres@127.0.0.1:5432/postgres").await
    }

    /// Names and timeouts, to change before connecting.
    pub fn options() -> SqlOptions<Self> {
        SqlOptions::new()
    }
}

impl Default for SqlOptions<Postgres> {
    fn default() -> Self {
        Self::new()
    }
}

impl SqlOptions<Postgres> {
    /// The schema of the table.
    ///
    /// # Default
    ///
    /// The first in the `search_path` of the connection that has the table.
    pub fn schema(mut self, name: SqlName) -> Self {
        self.schema = Some(name);
        self
    }

    /// The sequence that numbers the rows. The server looks for it in the `search_path`, as for
    /// Flask-Session.
    ///
    /// # Default
    ///
    /// The column `id` numbers the rows itself.
    pub fn sequence(mut self, name: SqlName) -> Self {
        self.sequence = Some(name);
        self
    }

    /// Says that the connections lead to a pooler that gives each transaction any connection to
    /// the server, such as PgBouncer with `pool_mode = transaction`.
    ///
    /// Then each statement is a transaction of its own, which prepares it, and an operation is
    /// four round trips. A pooler that gives each statement any connection cannot be used.
    ///
    /// # Default
    ///
    /// The store prepares each statement once on a connection. That works without a pooler, with
    /// one that keeps a connection for the whole session, and with one that follows prepared
    /// statements (PgBouncer 1.21 or newer, with `max_prepared_statements`). With another,
    /// `connect` and `migrate` fail as soon as they see it, and an operation whose statement was
    /// mixed up with another one is an error and changes nothing.
    pub fn transaction_pooler(mut self) -> Self {
        self.in_transactions = true;
        self
    }

    /// A store with a pool of the application.
    #[must_use]
    pub fn pool(self, pool: PgPool) -> Postgres {
        self.store(pool, Arc::default())
    }

    /// Connects, as [`Postgres::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the server is not there.
    pub async fn connect(self, url: &str) -> Result<Postgres, SqlError> {
        let server: PgConnectOptions = url::server(
            url,
            ["postgres://", "postgresql://"],
            "the URL is not one of PostgreSQL: it begins with `postgres://`",
        )?;
        let trouble = Arc::default();
        // Poolers refuse settings that they do not know, and no column is a floating-point number.
        let server = server.extra_float_digits(None);
        let pool = pool_options(&self, &trouble).connect_with(server).await;
        let store = self.store(pool.map_err(SqlError::of)?, trouble);
        store.shared.check_statements().await?;
        Ok(store)
    }

    fn store(self, pool: PgPool, trouble: Arc<Trouble>) -> Postgres {
        let link = Link::new(pool, &self, trouble);
        let statements = Statements::new(&self);
        Postgres { shared: Arc::new(Shared { link, statements, options: self }) }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Writable for Postgres {}

#[diagnostic::do_not_recommend]
impl Store for Postgres {
    type Error = SqlError;
    type Value = Arc<[u8]>;
    type Revision = SqlRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, SqlError> {
        let (shared, key) = (self.shared.clone(), key.clone());
        let found = self.shared.link.run(move |mut lease| async move {
            let Statements { load, extend: postpone, .. } = &shared.statements;
            let rows = lease.rows(|| match extend {
                None => load.query().bind(key.as_str()),
                Some(ttl) => postpone.query().bind(key.as_str()).bind(millis(ttl)),
            });
            record(&rows.await?)
        });
        found.await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<SqlRevision>, SqlError> {
        check_length(value)?;
        let (shared, key, value) = (self.shared.clone(), key.clone(), Arc::<[u8]>::from(value));
        let made = self.shared.link.run(move |mut lease| async move {
            let create = &shared.statements.create;
            let done =
                lease.execute(|| create.query().bind(key.as_str()).bind(&*value).bind(millis(ttl)));
            Ok(match done.await?.rows_affected() {
                0 => Create::KeyTaken,
                _ => Create::Created(SqlRevision(value)),
            })
        });
        made.await
    }

    async fn update(
        &self,
        key: &Key,
        new: &[u8],
        ttl: Ttl,
        seen: &SqlRevision,
    ) -> Result<Update<SqlRevision>, SqlError> {
        check_length(new)?;
        let (shared, key, seen) = (self.shared.clone(), key.clone(), seen.clone());
        let new = Arc::<[u8]>::from(new);
        let updated = self.shared.link.run(move |mut lease| async move {
            let update = &shared.statements.update;
            let rows = lease.rows(|| {
                let query = update.query().bind(key.as_str()).bind(&*seen.0);
                query.bind(&*new).bind(millis(ttl))
            });
            let rows = rows.await?;
            Ok(match (value(&rows, 0)?, value(&rows, 1)?) {
                (true, _) => Update::Updated(SqlRevision(new)),
                (false, true) => Update::Conflict,
                (false, false) => Update::Gone,
            })
        });
        updated.await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Arc<[u8]>>, SqlError> {
        let (shared, key) = (self.shared.clone(), key.clone());
        let removed = self.shared.link.run(move |mut lease| async move {
            let remove = &shared.statements.remove;
            bytes(&lease.rows(|| remove.query().bind(key.as_str())).await?)
        });
        removed.await
    }
}

#[diagnostic::do_not_recommend]
impl Sweep for Postgres {
    /// Each statement removes a thousand rows, and skips locked ones. After an error, some rows
    /// may have been removed.
    async fn sweep(&self) -> Result<u64, SqlError> {
        let mut total = 0;
        loop {
            let shared = self.shared.clone();
            let swept = self.shared.link.run(move |mut lease| async move {
                let sweep = &shared.statements.sweep;
                Ok(lease.execute(|| sweep.query()).await?.rows_affected())
            });
            let swept = swept.await?;
            total += swept;
            if swept < SWEPT_AT_ONCE {
                return Ok(total);
            }
        }
    }
}

/// At most 400 days, so the number fits.
fn millis(ttl: Ttl) -> i64 {
    ttl.as_millis() as i64
}
