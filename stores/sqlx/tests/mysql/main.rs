//! MySQL and MariaDB: the rules of every store, and what is asked of the server.

mod flasks_table;
mod removals;
#[path = "../sql/mod.rs"]
mod sql;

use std::env;
use std::process::{Command, Stdio};
use std::time::Duration;

use cloakroom::store::Update;
use cloakroom::{Store, Sweep, Ttl, contract};
use cloakroom_sqlx::{MySql, SqlName, SqlOptions};
use http::HeaderMap;
use servers::at_server::AtServer;
use servers::becomes_true;
use servers::mysql::{MySqlServer as Server, shared_url};
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_key, fresh_number, load_number,
    no_save_outlives_a_logout, two_processes_lose_nothing,
};
use servers::visitor::{close, open, sessions, visit};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::{AssertSqlSafe, MySqlPool};
use tokio::task::JoinSet;

use sql::{
    dropped_first_operations_mix_nothing_up, fresh_name, keeps_a_record, misfit, sweeps_in_steps,
};

/// The server counts microseconds.
const SERVERS_CLOCK: Duration = Duration::from_millis(1);

/// As Flask-Session makes it, by SQLAlchemy.
const FLASKS_COLUMNS: &str = "( \
    id INTEGER NOT NULL AUTO_INCREMENT, session_id VARCHAR(255), data BLOB, expiry DATETIME, \
    PRIMARY KEY (id), UNIQUE (session_id) \
)";

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<MySql> {
    AtServer::connect(SERVERS_CLOCK, async || connect(&shared_url()).await).await
}

#[tokio::test]
async fn every_operation_is_as_many_statements_as_it_says() {
    let server = Server::start_with_log();
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
    let expected = "INSERT SELECT UPDATE SELECT UPDATE UPDATE SELECT SELECT DELETE";
    assert_eq!(server.statements()[before..].join(" "), expected);
}

#[tokio::test]
async fn a_visit_reads_once_and_a_change_writes_once() {
    let server = Server::start_with_log();
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    let before = server.statements().len();

    close(open(&sessions, &HeaderMap::new()).await).await;
    close(open(&sessions, &cookies).await).await;
    let mut session = open(&sessions, &cookies).await;
    session.count += 1;
    close(session).await;
    assert_eq!(server.statements()[before..], ["SELECT", "SELECT", "UPDATE"]);
}

#[tokio::test]
async fn the_record_stands_in_the_table_as_it_was_given() {
    let table = fresh_name();
    let store = made(MySql::options().table(table.clone())).await;
    let key = fresh_key();
    drop(store.create(&key, b"\0coat\xff", Ttl::minutes(1)).await.expect("answers"));
    let row = format!(
        "SELECT session_id, HEX(data), \
         TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), expiry) BETWEEN 50 AND 60 FROM {}",
        table.as_str(),
    );
    let row: (String, String, bool) =
        sqlx::query_as(AssertSqlSafe(row)).fetch_one(&pool().await).await.expect("one row");
    assert_eq!(row, (key.as_str().to_owned(), "00636F6174FF".to_owned(), true));
}

#[tokio::test]
async fn the_time_zone_of_the_connection_does_not_matter() {
    let table = fresh_name();
    let here = made(MySql::options().table(table.clone())).await;
    let far_away = MySqlPoolOptions::new()
        .after_connect(|connection, _| {
            Box::pin(async {
                sqlx::query("SET time_zone = '+05:30'").execute(connection).await.map(drop)
            })
        })
        .connect(&shared_url())
        .await;
    let far_away = MySql::options().table(table).pool(far_away.expect("the server is up"));
    let key = fresh_key();
    drop(far_away.create(&key, b"0", Ttl::minutes(1)).await.expect("answers"));
    assert_eq!(load_number(&here, &key).await.expect("answers"), 0);
    assert_eq!(load_number(&far_away, &key).await.expect("answers"), 0);
    assert_eq!(far_away.sweep().await.expect("answers"), 0);
}

#[tokio::test]
async fn a_table_and_schema_of_ones_own_are_made_and_used() {
    let name = fresh_name();
    // A word of the language.
    let table = SqlName::new("select").expect("a name");
    let options = MySql::options().table(table).schema(name.clone());
    for _ in 0..2 {
        keeps_a_record(&made(options.clone()).await).await;
    }
    // There the room is asked for as well.
    let store = made(options).await;
    drop(store.create(&fresh_key(), &[0; 1 << 20], Ttl::hours(1)).await.expect("kept"));
    run(&format!("DROP DATABASE {}", name.as_str())).await;
}

#[tokio::test]
async fn migrating_needs_no_rights_where_nothing_is_missing() {
    let server = Server::start(&[]);
    connect(&server.url()).await;
    server.ask("CREATE USER less@'127.0.0.1'");
    server.ask("GRANT SELECT, INSERT, UPDATE, DELETE ON sessions.* TO less@'127.0.0.1'");
    let url = server.url().replace("app@", "less@");
    let store = MySql::options().table(fresh_name()).connect(&url).await.expect("connected");
    let fault = store.migrate().await.expect_err("it may not create anything");
    assert_eq!(fault.to_string(), "the database refused a statement: 42000");
    keeps_a_record(&connect(&url).await).await;
}

#[tokio::test]
async fn a_table_that_is_missing_is_an_error_that_says_what_to_do() {
    let store = MySql::options().table(fresh_name()).connect(&shared_url()).await;
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
        let store = made(MySql::options().table(name.clone()).schema(name)).await;
        return keeps_a_record(&store).await;
    }
    let (url, name) = (shared_url(), fresh_name());
    let processes: Vec<_> = (0..20)
        .map(|_| {
            Command::new(env::current_exe().expect("a program"))
                .args(["twenty_processes_may_migrate_at_once", "--exact"])
                .env(HELPERS_TABLE, name.as_str())
                .env("MYSQL_URL", &url)
                .stdout(Stdio::piped())
                .spawn()
                .expect("this program starts again")
        })
        .collect();
    for process in processes {
        let output = process.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let indexes = "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ?";
    let count = sqlx::query_scalar(indexes).bind(name.as_str());
    let count: i64 = count.fetch_one(&pool().await).await.expect("answers");
    assert_eq!(count, 3);
    run(&format!("DROP DATABASE {}", name.as_str())).await;
}

/// Columns as other programs make them, and what does not fit.
const OTHERS_TABLES: [(&str, &str); 11] = [
    // Laravel
    (
        "id varchar(255) PRIMARY KEY, user_id bigint, ip_address varchar(45), user_agent text, \
         payload longtext NOT NULL, last_activity int NOT NULL",
        "has a column `id` of the type `varchar(255)`, not BIGINT or INT",
    ),
    // Rails
    (
        "id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, session_id varchar(255) NOT NULL UNIQUE, \
         data text, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL",
        "has a column `data` of the type `text`, not LONGBLOB or BLOB",
    ),
    // express-session
    (
        "session_id varchar(128) PRIMARY KEY, expires int unsigned NOT NULL, data mediumtext",
        "has no column `id`",
    ),
    (
        "id serial, session_id varchar(32) UNIQUE, data blob, expiry datetime",
        "has a column `session_id` of the type `varchar(32)`, not VARCHAR(255)",
    ),
    (
        "id serial, session_id varchar(255) UNIQUE, data tinyblob, expiry datetime",
        "has a column `data` of the type `tinyblob`, not LONGBLOB or BLOB",
    ),
    (
        "id serial, session_id varchar(255) UNIQUE, data blob, expiry timestamp NULL",
        "has a column `expiry` of the type `timestamp`, not DATETIME(6)",
    ),
    (
        "id serial, session_id varchar(255), data blob, expiry datetime, UNIQUE (session_id, id)",
        "has no unique index on `session_id` alone",
    ),
    (
        "id serial, session_id varchar(255), data blob, expiry datetime, UNIQUE (session_id(9))",
        "has no unique index on `session_id` alone",
    ),
    (
        "id serial, session_id varchar(255) UNIQUE, data blob, expiry datetime, \
         shop text NOT NULL",
        "has a column `shop` that needs a value, and sessions have none",
    ),
    (
        "id int PRIMARY KEY, session_id varchar(255) UNIQUE, data blob, expiry datetime",
        "has a column `id` that does not number the rows itself",
    ),
    (
        "id serial, session_id varchar(150) CHARACTER SET utf16 UNIQUE, data blob, \
         expiry datetime",
        "compares `session_id` by a collation that takes keys for equal",
    ),
];

#[tokio::test]
async fn a_table_of_another_program_is_an_error_that_says_which_column_does_not_fit() {
    for (columns, what) in OTHERS_TABLES {
        let table = fresh_name();
        run(&format!("CREATE TABLE {} ({columns})", table.as_str())).await;
        let store = MySql::options().table(table.clone()).connect(&shared_url()).await;
        let fault = store.expect("the server is up").migrate().await.expect_err("it does not fit");
        assert_eq!(fault.to_string(), misfit(&table, what));
        let index = "SELECT COUNT(*) FROM information_schema.STATISTICS \
                     WHERE TABLE_NAME = ? AND COLUMN_NAME = 'expiry'";
        let index = sqlx::query_scalar(index).bind(table.as_str());
        let index: i64 = index.fetch_one(&pool().await).await.expect("answers");
        assert_eq!(index, 0, "it was changed");
    }
    let view = fresh_name();
    run(&format!("CREATE VIEW {} AS SELECT 1 AS id", view.as_str())).await;
    let store = MySql::options().table(view.clone()).connect(&shared_url()).await;
    let fault = store.expect("the server is up").migrate().await.expect_err("it is no table");
    assert_eq!(fault.to_string(), misfit(&view, "belongs to something that is not a table"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flasks_table_gets_one_index_however_many_migrate_at_once() {
    let table = flasks_table().await;
    let mut migrating = JoinSet::new();
    for _ in 0..10 {
        let options = MySql::options().table(table.clone());
        migrating.spawn(async move { keeps_a_record(&made(options).await).await });
    }
    migrating.join_all().await;
    let indexes = "SELECT COUNT(*) FROM information_schema.STATISTICS \
                   WHERE TABLE_NAME = ? AND COLUMN_NAME = 'expiry'";
    let indexes = sqlx::query_scalar(indexes).bind(table.as_str());
    let indexes: i64 = indexes.fetch_one(&pool().await).await.expect("answers");
    assert_eq!(indexes, 1);
}

#[tokio::test]
async fn migrating_takes_no_lock_that_a_strict_cluster_refuses() {
    let server = Server::start_with_log();
    let store = connect(&server.url()).await;
    store.migrate().await.expect("migrated");
    let log = server.log().to_ascii_uppercase();
    assert!(log.contains("CREATE TABLE IF NOT EXISTS"), "{log}");
    for refused in ["GET_LOCK", "LOCK TABLES", "RELEASE_LOCK"] {
        assert!(!log.contains(refused), "{log}");
    }
}

#[tokio::test]
async fn keys_that_differ_in_a_trailing_space_are_told_apart() {
    let table = fresh_name();
    let store = made(MySql::options().table(table.clone())).await;
    let key = fresh_number(&store).await;
    run(&format!("UPDATE {} SET session_id = CONCAT(session_id, ' ')", table.as_str())).await;
    assert!(store.load(&key, None).await.expect("answers").is_none());
}

#[tokio::test]
async fn a_value_that_the_table_has_no_room_for_is_an_error_and_the_old_record_stays() {
    let table = flasks_table().await;
    let careless = MySqlPoolOptions::new()
        .after_connect(|connection, _| {
            Box::pin(async { sqlx::query("SET sql_mode = ''").execute(connection).await.map(drop) })
        })
        .connect(&shared_url())
        .await;
    let store = MySql::options().table(table).pool(careless.expect("the server is up"));
    let key = fresh_number(&store).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    for length in [65_536, 1 << 20] {
        let large = vec![7; length];
        let updated = store.update(&key, &large, Ttl::hours(1), &record.revision).await;
        let fault = updated.expect_err("there is no room");
        assert!(fault.is_too_large(), "{fault}");
        assert!(store.create(&fresh_key(), &large, Ttl::hours(1)).await.is_err());
        assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    }
    let whole = vec![7; 65_535];
    let updated = store.update(&key, &whole, Ttl::hours(1), &record.revision).await;
    assert!(matches!(updated, Ok(Update::Updated(_))));
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    assert!(*record.value == *whole, "it was cut off");
}

#[tokio::test]
async fn values_that_no_message_holds_are_an_error_and_the_old_record_stays() {
    let server = Server::start(&["--max-allowed-packet=4M"]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    let large = vec![7; 3 << 20];
    drop(store.create(&key, &large, Ttl::hours(1)).await.expect("kept"));
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    for length in [2 << 20, 5 << 20] {
        let updated = store.update(&key, &vec![8; length], Ttl::hours(1), &record.revision).await;
        let fault = updated.expect_err("there is no room");
        assert!(fault.is_too_large(), "{fault}");
    }
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    assert!(*record.value == *large, "it was changed");
}

#[tokio::test]
async fn a_row_that_flask_would_not_read_counts_as_absent() {
    let table = fresh_name();
    let store = made(MySql::options().table(table.clone())).await;
    for rest in ["'old', NULL", "NULL, UTC_TIMESTAMP() + INTERVAL 2 DAY"] {
        let key = fresh_key();
        let (table, text) = (table.as_str(), key.as_str());
        let columns = "(session_id, data, expiry)";
        run(&format!("INSERT INTO {table} {columns} VALUES ('{text}', {rest})")).await;
        assert!(store.load(&key, Some(Ttl::hours(1))).await.expect("answers").is_none());
        drop(store.create(&key, b"0", Ttl::hours(1)).await.expect("answers"));
        assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    }
}

#[tokio::test]
async fn a_sweep_removes_what_is_past_its_time_and_nothing_else() {
    let store = made(MySql::options().table(fresh_name())).await;
    sweeps_in_steps(&store, async |time| contract::wait(time).await).await;
}

#[tokio::test]
async fn a_sweep_removes_a_thousand_rows_with_each_statement() {
    let server = Server::start_with_log();
    let store = connect(&server.url()).await;
    server.ask(
        "INSERT INTO sessions.sessions (session_id, data, expiry) \
         SELECT UUID(), 'data', '2000-01-01' FROM information_schema.COLLATIONS AS many, \
         information_schema.COLLATIONS AS more LIMIT 2345",
    );
    let before = server.statements().len();
    assert_eq!(store.sweep().await.expect("answers"), 2_345);
    assert_eq!(server.statements()[before..], ["DELETE"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_dropped_on_a_fresh_connection_leaves_nothing_to_the_next() {
    connect(&shared_url()).await;
    dropped_first_operations_mix_nothing_up(async || {
        let pool = MySqlPoolOptions::new().max_connections(1).connect(&shared_url()).await;
        MySql::new(pool.expect("the server is up"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_answer_to_another() {
    let server = Server::start(&[]);
    let pool = MySqlPoolOptions::new()
        .max_connections(8)
        .test_before_acquire(false)
        .connect(&server.url())
        .await;
    let pool = pool.expect("the server is up");
    let store = MySql::new(pool.clone());
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
    no_save_outlives_a_logout(made(MySql::options().table(fresh_name())).await).await;
}

async fn connect(url: &str) -> MySql {
    let store = MySql::connect(url).await.expect("the server is up");
    store.migrate().await.expect("migrated");
    store
}

/// At the shared server.
async fn made(options: SqlOptions<MySql>) -> MySql {
    let store = options.connect(&shared_url()).await.expect("the server is up");
    store.migrate().await.expect("migrated");
    store
}

async fn flasks_table() -> SqlName {
    let table = fresh_name();
    let name = table.as_str();
    // The usual character set of many servers: case and spaces do not count.
    let create = format!("CREATE TABLE {name} {FLASKS_COLUMNS} DEFAULT CHARSET = utf8mb4");
    run(&format!("{create} COLLATE utf8mb4_general_ci")).await;
    table
}

/// Another way to the shared server.
async fn pool() -> MySqlPool {
    MySqlPool::connect(&shared_url()).await.expect("the server is up")
}

async fn run(statement: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&pool().await).await;
    done.expect("it is carried out");
}
