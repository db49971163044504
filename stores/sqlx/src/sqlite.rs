//! The store: [`Sqlite`].

mod file;
mod statements;
mod table;

use std::fmt;
use std::sync::Arc;

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{Clock, Key, Store, Sweep, Ttl, Writable};
use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{SqlitePool, query};
use tokio::runtime::Handle;

use self::file::path_of;
use self::statements::Statements;
use self::table::check_table;
use crate::answer::{bytes, record, value};
use crate::error::SqlError;
use crate::lease::{Link, Trouble, pool_options};
use crate::limits::{SWEPT_AT_ONCE, check_length};
use crate::name::SqlName;
use crate::options::SqlOptions;
use crate::revision::SqlRevision;

/// Keeps sessions in a file of SQLite, which several processes on one machine
/// may share. Inside a tokio runtime only.
///
/// Every operation is one statement. An update that finds another version takes a second one.
/// The table is Flask-Session's; [`migrate`](Self::migrate) makes it.
///
/// | column | type | content |
/// |---|---|---|
/// | `id` | `INTEGER`, primary key | a number |
/// | `session_id` | `VARCHAR(255)`, unique | the key |
/// | `data` | `BLOB` | the value |
/// | `expiry` | `DATETIME`, with an index | when the record expires, in UTC: `2026-01-31 12:00:00.000000` |
///
/// An expired record counts as absent, by the clock of this machine. [`sweep`](Sweep::sweep)
/// removes expired records, a thousand rows at a time.
///
/// # What is kept
///
/// An acknowledged write survives a crash of the program. It survives a power cut, too, unless
/// a pool of the application sets `synchronous` lower than `FULL`.
///
/// One process writes at a time. The others wait until the response timeout is over, or with a
/// pool of the application for its `busy_timeout`.
///
/// # In memory
///
/// A database in memory (`sqlite::memory:`) ends with its connection, and so does one without a
/// name (`sqlite://`). [`connect`](Self::connect) makes one connection to it, which all
/// operations share. All sessions end with it: when the last clone is dropped, and when an
/// operation takes longer than the response timeout. A pool of the application for such a
/// database has `max_connections(1)`, and neither `idle_timeout` nor `max_lifetime`.
///
/// # Example
///
/// ```
/// # async fn example() -> Result<(), cloakroom_sqlx::SqlError> {
/// use cloakroom_sqlx::Sqlite;
///
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let path = folder.path().join("sessions.db").display().to_string();
/// # let url = "sqlite://sessions.db";
/// # let url = format!("sqlite://{path}");
/// # let url = &url;
/// let store = Sqlite::connect(url).await?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
/// # runtime.expect("a runtime").block_on(example()).expect("it works");
/// ```
///
/// Clones share the pool.
#[derive(Clone)]
pub struct Sqlite {
    shared: Arc<Shared>,
    clock: Clock,
}

struct Shared {
    link: Link<sqlx::Sqlite>,
    table: SqlName,
    statements: Statements,
}

impl Sqlite {
    /// Uses a pool of the application, with the default options.
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self::options().pool(pool)
    }

    /// Opens the file that a URL names, with up to ten connections, and makes
    /// it where it is missing: `sqlite://sessions.db` in the working directory,
    /// or `sqlite:///var/lib/shop/sessions.db`.
    ///
    /// A new file has mode 0600, whatever the `umask` of the process, and so have those that
    /// SQLite keeps beside it. One that exists keeps its mode. `mode=ro` in the URL makes none.
    ///
    /// The store sets the file to write-ahead logging, so that readers and a writer do not wait
    /// for each other. That does not work on a network file system.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when the folder of the file does not exist, and when the file
    /// cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, SqlError> {
        Self::options().connect(url).await
    }

    /// Opens `sessions.db` in the working directory.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub async fn local() -> Result<Self, SqlError> {
        Self::connect("sqlite://sessions.db").await
    }

    /// Names and timeouts, to change before connecting.
    pub fn options() -> SqlOptions<Self> {
        SqlOptions::new()
    }

    /// The clock by which records expire.
    ///
    /// # Default
    ///
    /// The system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the table and the index on `expiry`, unless they exist. Several processes may call
    /// it at once.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, when other processes write to it for longer than the
    /// response timeout, and when the table is one of another program. The error then says which
    /// column does not fit.
    pub async fn migrate(&self) -> Result<(), SqlError> {
        let shared = self.shared.clone();
        let made = self.shared.link.run(move |mut lease| async move {
            lease.hold();
            lease.execute(|| query("BEGIN IMMEDIATE").persistent(false)).await?;
            let [table, index] = &shared.statements.tables;
            lease.execute(|| query(table.clone()).persistent(false)).await?;
            if let Err(misfit) = check_table(&mut lease, &shared.table).await {
                // A database in memory ends with its connection.
                lease.command("ROLLBACK").await?;
                lease.release();
                return Err(misfit);
            }
            lease.execute(|| query(index.clone()).persistent(false)).await?;
            lease.execute(|| query("COMMIT").persistent(false)).await?;
            lease.release();
            Ok(())
        });
        made.await
    }

    fn now(&self) -> i64 {
        // Up to the year 10889, so the number fits.
        self.clock.unix_millis() as i64
    }

    /// When a time to live that begins now is over.
    fn expiry(&self, ttl: Ttl) -> i64 {
        self.now() + ttl.as_millis() as i64
    }
}

impl Default for SqlOptions<Sqlite> {
    fn default() -> Self {
        Self::new()
    }
}

impl SqlOptions<Sqlite> {
    /// A store with a pool of the application.
    #[must_use]
    pub fn pool(self, pool: SqlitePool) -> Sqlite {
        self.store(pool, Arc::default())
    }

    /// Opens the file, as [`Sqlite::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the file cannot be opened.
    pub async fn connect(self, url: &str) -> Result<Sqlite, SqlError> {
        if !url.starts_with("sqlite:") {
            return Err(SqlError::unusable(
                "the URL is not one of SQLite: it begins with `sqlite:`",
            ));
        }
        let file: SqliteConnectOptions = url.parse().map_err(|_| SqlError::REFUSED_SETTING)?;
        let file = file
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(self.response_timeout);
        let trouble = Arc::default();
        let mut pool = pool_options(&self, &trouble);
        if is_in_memory(url, &file) {
            pool = only_one(pool);
        } else {
            let (path, is_new) = (path_of(&file), !is_for_reading(url));
            let made = Handle::current().spawn_blocking(move || file::prepare(&path, is_new));
            made.await.unwrap_or(Err(SqlError::UNEXPECTED))?;
        }
        let pool = pool.connect_with(file).await.map_err(|error| match error {
            // With a byte of zero in it, or not UTF-8.
            sqlx::Error::Io(_) => SqlError::unusable("the database's file has an unusable name"),
            error => SqlError::of(error),
        })?;
        Ok(self.store(pool, trouble))
    }

    fn store(self, pool: SqlitePool, trouble: Arc<Trouble>) -> Sqlite {
        let link = Link::new(pool, &self, trouble);
        let statements = Statements::new(&self);
        let shared = Shared { link, table: self.table, statements };
        Sqlite { shared: Arc::new(shared), clock: Clock::system() }
    }
}

/// Whether the database ends with its connection. A file whose name only looks so would get
/// one connection.
fn is_in_memory(url: &str, file: &SqliteConnectOptions) -> bool {
    let name = file.get_filename().to_string_lossy();
    let says_so = |text: &str| text.contains(":memory:") || text.contains("mode=memory");
    name.is_empty() || says_so(&name) || says_so(url)
}

/// Whether the URL says that nothing is written.
fn is_for_reading(url: &str) -> bool {
    let (_, settings) = url.split_once('?').unwrap_or_default();
    settings
        .split('&')
        .any(|setting| matches!(setting, "mode=ro" | "immutable=1" | "immutable=true"))
}

/// One connection, which is closed neither for its age nor for a slow answer to a ping.
fn only_one(pool: PoolOptions<sqlx::Sqlite>) -> PoolOptions<sqlx::Sqlite> {
    let pool = pool.max_connections(1).idle_timeout(None).max_lifetime(None);
    pool.before_acquire(|_, _| Box::pin(async { Ok(true) }))
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Writable for Sqlite {}

#[diagnostic::do_not_recommend]
impl Store for Sqlite {
    type Error = SqlError;
    type Value = Arc<[u8]>;
    type Revision = SqlRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, SqlError> {
        let (store, key) = (self.clone(), key.clone());
        let found = self.shared.link.run(move |mut lease| async move {
            let Statements { load, extend: postpone, .. } = &store.shared.statements;
            let rows = lease.rows(|| match extend {
                None => query(load.clone()).bind(key.as_str()).bind(store.now()),
                Some(ttl) => {
                    let query = query(postpone.clone()).bind(key.as_str()).bind(store.now());
                    query.bind(store.expiry(ttl))
                }
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
        let (store, key, value) = (self.clone(), key.clone(), Arc::<[u8]>::from(value));
        let made = self.shared.link.run(move |mut lease| async move {
            let create = &store.shared.statements.create;
            let done = lease.execute(|| {
                let query = query(create.clone()).bind(key.as_str()).bind(store.now());
                query.bind(store.expiry(ttl)).bind(&*value)
            });
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
        let (store, key, seen) = (self.clone(), key.clone(), seen.clone());
        let new = Arc::<[u8]>::from(new);
        let updated = self.shared.link.run(move |mut lease| async move {
            let Statements { update, is_live, .. } = &store.shared.statements;
            let done = lease.execute(|| {
                let query = query(update.clone()).bind(key.as_str()).bind(store.now());
                query.bind(store.expiry(ttl)).bind(&*new).bind(&*seen.0)
            });
            if done.await?.rows_affected() > 0 {
                return Ok(Update::Updated(SqlRevision(new)));
            }
            let rows =
                lease.rows(|| query(is_live.clone()).bind(key.as_str()).bind(store.now())).await?;
            Ok(if value(&rows, 0)? { Update::Conflict } else { Update::Gone })
        });
        updated.await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Arc<[u8]>>, SqlError> {
        let (store, key) = (self.clone(), key.clone());
        let removed = self.shared.link.run(move |mut lease| async move {
            let remove = &store.shared.statements.remove;
            let rows = lease.rows(|| query(remove.clone()).bind(key.as_str()).bind(store.now()));
            bytes(&rows.await?)
        });
        removed.await
    }
}

#[diagnostic::do_not_recommend]
impl Sweep for Sqlite {
    /// Each statement removes a thousand rows, so that others can write in between. After an
    /// error, some rows may have been removed.
    async fn sweep(&self) -> Result<u64, SqlError> {
        let mut total = 0;
        loop {
            let store = self.clone();
            let swept = self.shared.link.run(move |mut lease| async move {
                let sweep = &store.shared.statements.sweep;
                let done = lease.execute(|| query(sweep.clone()).bind(store.now())).await?;
                Ok(done.rows_affected())
            });
            let swept = swept.await?;
            total += swept;
            if swept < SWEPT_AT_ONCE {
                return Ok(total);
            }
        }
    }
}
