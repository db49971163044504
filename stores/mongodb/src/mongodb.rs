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
use crate::documents::{self, Held};
use crate::error::{self, MongoDbError};
use crate::names::{self, InvalidMongoDbName};

/// The longest value, in bytes. A document has at most 16 MiB, and so has an
/// update, which names the value that it replaces beside the new one; 2 KiB are
/// for what stands around them.
const MAX_VALUE: usize = (8 << 20) - 1024;

/// How long an operation may take, unless somebody chose otherwise.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long to wait for a connection, and for a primary, unless the URL says.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);

/// How often to look after the servers, unless the URL says: with the driver's
/// ten seconds, connections that died in silence would be used for as long.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Keeps sessions in MongoDB 4.2 or newer: in a replica set or a sharded
/// cluster. Inside a tokio runtime only.
///
/// Call [`migrate`](Self::migrate) once, before the first session: that two
/// records never share a key rests on an index which it makes.
///
/// Every operation is one command for one document, and one round trip; an
/// update that finds nothing to replace takes another, to tell why.
///
/// | operation | command |
/// |---|---|
/// | load | `find`, or `findAndModify` where it postpones the expiry |
/// | create | `update` with `upsert` |
/// | update | `update` of the document that still has the value that was seen |
/// | remove | `findAndModify` with `remove` |
///
/// Documents are those of Flask-Session: `id` is the key, `val` holds the bytes,
/// and `expiration` is a date.
///
/// # When records expire
///
/// This program's clock decides, to the millisecond, as in Flask-Session. The
/// server removes expired documents about once a minute by its own clock; until
/// then they are absent all the same. Keep the clocks of all machines together:
/// one that is fast ends sessions early by as much, for its own requests, and
/// one that is slow serves them for as much longer, until the server has removed
/// them.
///
/// # What is kept
///
/// A write is acknowledged when a majority of the replica set has it, and reads
/// see nothing else, from the primary only. So what was acknowledged survives
/// the failure of any minority, and a session that was logged out does not come
/// back in a failover. A primary that was cut off from the others, and has not
/// noticed yet, may still serve a session that has ended since; it cannot store
/// a change of it.
///
/// # When the connection fails
///
/// Reads and writes are sent again once, as the driver does it (`retryReads` and
/// `retryWrites` in the URL). A replica set and a sharded cluster recognize a
/// write that they have carried out before, and repeat its answer. An update
/// whose answer was lost therefore does not meet its own change, and never
/// reports it as a conflict. With a standalone server the driver sends no write
/// again, and neither with `retryWrites=false`: an operation without an answer is
/// then an error, and may or may not have happened.
///
/// An operation that is dropped, or whose deadline is over, goes on in the
/// background until the server answers or the driver gives its connection up,
/// and for 30 seconds at most: the driver wants its futures to be polled to their
/// end. So it may happen a little later, and an update still replaces nothing but
/// what was seen.
///
/// No more than 256 operations are under way at once, in all clones together and
/// with those that nobody waits for any more. Another one waits until its
/// deadline is over, and then has not happened. So a server that is there but
/// answers nothing costs the memory of 256 values, and an update counts twice.
///
/// # Sharding
///
/// Shard the collection by `{ id: 1 }`, with `unique`: keys are random behind
/// their prefix, so they spread over all shards. A key that is hashed for
/// sharding (`{ id: "hashed" }`) cannot be unique, and `migrate` fails there.
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
    sessions: Collection<Held>,
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
    /// A database in the URL, as in `mongodb://host/admin`, is where users are looked
    /// up, as in MongoDB's own tools. The sessions are in that of
    /// [`database`](Self::database), as with Flask-Session.
    ///
    /// For `mongodb+srv://`, switch the feature `dns-resolver` of the crate
    /// `mongodb` on in your own `Cargo.toml`.
    ///
    /// # Default
    ///
    /// Unless the URL says otherwise, a second for a connection
    /// (`connectTimeoutMS`) and a second to find a primary
    /// (`serverSelectionTimeoutMS`); the servers are looked after twice a second
    /// (`heartbeatFrequencyMS`), which bounds how long it takes to recover. What
    /// a URL says about read and write concerns and the read preference does not
    /// count.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, when no primary is there, and when it refuses
    /// the user name or the password.
    pub async fn connect(url: &str) -> Result<Self, MongoDbError> {
        let mut options = ClientOptions::parse(url).await.map_err(MongoDbError::of_url)?;
        options.connect_timeout.get_or_insert(CONNECTION_TIMEOUT);
        options.server_selection_timeout.get_or_insert(CONNECTION_TIMEOUT);
        options.heartbeat_freq.get_or_insert(HEARTBEAT);
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

    /// Uses a client of your own, whose pool and timeouts are yours to set.
    ///
    /// Its `heartbeat_freq` and `connect_timeout` bound how long it takes to
    /// notice that connections have died in silence: with the driver's defaults
    /// that is 20 seconds. Its read and write concerns and its read preference
    /// do not count.
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
    /// [`InvalidMongoDbName`] when no database can have this name.
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
    /// [`InvalidMongoDbName`] when no collection of this database can have this
    /// name, and for those that belong to the server (`system.`).
    pub fn collection(self, name: &str) -> Result<Self, InvalidMongoDbName> {
        let database = self.sessions.namespace().db;
        self.at(&database, name)
    }

    /// How long an operation may take in all: to find the primary, to get a
    /// connection, to be answered, and to be sent again where that helps. An
    /// operation whose time is over is an error, and may still happen. The server
    /// is told to wait no longer for a majority.
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

    /// Tells the time, by which records expire.
    ///
    /// # Default
    ///
    /// The system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the two indexes: a unique one on `id`, and the one by which the
    /// server removes what has expired, as Flask-Session makes it.
    ///
    /// It changes nothing where they are there already, and any number of
    /// programs may call it at once. It ends when the indexes are made, so the
    /// deadline does not count.
    ///
    /// # Errors
    ///
    /// When several documents have the same `id`, when other indexes have these
    /// names, and for every fault of the connection.
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
        let Some(held) = found.await?.map_err(MongoDbError::of)? else { return Ok(None) };
        let value = documents::value_of(held)?;
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
        // Takes the place of an expired document. A live one does not match, and
        // the index does not let another beside it.
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
        // What another program wrote may be longer, and leaves less for this.
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
        // Also what has expired by this clock: by another one it may not have.
        let any = documents::any(key);
        let removed = self.run(async move {
            let removed = sessions.find_one_and_delete(any);
            removed.projection(documents::value_and_expiration()).await
        });
        match removed.await?.map_err(MongoDbError::of)? {
            Some(held) if documents::is_live(&held, self.clock.unix_millis()) => {
                documents::value_of(held).map(Some)
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

/// The server would refuse it, after it was sent.
fn check_length(value: &[u8], most: usize) -> Result<(), MongoDbError> {
    if value.len() > most { Err(MongoDbError::TOO_LARGE) } else { Ok(()) }
}
