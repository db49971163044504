//! The stores that both applications know, with tables that either of them made.

use cloakroom_memcached::Memcached;
use cloakroom_mongodb::MongoDb;
use cloakroom_redis::Redis;
use cloakroom_sqlx::{MySql, Postgres, SqlName, Sqlite};
use serde_json::{Value, json};

use crate::migration::Migrated;
use crate::site::{Place, Ready, start_flask};

pub(crate) struct InRedis;

impl Place for InRedis {
    type Store = Redis;

    async fn ready() -> Ready<Redis> {
        let url = servers::redis::shared_url();
        let store = Redis::connect(&url).await.expect("the server is up");
        Ready::new(store, json!({ "SESSION_TYPE": "redis", "URL": url }))
    }
}

pub(crate) struct InMemcached;

impl Place for InMemcached {
    type Store = Memcached;

    async fn ready() -> Ready<Memcached> {
        let url = servers::memcached::shared_url();
        let store = Memcached::connect(&url).await.expect("the server is up");
        Ready::new(store, json!({ "SESSION_TYPE": "memcached", "URL": url }))
    }
}

pub(crate) struct InMongoDb;

impl Place for InMongoDb {
    type Store = MongoDb;

    // The server removes expired documents once a minute.
    const FLASK_TRUSTS_THE_SERVER: bool = true;

    async fn ready() -> Ready<MongoDb> {
        let url = servers::mongodb::shared_url();
        let store = MongoDb::connect(&url).await.expect("the server is up");
        store.migrate().await.expect("migrated");
        Ready::new(store, json!({ "SESSION_TYPE": "mongodb", "URL": url }))
    }
}

/// In a collection that has the index of Flask-Session and no other.
pub(crate) struct InMongoDbOfFlask;

impl Place for InMongoDbOfFlask {
    type Store = MongoDb;

    // The server removes expired documents once a minute.
    const FLASK_TRUSTS_THE_SERVER: bool = true;

    async fn ready() -> Ready<MongoDb> {
        let url = servers::mongodb::shared_url();
        let settings = json!({
            "SESSION_TYPE": "mongodb",
            "URL": url,
            "SESSION_MONGODB_COLLECT": MADE_BY_FLASK,
        });
        start_flask(&settings).await;
        let store = MongoDb::connect(&url).await.expect("the server is up");
        Ready::new(store.collection(MADE_BY_FLASK).expect("a name"), settings)
    }
}

impl Migrated for InMongoDbOfFlask {
    async fn migrate(store: &MongoDb) {
        store.migrate().await.expect("migrated");
    }
}

pub(crate) struct InPostgres;

impl Place for InPostgres {
    type Store = Postgres;

    async fn ready() -> Ready<Postgres> {
        let url = servers::postgres::shared_url();
        let store = Postgres::connect(&url).await.expect("the server is up");
        store.migrate().await.expect("migrated");
        Ready::new(store, sql(&url))
    }
}

/// In the table that Flask-Session makes.
pub(crate) struct InPostgresOfFlask;

impl Place for InPostgresOfFlask {
    type Store = Postgres;

    async fn ready() -> Ready<Postgres> {
        let url = servers::postgres::shared_url();
        let settings = sql_made_by_flask(&url).await;
        let options = Postgres::options().table(made_by_flask());
        Ready::new(options.connect(&url).await.expect("the server is up"), settings)
    }
}

impl Migrated for InPostgresOfFlask {
    async fn migrate(store: &Postgres) {
        store.migrate().await.expect("migrated");
    }
}

pub(crate) struct InMySql;

impl Place for InMySql {
    type Store = MySql;

    async fn ready() -> Ready<MySql> {
        let url = servers::mysql::shared_url();
        let store = MySql::connect(&url).await.expect("the server is up");
        store.migrate().await.expect("migrated");
        Ready::new(store, sql(&url))
    }
}

/// In the table that Flask-Session makes.
pub(crate) struct InMySqlOfFlask;

impl Place for InMySqlOfFlask {
    type Store = MySql;

    async fn ready() -> Ready<MySql> {
        let url = servers::mysql::shared_url();
        let settings = sql_made_by_flask(&url).await;
        let options = MySql::options().table(made_by_flask());
        Ready::new(options.connect(&url).await.expect("the server is up"), settings)
    }
}

impl Migrated for InMySqlOfFlask {
    async fn migrate(store: &MySql) {
        store.migrate().await.expect("migrated");
    }
}

pub(crate) struct InSqlite;

impl Place for InSqlite {
    type Store = Sqlite;

    async fn ready() -> Ready<Sqlite> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sessions.db");
        let url = format!("sqlite:{}?mode=rwc", file.display());
        let store = Sqlite::connect(&url).await.expect("opened");
        store.migrate().await.expect("migrated");
        Ready::new(store, sql(&format!("sqlite:///{}", file.display()))).in_folder(folder)
    }
}

/// In the file and the table that Flask-Session makes.
pub(crate) struct InSqliteOfFlask;

impl Place for InSqliteOfFlask {
    type Store = Sqlite;

    async fn ready() -> Ready<Sqlite> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("sessions.db");
        let settings = sql_made_by_flask(&format!("sqlite:///{}", file.display())).await;
        let options = Sqlite::options().table(made_by_flask());
        let store = options.connect(&format!("sqlite:{}", file.display())).await.expect("opened");
        Ready::new(store, settings).in_folder(folder)
    }
}

impl Migrated for InSqliteOfFlask {
    async fn migrate(store: &Sqlite) {
        store.migrate().await.expect("migrated");
    }
}

/// A table or a collection.
const MADE_BY_FLASK: &str = "made_by_flask";

fn made_by_flask() -> SqlName {
    SqlName::new(MADE_BY_FLASK).expect("a name")
}

fn sql(url: &str) -> Value {
    json!({ "SESSION_TYPE": "sqlalchemy", "URL": url })
}

async fn sql_made_by_flask(url: &str) -> Value {
    let mut settings = sql(url);
    settings["SESSION_SQLALCHEMY_TABLE"] = MADE_BY_FLASK.into();
    start_flask(&settings).await;
    settings
}
