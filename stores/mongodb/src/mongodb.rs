//! The store: [`MongoDb`].

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{Clock, Key, Store, Ttl, Writable};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection};

use crate::background::{self, Background};
use crate::collection::{collection, primary};
use crate::documents::{self, Stored};
use crate::error::{self, MongoDbError};
use crate::names::{self, InvalidMongoDbName};

/// The longest value, in bytes. A document has at most 16 MiB, and so has an update, which
/// names the old value beside the new one. 2 KiB are left for the rest of it.
const MAX_VALUE: usize = (8 << 20) - 1024;

/// The default deadline of an operation.
const DEADLINE: Duration = Duration::from_secs(2);

/// The default timeout for a connection, and for a primary, where the URL has none.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// The default interval of the driver's heartbeats, where the URL has none. With the
/// driver's own ten seconds, it would use dead connections for as long.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// How long an idle connection is used. Routers and load balancers forget connections on
/// which nothing was sent for some minutes, and tell neither side.
const TRUSTED_SILENCE: Duration = Duration::from_secs(1);

/// Keeps sessions in MongoDB 4.2 or newer: in a replica set or a sharded
/// cluster. Inside a tokio runtime only.
///
/// Call [`migrate`](Self::migrate) once, before the first session. It makes the unique index
/// that keeps two records from sharing a key.
///
/// Every operation is one command for one document, and one round trip. An update that finds
/// nothing to replace takes a second one, to tell why.
///
/// | operation | command |
/// |---|---|
/// | load | `find`, or `findAndModify` with `$max` where it extends |
/// | create | `update` with `upsert` |
/// | update | `update` of the document that still has the value that was seen |
/// | remove | `findAndModify` with `remove` |
///
/// Documents are those of Flask-Session: `id` is the key, `val` holds the bytes,
/// and `expiration` is a date.
///
/// # When records expire
///
/// This program's clock decides, to the millisecond, as in Flask-Session. An expired document
/// counts as absent; the server removes it about once a minute, by its own clock. Synchronize
/// the clocks of all machines. A machine whose clock is fast ends sessions early for its own
/// requests. A machine whose clock is slow serves them longer, until the server has removed
/// them.
///
/// # What is kept
///
/// The server acknowledges a write when a majority of the replica set has it. Reads go to the
/// primary, and see acknowledged writes only. So an acknowledged write survives the failure of
/// any minority, and a failover brings no session back that was logged out. A primary that is
/// cut off from the others, and has not noticed yet, may still serve a session that has ended
/// since. It cannot store a change of it.
///
/// # When the connection fails
///
/// The driver sends reads and writes again once (`retryReads` and `retryWrites` in the URL). A
/// replica set and a sharded cluster recognize a write that they have executed before, and
/// repeat its answer. So an update whose answer was lost does not meet its own change, and
/// never reports it as a conflict. To a standalone server, or with `retryWrites=false`, the
/// driver sends no write again. An operation without an answer is then an error, and may or may
/// not have happened.
///
/// An operation that is dropped, or whose deadline is over, continues in the background, for 30
/// seconds at most: the driver requires that its futures are polled to their end. It may
/// therefore happen a little later. An update still replaces only the version that was seen.
///
/// All clones together run at most 256 operations at once, with those in the background. A
/// further one waits, and is an error at its deadline without having happened. So a server that
/// never answers costs the memory of 256 values; an update holds two.
///
/// # Sharding
///
/// Shard the collection by `{ id: 1 }`, with `unique`. Keys are random behind their prefix, so
/// they spread over all shards. A hashed shard key (`{ id: "hashed" }`) cannot be unique, and
/// `migrate` fails there.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use cloakroom_mongodb::MongoDb;
///
/// let store = MongoDb::connect("mongodb://127.0.0.1").await?.database("shop")?;
/// store.migrate().await?;
/// # Ok(())
/// # }
/// ```
///
/// Clones share the connections.
#[derive(Clone)]
pub struct MongoDb {
    sessions: Collection<Stored>,
    background: Background,
    deadline: Duration,
    clock: Clock,
}

/// The version of a record in [`MongoDb`]: its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct MongoDbRevision(Bytes);

impl MongoDb {
    /// Connects to the servers that a URL names: `mongodb://127.0.0.1`, or
    /// `mongodb://user:password@host:port,host:port/?replicaSet=name&tls=true`.
    ///
    /// The server looks users up in the database of the URL, as in `mongodb://host/admin`.
    /// Sessions are in that of [`database`](Self::database), as with Flask-Session.
    ///
    /// `mongodb+srv://` needs the feature `dns-resolver` of the crate `mongodb` in the
    /// application's `Cargo.toml`.
    ///
    /// # Default
    ///
    /// Where the URL has no other value: one second for a connection (`connectTimeoutMS`), one
    /// second to find a primary (`serverSelectionTimeoutMS`), and two heartbeats a second
    /// (`heartbeatFrequencyMS`), which bound the time to recover. A connection that was idle
    /// for a second (`maxIdleTimeMS`) is not used again: the network may have forgotten it. The
    /// store ignores the URL's read and write concerns and its read preference.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when no primary answers, and when it refuses the user name
    /// or the password.
    pub async fn connect(url: &str) -> Result<Self, MongoDbError> {
        let mut options = ClientOptions::parse(url).await.map_err(MongoDbError::of_url)?;
        options.connect_timeout.get_or_insert(CONNECTION_TIMEOUT);
        options.server_selection_timeout.get_or_insert(CONNECTION_TIMEOUT);
        options.heartbeat_freq.get_or_insert(HEARTBEAT);
        options.max_idle_time.get_or_insert(TRUSTED_SILENCE);
        let store = Self::new(Client::with_options(options).map_err(MongoDbError::of_url)?);
        store.ping().await?;
        Ok(store)
    }

    /// Connects to the server on MongoDB's usual port of this machine:
    /// `127.0.0.1:27017`.
    ///
    /// # Errors
    ///
    /// When the server is not there.
    pub async fn local() -> Result<Self, MongoDbError> {
        Self::connect("mongodb://127.0.0.1:27017").await
    }

    /// Uses a client of the application, which sets its pool and timeouts.
    ///
    /// Its `heartbeat_freq` and `connect_timeout` bound the time until it notices a dead
    /// connection: 20 seconds with the driver's defaults. The store ignores its read and write
    /// concerns and its read preference.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let sessions = collection(&client, "flask_session", "sessions", DEADLINE);
        let background = Background::new();
        Self { sessions, background, deadline: DEADLINE, clock: Clock::system() }
    }

    /// The database.
    ///
    /// # Default
    ///
    /// `flask_session`, as in Flask-Session.
    ///
    /// # Errors
    ///
    /// [`InvalidMongoDbName`] for a name that no database can have.
    pub fn database(self, name: &str) -> Result<Self, InvalidMongoDbName> {
        let collection = self.sessions.name().to_owned();
        self.at(name, &collection)
    }

    /// The collection.
    ///
    /// # Default
    ///
    /// `sessions`, as in Flask-Session.
    ///
    /// # Errors
    ///
    /// [`InvalidMongoDbName`] for a name that no collection of this database can have, and for
    /// those of the server (`system.`).
    pub fn collection(self, name: &str) -> Result<Self, InvalidMongoDbName> {
        let database = self.sessions.namespace().db;
        self.at(&database, name)
    }

    /// How long an operation may take: to find the primary, to get a connection, to be answered
    /// and, after a break, to be sent again. After that it is an error, and may still happen.
    /// The server waits no longer than this for a majority.
    ///
    /// # Default
    ///
    /// Two seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        let name = self.sessions.namespace();
        self.sessions = collection(self.sessions.client(), &name.db, &name.coll, deadline);
        self.deadline = deadline;
        self
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

    /// Makes two indexes: a unique one on `id`, and the one of Flask-Session by which the server
    /// removes expired documents.
    ///
    /// It changes nothing where they exist. Several programs may call it at once. It waits for
    /// the indexes without a deadline.
    ///
    /// # Errors
    ///
    /// When several documents have the same `id`, when other indexes have these names, and after
    /// a fault of the connection.
    pub async fn migrate(&self) -> Result<(), MongoDbError> {
        let sessions = self.sessions.clone();
        let made = async move { sessions.create_indexes(documents::indexes()).await };
        background::to_the_end(made).await?.map(drop).map_err(MongoDbError::of_migration)
    }

    fn at(mut self, database: &str, name: &str) -> Result<Self, InvalidMongoDbName> {
        names::check(database, name)?;
        self.sessions = collection(self.sessions.client(), database, name, self.deadline);
        Ok(self)
    }

    async fn ping(&self) -> Result<(), MongoDbError> {
        let database = self.sessions.client().database(&self.sessions.namespace().db);
        let pinged = async move {
            let ping = database.run_command(documents::ping());
            ping.selection_criteria(primary()).await.map(drop)
        };
        self.run(pinged).await?.map_err(MongoDbError::of)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, MongoDbError> {
        self.background.until(self.deadline, work).await
    }

    fn expiry(&self, ttl: Ttl) -> u64 {
        self.clock.unix_millis() + ttl.as_millis()
    }
}

impl fmt::Debug for MongoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDb").finish_non_exhaustive()
    }
}

impl fmt::Debug for MongoDbRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MongoDbRevision(..)")
    }
}

#[diagnostic::do_not_recommend]
impl Writable for MongoDb {}

#[diagnostic::do_not_recommend]
impl Store for MongoDb {
    type Error = MongoDbError;
    type Value = Bytes;
    type Revision = MongoDbRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, MongoDbError> {
        let sessions = self.sessions.clone();
        let live = documents::live(key, self.clock.unix_millis());
        let postponed = extend.map(|ttl| documents::postponed(self.expiry(ttl)));
        let found = self.run(async move {
            match postponed {
                None => sessions.find_one(live).projection(documents::only_value()).await,
                Some(postponed) => {
                    let found = sessions.find_one_and_update(live, postponed);
                    found.projection(documents::only_value()).await
                }
            }
        });
        let Some(stored) = found.await?.map_err(MongoDbError::of)? else { return Ok(None) };
        let value = documents::value_of(stored)?;
        Ok(Some(Record::new(value.clone(), MongoDbRevision(value))))
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<MongoDbRevision>, MongoDbError> {
        check_length(value, MAX_VALUE)?;
        let sessions = self.sessions.clone();
        // Replaces an expired document. A live one does not match, and the unique index
        // refuses another beside it.
        let expired = documents::not_live(key, self.clock.unix_millis());
        let contents = documents::contents(value, self.expiry(ttl));
        let created =
            self.run(async move { sessions.update_one(expired, contents).upsert(true).await });
        match created.await? {
            Ok(_) => Ok(Create::Created(MongoDbRevision::of(value))),
            Err(error) if error::is_duplicate(&error) => Ok(Create::KeyTaken),
            Err(error) => Err(MongoDbError::of(error)),
        }
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &MongoDbRevision,
    ) -> Result<Update<MongoDbRevision>, MongoDbError> {
        // Another program may have written a longer value, which leaves less room.
        check_length(value, MAX_VALUE.min((2 * MAX_VALUE).saturating_sub(seen.0.len())))?;
        let sessions = self.sessions.clone();
        let now = self.clock.unix_millis();
        let (live, unchanged) =
            (documents::live(key, now), documents::unchanged(key, now, &seen.0));
        let contents = documents::contents(value, self.expiry(ttl));
        let updated = self.run(async move {
            if sessions.update_one(unchanged, contents).await?.matched_count > 0 {
                return Ok(Update::Updated(()));
            }
            let other = sessions.find_one(live).projection(documents::only_id()).await?;
            Ok(if other.is_some() { Update::Conflict } else { Update::Gone })
        });
        Ok(match updated.await?.map_err(MongoDbError::of)? {
            Update::Updated(()) => Update::Updated(MongoDbRevision::of(value)),
            Update::Conflict => Update::Conflict,
            Update::Gone => Update::Gone,
        })
    }

    async fn remove(&self, key: &Key) -> Result<Option<Bytes>, MongoDbError> {
        let sessions = self.sessions.clone();
        // Documents that have expired by this clock, too: by another clock they may live.
        let any = documents::any(key);
        let removed = self.run(async move {
            let removed = sessions.find_one_and_delete(any);
            removed.projection(documents::value_and_expiration()).await
        });
        match removed.await?.map_err(MongoDbError::of)? {
            Some(stored) if documents::is_live(&stored, self.clock.unix_millis()) => {
                documents::value_of(stored).map(Some)
            }
            _ => Ok(None),
        }
    }
}

impl MongoDbRevision {
    fn of(value: &[u8]) -> Self {
        Self(Bytes::copy_from_slice(value))
    }
}

/// The server would refuse a longer value only after it was sent.
fn check_length(value: &[u8], most: usize) -> Result<(), MongoDbError> {
    if value.len() > most { Err(MongoDbError::TOO_LARGE) } else { Ok(()) }
}
