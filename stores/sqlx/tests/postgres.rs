//! PostgreSQL: the rules of every store, and what is asked of the server.

mod sql;

use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, process};

use cloakroom::{Key, Store, Sweep, Ttl, contract};
use cloakroom_sqlx::{Postgres, SqlName, SqlOptions};
use http::HeaderMap;
use servers::at_server::AtServer;
use servers::becomes_true;
use servers::postgres::{PostgresServer as Server, ask, shared_url};
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_key, fresh_number, load_number,
    no_save_outlives_a_logout, two_processes_lose_nothing,
};
use servers::visitor::{close, open, sessions, visit};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPoolOptions;
use tokio::time::timeout;

use sql::{
    dropped_first_operations_mix_nothing_up, fresh_name, keeps_a_record, misfit, sweeps_in_steps,
};

/// The server counts microseconds.
const SERVERS_CLOCK: Duration = Duration::from_millis(1);

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<Postgres> {
    AtServer::connect(SERVERS_CLOCK, async || connect(&shared_url()).await).await
}

#[tokio::test]
async fn every_operation_is_one_statement() {
    let server = Server::start(&["log_statement=all"]);
    let store = connect(&server.url()).await;
    let before = server.statements().len();

    let key = fresh_number(&store).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    store.load(&key, Some(Ttl::hours(1))).await.expect("answers").expect("kept");
    for _ in 0..2 {
        // Updated, and a conflict.
        let updated = store.update(&key, b"1", Ttl::hours(1), &record.revision).await;
        drop(updated.expect("answers"));
    }
    store.remove(&key).await.expect("answers").expect("kept");
    let statements = server.statements();
    assert_eq!(statements[before..], ["INSERT", "SELECT", "UPDATE", "WITH", "WITH", "DELETE"]);
}

#[tokio::test]
async fn a_visit_reads_once_and_a_change_writes_once() {
    let server = Server::start(&["log_statement=all"]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    let before = server.statements().len();

    close(open(&sessions, &HeaderMap::new()).await).await;
    close(open(&sessions, &cookies).await).await;
    let mut session = open(&sessions, &cookies).await;
    session.count += 1;
    close(session).await;
    assert_eq!(server.statements()[before..], ["SELECT", "SELECT", "WITH"]);
}

#[tokio::test]
async fn a_statement_is_prepared_once_on_each_connection() {
    let pool = PgPoolOptions::new().max_connections(1).connect(&shared_url()).await;
    let pool = pool.expect("the server is up");
    let store = Postgres::options().table(fresh_name()).pool(pool.clone());
    store.migrate().await.expect("migrated");
    for _ in 0..3 {
        keeps_a_record(&store).await;
    }
    let count = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%test_%'";
    let prepared: i64 = sqlx::query_scalar(count).fetch_one(&pool).await.expect("answers");
    assert_eq!(prepared, 5);
}

#[tokio::test]
async fn the_record_stands_in_the_table_as_it_was_given() {
    let url = shared_url();
    let table = fresh_name();
    let store = made(&url, Postgres::options().table(table.clone())).await;
    let key = fresh_key();
    drop(store.create(&key, b"\0coat\xff", Ttl::minutes(1)).await.expect("answers"));
    let row = format!(
        "SELECT session_id, encode(data, 'hex'), \
         extract(epoch FROM expiry - now() AT TIME ZONE 'UTC') BETWEEN 50 AND 60 FROM {}",
        table.as_str(),
    );
    assert_eq!(ask(&url, &row), format!("{}|00636f6174ff|t", key.as_str()));
}

#[tokio::test]
async fn the_time_zone_of_the_connection_does_not_matter() {
    let url = format!("{}?options=-c%20timezone%3DAsia%2FKolkata", shared_url());
    let table = fresh_name();
    let far_away = made(&url, Postgres::options().table(table.clone())).await;
    let here = made(&shared_url(), Postgres::options().table(table)).await;
    let key = fresh_key();
    drop(far_away.create(&key, b"0", Ttl::minutes(1)).await.expect("answers"));
    assert_eq!(load_number(&here, &key).await.expect("answers"), 0);
    assert_eq!(load_number(&far_away, &key).await.expect("answers"), 0);
    assert_eq!(far_away.sweep().await.expect("answers"), 0);
}

#[tokio::test]
async fn a_serializable_database_costs_no_error() {
    let url = format!("{}?options=-c%20default_transaction_isolation%3Dserializable", shared_url());
    let store = made(&url, Postgres::options().table(fresh_name())).await;
    no_save_outlives_a_logout(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_schema_and_sequence_of_ones_own_are_made_and_used() {
    let (url, name) = (shared_url(), fresh_name());
    // A word of the language, and case that has to be kept.
    let table = SqlName::new("Select").expect("a name");
    let options = Postgres::options().table(table).schema(name.clone()).sequence(name.clone());
    let store = made(&url, options.clone()).await;
    keeps_a_record(&store).await;
    fresh_number(&store).await;
    let name = name.as_str();
    assert_eq!(ask(&url, &format!("SELECT id FROM {name}.\"Select\"")), "2");
    assert_eq!(ask(&url, &format!("SELECT last_value FROM {name}")), "2");
    made(&url, options).await;
}

#[tokio::test]
async fn migrating_needs_no_rights_where_nothing_is_missing() {
    let server = Server::start(&[]);
    connect(&server.url()).await;
    server.ask("CREATE ROLE app LOGIN");
    server.ask("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO app");
    server.ask("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let url = server.url().replace("postgres@", "app@");
    let fault = made_or_not(&url, Postgres::options().table(fresh_name())).await;
    assert_eq!(fault, Err("the database refused a statement: 42501".to_owned()));
    keeps_a_record(&connect(&url).await).await;
}

#[tokio::test]
async fn a_table_that_is_missing_is_an_error_that_says_what_to_do() {
    let store = Postgres::options().table(fresh_name()).connect(&shared_url()).await;
    let fault = store.expect("the server is up").load(&fresh_key(), None).await;
    let fault = fault.expect_err("there is no table");
    assert_eq!(fault.to_string(), "the table does not exist: call `migrate()`, which makes it");
}

/// In a process that the test below has started.
const HELPERS_TABLE: &str = "CLOAKROOM_TEST_TABLE";

#[tokio::test]
async fn twenty_processes_may_migrate_at_once() {
    if let Ok(table) = env::var(HELPERS_TABLE) {
        let name = SqlName::new(table).expect("a name");
        let options = Postgres::options().table(name.clone()).schema(name.clone()).sequence(name);
        keeps_a_record(&made(&shared_url(), options).await).await;
        return;
    }
    let (url, name) = (shared_url(), fresh_name());
    let processes: Vec<_> = (0..20)
        .map(|_| {
            Command::new(env::current_exe().expect("a program"))
                .args(["twenty_processes_may_migrate_at_once", "--exact"])
                .env(HELPERS_TABLE, name.as_str())
                .env("POSTGRES_URL", &url)
                .stdout(Stdio::piped())
                .spawn()
                .expect("this program starts again")
        })
        .collect();
    for process in processes {
        let output: process::Output = process.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let indexes = format!("SELECT count(*) FROM pg_indexes WHERE tablename = '{}'", name.as_str());
    assert_eq!(ask(&url, &indexes), "3");
}

#[tokio::test]
async fn a_table_that_flask_made_can_be_used() {
    let (url, table, sequence) = (shared_url(), fresh_name(), fresh_name());
    for numbers in ["SERIAL NOT NULL", "INTEGER NOT NULL"] {
        let name = table.as_str();
        let columns = format!(
            "id {numbers}, session_id VARCHAR(255), data BYTEA, \
             expiry TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY (id), UNIQUE (session_id)"
        );
        ask(&url, &format!("DROP TABLE IF EXISTS {name}; CREATE TABLE {name} ({columns})"));
        let mut options = Postgres::options().table(table.clone());
        if numbers.starts_with("INTEGER") {
            // As with `SESSION_SQLALCHEMY_SEQUENCE`.
            ask(&url, &format!("CREATE SEQUENCE {}", sequence.as_str()));
            options = options.sequence(sequence.clone());
        }
        // As it is, and with an index.
        let store = options.connect(&url).await.expect("the server is up");
        keeps_a_record(&store).await;
        store.migrate().await.expect("migrated");
        keeps_a_record(&store).await;
    }
}

/// Columns as other programs make them, and what does not fit.
const OTHERS_TABLES: [(&str, &str); 11] = [
    // Laravel
    (
        "id varchar(255) PRIMARY KEY, user_id bigint, ip_address varchar(45), user_agent text, \
         payload text NOT NULL, last_activity integer NOT NULL",
        "has a column `id` of the type `character varying(255)`, not bigint or integer",
    ),
    // Rails
    (
        "id bigserial PRIMARY KEY, session_id varchar NOT NULL UNIQUE, data text, \
         created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL",
        "has a column `data` of the type `text`, not bytea",
    ),
    // express-session
    (
        "sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL",
        "has no column `id`",
    ),
    (
        "id serial, session_id varchar(32) UNIQUE, data bytea, expiry timestamp",
        "has a column `session_id` of the type `character varying(32)`, not varchar(255)",
    ),
    (
        "id serial, session_id char(255) UNIQUE, data bytea, expiry timestamp",
        "has a column `session_id` of the type `character(255)`, not varchar(255)",
    ),
    (
        "id serial, session_id text UNIQUE, data bytea, expiry timestamptz",
        "has a column `expiry` of the type `timestamp with time zone`, not timestamp without time zone",
    ),
    (
        "id serial, session_id text, data bytea, expiry timestamp, UNIQUE (session_id, id)",
        "has no unique index on `session_id` alone",
    ),
    (
        "id serial, session_id text UNIQUE DEFERRABLE, data bytea, expiry timestamp",
        "has no unique index on `session_id` alone",
    ),
    (
        "id serial, session_id text UNIQUE, data bytea, expiry timestamp, shop text NOT NULL",
        "has a column `shop` that needs a value, and sessions have none",
    ),
    (
        "id integer PRIMARY KEY, session_id text UNIQUE, data bytea, expiry timestamp",
        "has a column `id` that does not number the rows itself",
    ),
    ("id serial, session_id text UNIQUE, data bytea", "has no column `expiry`"),
];

#[tokio::test]
async fn a_table_of_another_program_is_an_error_that_says_which_column_does_not_fit() {
    let url = shared_url();
    for (columns, what) in OTHERS_TABLES {
        let table = fresh_name();
        let name = table.as_str();
        ask(&url, &format!("CREATE TABLE {name} ({columns})"));
        let indexes = format!("SELECT count(*) FROM pg_indexes WHERE tablename = '{name}'");
        let before = ask(&url, &indexes);
        let fault = made_or_not(&url, Postgres::options().table(table.clone())).await;
        assert_eq!(fault, Err(misfit(&table, what)));
        assert_eq!(ask(&url, &indexes), before, "it was changed");
    }
    let view = fresh_name();
    ask(&url, &format!("CREATE VIEW {} AS SELECT 1 AS id", view.as_str()));
    let fault = made_or_not(&url, Postgres::options().table(view.clone())).await;
    assert_eq!(fault, Err(misfit(&view, "belongs to something that is not a table")));
}

#[tokio::test]
async fn keys_that_a_collation_takes_for_equal_have_no_place_in_a_table() {
    let (url, table) = (shared_url(), fresh_name());
    let name = table.as_str();
    let collation = "provider = icu, locale = 'und-u-ks-level2', deterministic = false";
    ask(
        &url,
        &format!(
            "CREATE COLLATION {name} ({collation}); CREATE TABLE {name} ( \
                 id serial, session_id text COLLATE {name} UNIQUE, data bytea, expiry timestamp \
             )"
        ),
    );
    let fault = made_or_not(&url, Postgres::options().table(table.clone())).await;
    let what = "compares `session_id` by a collation that takes keys for equal";
    assert_eq!(fault, Err(misfit(&table, what)));
}

#[tokio::test]
async fn a_row_that_flask_would_not_read_counts_as_absent() {
    let (url, table) = (shared_url(), fresh_name());
    let store = made(&url, Postgres::options().table(table.clone())).await;
    for rest in ["'old', NULL", "NULL, now() + interval '2 days'"] {
        let key = fresh_key();
        let (table, text) = (table.as_str(), key.as_str());
        let columns = "(session_id, data, expiry)";
        ask(&url, &format!("INSERT INTO {table} {columns} VALUES ('{text}', {rest})"));
        assert!(store.load(&key, Some(Ttl::hours(1))).await.expect("answers").is_none());
        drop(store.create(&key, b"0", Ttl::hours(1)).await.expect("answers"));
        assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    }
}

#[tokio::test]
async fn keys_that_differ_in_a_trailing_space_are_told_apart() {
    let (url, table) = (shared_url(), fresh_name());
    let store = made(&url, Postgres::options().table(table.clone())).await;
    let key: Key = fresh_number(&store).await;
    ask(&url, &format!("UPDATE {} SET session_id = session_id || ' '", table.as_str()));
    assert!(store.load(&key, None).await.expect("answers").is_none());
}

#[tokio::test]
async fn a_sweep_removes_what_is_past_its_time_and_nothing_else() {
    let store = made(&shared_url(), Postgres::options().table(fresh_name())).await;
    sweeps_in_steps(&store, async |time| contract::wait(time).await).await;
}

#[tokio::test]
async fn a_message_of_the_server_that_names_a_key_is_not_repeated() {
    let (url, table) = (shared_url(), fresh_name());
    let store = made(&url, Postgres::options().table(table.clone())).await;
    ask(&url, &format!("ALTER TABLE {} ADD CHECK (length(data) < 3)", table.as_str()));
    let key = fresh_key();
    let fault = store.create(&key, b"data", Ttl::hours(1)).await.expect_err("it is refused");
    assert_eq!(fault.to_string(), "the database refused a statement: 23514");
    // The server's has the whole row.
    assert!(!format!("{fault:?}").contains(key.as_str()));
    assert!(std::error::Error::source(&fault).is_none());
}

#[tokio::test]
async fn a_sweep_removes_a_thousand_rows_with_each_statement() {
    let server = Server::start(&["log_statement=all"]);
    let store = connect(&server.url()).await;
    server.ask(
        "INSERT INTO sessions (session_id, data, expiry) \
         SELECT 'old' || n, 'data', '2000-01-01' FROM generate_series(1, 2345) AS n",
    );
    let before = server.statements().len();
    assert_eq!(store.sweep().await.expect("answers"), 2_345);
    assert_eq!(server.statements()[before..], ["DELETE"; 3]);
}

#[tokio::test]
async fn a_value_that_no_server_takes_is_an_error() {
    let store = connect(&shared_url()).await;
    let fault = store.create(&fresh_key(), &vec![0; 600 << 20], Ttl::hours(1)).await;
    let fault = fault.expect_err("it is too large");
    assert!(fault.is_too_large(), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_dropped_on_a_fresh_connection_leaves_nothing_to_the_next() {
    connect(&shared_url()).await;
    dropped_first_operations_mix_nothing_up(async || {
        let pool = PgPoolOptions::new().max_connections(1).connect(&shared_url()).await;
        Postgres::new(pool.expect("the server is up"))
    })
    .await;
}

#[tokio::test]
async fn a_dropped_operation_comes_to_its_end_and_leaves_its_connection_to_the_next() {
    let table = fresh_name();
    made(&shared_url(), Postgres::options().table(table.clone())).await;
    let others = PgPoolOptions::new().connect(&shared_url()).await.expect("the server is up");
    let pool = PgPoolOptions::new().max_connections(1).connect(&shared_url()).await;
    let pool = pool.expect("the server is up");
    let store = Postgres::options().table(table.clone()).pool(pool.clone());
    let key = fresh_number(&store).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    let connection = async || -> i32 {
        sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await.expect("answers")
    };
    let before = connection().await;

    let mut other = others.begin().await.expect("begun");
    let lock = format!("LOCK TABLE {} IN EXCLUSIVE MODE", table.as_str());
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *other).await.expect("locked");
    let update = store.update(&key, b"1", Ttl::hours(1), &record.revision);
    assert!(timeout(Duration::from_millis(200), update).await.is_err(), "the table is locked");
    other.rollback().await.expect("let go");

    // There is one connection, so this comes after the end of the update.
    assert_eq!(load_number(&store, &key).await.expect("answers"), 1);
    assert_eq!(connection().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_answer_to_another() {
    let server = Server::start(&[]);
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .test_before_acquire(false)
        .connect(&server.url())
        .await;
    let pool = pool.expect("the server is up");
    let store = Postgres::new(pool.clone());
    store.migrate().await.expect("migrated");
    dropped_operations_mix_nothing_up(store).await;
    let is_whole = || {
        let idle = pool.num_idle();
        idle == pool.size() as usize && idle == server.connections()
    };
    assert!(becomes_true(Duration::from_secs(5), is_whole), "a connection is lost");
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(pool.acquire().await.expect("all are free at once"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_increment_one_session_10_000_times_lose_nothing() {
    two_processes_lose_nothing(
        "two_processes_that_increment_one_session_10_000_times_lose_nothing",
        shared_url,
        async |url| connect(&url).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_left_when_a_logout_meets_100_saves() {
    let options = Postgres::options().table(fresh_name());
    no_save_outlives_a_logout(made(&shared_url(), options).await).await;
}

async fn connect(url: &str) -> Postgres {
    made(url, Postgres::options()).await
}

async fn made(url: &str, options: SqlOptions<Postgres>) -> Postgres {
    let store = options.connect(url).await.expect("the server is up");
    store.migrate().await.expect("migrated");
    store
}

async fn made_or_not(url: &str, options: SqlOptions<Postgres>) -> Result<(), String> {
    let store = options.connect(url).await.map_err(|fault| fault.to_string())?;
    store.migrate().await.map_err(|fault| fault.to_string())
}
