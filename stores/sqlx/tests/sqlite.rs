//! SQLite: the rules of every store, and what is particular to a file.

mod sql;

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::time::{Duration, Instant};

use cloakroom::contract::{Harness, Time};
use cloakroom::{Clock, Store, Ttl};
use cloakroom_sqlx::{SqlName, SqlOptions, Sqlite};
use servers::becomes_true;
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_key, fresh_number, load_number,
    no_save_outlives_a_logout, two_processes_lose_nothing,
};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, SqlitePool};
use tempfile::TempDir;

use sql::{
    DEADLINE, TIMEOUT, a_hundred_callers_return, answers_again, keeps_a_record, misfit,
    sweeps_in_steps,
};

struct InFile {
    clock: Clock,
    store: Sqlite,
    second: Sqlite,
    _folder: TempDir,
}

impl InFile {
    async fn open() -> Self {
        let (folder, clock) = (folder(), Clock::manual());
        let url = url(&folder);
        let store = connect(&url).await.clock(clock.clone());
        let second = connect(&url).await.clock(clock.clone());
        Self { clock, store, second, _folder: folder }
    }
}

impl Harness for InFile {
    type Store = Sqlite;

    fn store(&self) -> &Sqlite {
        &self.store
    }

    fn second(&self) -> &Sqlite {
        &self.second
    }

    fn time(&self) -> Time {
        Time::ByHand
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

mod keeps_the_contract {
    use super::InFile;

    cloakroom::store_contract!(InFile::open().await);
}

#[tokio::test]
async fn the_record_stands_in_the_table_as_flask_writes_it() {
    let folder = folder();
    let clock = Clock::manual();
    let store = connect(&url(&folder)).await.clock(clock.clone());
    let key = fresh_key();
    drop(store.create(&key, b"\0coat\xff", Ttl::minutes(1)).await.expect("answers"));
    let expiry = clock.unix_millis() + 60_000;
    let row = "SELECT session_id = ?, hex(data), typeof(expiry), length(expiry), \
               substr(expiry, 1, 19) = datetime(? / 1000, 'unixepoch'), \
               substr(expiry, 20) = printf('.%03d000', ? % 1000) FROM sessions";
    let row: (bool, String, String, i64, bool, bool) = sqlx::query_as(row)
        .bind(key.as_str())
        .bind(expiry as i64)
        .bind(expiry as i64)
        .fetch_one(&pool(&folder).await)
        .await
        .expect("one row");
    assert_eq!(row, (true, "00636F6174FF".into(), "text".into(), 26, true, true));
}

#[tokio::test]
async fn a_table_that_flask_made_can_be_used() {
    let folder = folder();
    let flask = "CREATE TABLE sessions ( \
                     id INTEGER NOT NULL, session_id VARCHAR(255), data BLOB, expiry DATETIME, \
                     PRIMARY KEY (id), UNIQUE (session_id) \
                 )";
    run(&pool(&folder).await, flask).await;
    let store = Sqlite::connect(&url(&folder)).await.expect("opened");
    keeps_a_record(&store).await;
    store.migrate().await.expect("migrated");
    keeps_a_record(&store).await;
}

/// Columns as other programs make them, and what does not fit.
const OTHERS_TABLES: [(&str, &str); 10] = [
    // Laravel
    (
        "(id varchar PRIMARY KEY NOT NULL, user_id integer, ip_address varchar, \
         user_agent text, payload text NOT NULL, last_activity integer NOT NULL)",
        "has a column `id` of the type `varchar`, not INTEGER",
    ),
    // Rails
    (
        "(id integer PRIMARY KEY AUTOINCREMENT NOT NULL, session_id varchar NOT NULL UNIQUE, \
         data text, created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL)",
        "has a column `data` of the type `TEXT`, not BLOB",
    ),
    // express-session
    ("(sid PRIMARY KEY, expired, sess)", "has no column `id`"),
    (
        "(id integer PRIMARY KEY, session_id varchar(32) UNIQUE, data blob, expiry datetime)",
        "has a column `session_id` of the type `varchar(32)`, not VARCHAR(255)",
    ),
    (
        "(id integer PRIMARY KEY, session_id text UNIQUE, data blob, expiry timestamptz)",
        "has a column `expiry` of the type `timestamptz`, not DATETIME",
    ),
    (
        "(id integer PRIMARY KEY, session_id text, data blob, expiry datetime)",
        "has no unique index on `session_id` alone, by its bytes",
    ),
    (
        "(id integer PRIMARY KEY, session_id text COLLATE NOCASE UNIQUE, data blob, \
         expiry datetime)",
        "has no unique index on `session_id` alone, by its bytes",
    ),
    (
        "(id integer PRIMARY KEY, session_id text UNIQUE, data blob, expiry datetime, \
         shop text NOT NULL)",
        "has a column `shop` that needs a value, and sessions have none",
    ),
    (
        "(id integer, session_id text PRIMARY KEY, data blob, expiry datetime)",
        "has a column `id` that does not number the rows itself",
    ),
    (
        "(id integer PRIMARY KEY, session_id text UNIQUE, data blob, expiry datetime) \
         WITHOUT ROWID",
        "belongs to something that is not a table with numbered rows",
    ),
];

#[tokio::test]
async fn a_table_of_another_program_is_an_error_that_says_which_column_does_not_fit() {
    // In memory, the error must not end the database.
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await;
    let pool = pool.expect("opened");
    for (place, (columns, what)) in OTHERS_TABLES.into_iter().enumerate() {
        let table = SqlName::new(format!("sessions_{place}")).expect("a name");
        run(&pool, &format!("CREATE TABLE {} {columns}", table.as_str())).await;
        let fault = Sqlite::options().table(table.clone()).pool(pool.clone()).migrate().await;
        let fault = fault.expect_err("it does not fit");
        assert_eq!(fault.to_string(), misfit(&table, what));
    }
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name LIKE 'sess%'";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&pool).await.expect("answers");
    assert_eq!(tables as usize, OTHERS_TABLES.len());
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%expiry'";
    let indexes: i64 = sqlx::query_scalar(indexes).fetch_one(&pool).await.expect("answers");
    assert_eq!(indexes, 0, "one was changed");
}

#[tokio::test]
async fn a_row_that_flask_would_not_read_counts_as_absent() {
    let folder = folder();
    let store = connect(&url(&folder)).await;
    for rest in ["x'00', NULL", "NULL, '2999-01-01 00:00:00.000000'"] {
        let key = fresh_key();
        let columns = "(session_id, data, expiry)";
        let insert = format!("INSERT INTO sessions {columns} VALUES ('{}', {rest})", key.as_str());
        run(&pool(&folder).await, &insert).await;
        assert!(store.load(&key, Some(Ttl::hours(1))).await.expect("answers").is_none());
        drop(store.create(&key, b"0", Ttl::hours(1)).await.expect("answers"));
        assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    }
}

#[tokio::test]
async fn keys_that_differ_in_a_trailing_space_are_told_apart() {
    let folder = folder();
    let store = connect(&url(&folder)).await;
    let key = fresh_number(&store).await;
    run(&pool(&folder).await, "UPDATE sessions SET session_id = session_id || ' '").await;
    assert!(store.load(&key, None).await.expect("answers").is_none());
}

#[tokio::test]
async fn a_table_of_ones_own_is_made_and_used() {
    let folder = folder();
    let longest = SqlName::new("a".repeat(SqlName::MAX)).expect("a name");
    for name in [SqlName::new("select").expect("a name"), longest] {
        let store = Sqlite::options().table(name).connect(&url(&folder)).await.expect("opened");
        store.migrate().await.expect("migrated");
        keeps_a_record(&store).await;
    }
}

#[tokio::test]
async fn a_table_that_is_missing_is_an_error_that_says_what_to_do() {
    let folder = folder();
    let store = Sqlite::connect(&url(&folder)).await.expect("opened");
    let fault = store.load(&fresh_key(), None).await.expect_err("there is no table");
    assert_eq!(fault.to_string(), "the table does not exist: call `migrate()`, which makes it");
}

#[tokio::test]
async fn a_url_that_cannot_be_used_is_an_error_that_does_not_repeat_it() {
    for url in ["http://secret", "sqlite:///secret/sessions.db", "sqlite://a?secret=1"] {
        let fault = Sqlite::connect(url).await.expect_err("no file");
        assert!(!format!("{fault} {fault:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_folder_that_does_not_exist_and_a_url_of_another_database_have_errors_of_their_own() {
    let folder = folder();
    let missing = folder.path().join("missing").join("sessions.db");
    let denied = folder.path().join("is_a_folder");
    std::fs::create_dir(&denied).expect("made");
    let file = |path: &Path| format!("sqlite://{}", path.display());
    for (url, said) in [
        (file(&missing), "the folder of the database's file does not exist: make it first"),
        (
            format!("sqlite:file:{}", missing.display()),
            "the folder of the database's file does not exist: make it first",
        ),
        (
            file(&denied),
            "the database's file cannot be opened: look at the rights to it and its folder",
        ),
        (
            "postgres://app:secret@127.0.0.1/shop".to_owned(),
            "the URL is not one of SQLite: it begins with `sqlite:`",
        ),
        (file(Path::new("a%00b")), "the database's file has an unusable name"),
        ("sessions.db".to_owned(), "the URL is not one of SQLite: it begins with `sqlite:`"),
        (
            "sqlite://sessions.db?mode=secret".to_owned(),
            "the URL has a setting that cannot be used: look at what stands behind `?`",
        ),
    ] {
        let fault = Sqlite::connect(&url).await.expect_err("no file");
        assert_eq!(fault.to_string(), said);
    }
}

#[tokio::test]
async fn a_file_for_reading_alone_is_not_made() {
    let folder = folder();
    let file = folder.path().join("sessions.db");
    let url = format!("sqlite://{}?mode=ro", file.display());
    assert!(Sqlite::connect(&url).await.is_err());
    assert!(!file.exists());
}

/// In a process that the test below has started.
const HELPERS_FOLDER: &str = "CLOAKROOM_TEST_FOLDER";

#[cfg(unix)]
#[tokio::test]
async fn no_other_user_can_read_the_files_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;

    if let Ok(folder) = env::var(HELPERS_FOLDER) {
        for (place, scheme) in ["sqlite://", "sqlite:file:", "sqlite:"].iter().enumerate() {
            let folder = Path::new(&folder).join(place.to_string());
            std::fs::create_dir(&folder).expect("made");
            let file = folder.join("sessions.db");
            let store = connect(&format!("{scheme}{}", file.display())).await;
            keeps_a_record(&store).await;
            let mut modes = Vec::new();
            for file in std::fs::read_dir(&folder).expect("a folder") {
                let file = file.expect("a file");
                let mode = file.metadata().expect("a file").permissions().mode() & 0o777;
                modes.push((file.file_name().into_string().expect("text"), mode));
            }
            modes.sort();
            let expected = ["sessions.db", "sessions.db-shm", "sessions.db-wal"];
            assert_eq!(modes, expected.map(|name| (name.to_owned(), 0o600)), "{scheme}");
        }
        return;
    }
    let folder = folder();
    let test = "no_other_user_can_read_the_files_whatever_the_umask";
    let helper = Command::new("sh")
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(env::current_exe().expect("a program"))
        .args([test, "--exact"])
        .env(HELPERS_FOLDER, folder.path())
        .output()
        .expect("this program starts again");
    assert!(helper.status.success(), "{}", String::from_utf8_lossy(&helper.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_is_the_same_for_all_callers() {
    let named = ["sqlite::memory:", "sqlite://%3Amemory%3A", "sqlite:file:a%3Fmode=memory"];
    let others = ["sqlite://?mode=memory", "sqlite://a?mode=memory&cache=private", "sqlite://"];
    for url in named.into_iter().chain(others) {
        let store = connect(url).await;
        let key = fresh_number(&store).await;
        assert_eq!(a_hundred_callers_return(&store, &key).await, 100, "{url}");
        keeps_a_record(&store).await;
    }
}

#[tokio::test]
async fn a_database_in_memory_can_be_used_through_a_pool() {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect("sqlite::memory:")
        .await;
    let store = Sqlite::new(pool.expect("opened"));
    store.migrate().await.expect("migrated");
    keeps_a_record(&store).await;
}

/// In a process that the test below has started.
const HELPERS_URL: &str = "CLOAKROOM_TEST_FILE";

#[tokio::test]
async fn twenty_processes_may_migrate_at_once() {
    if let Ok(url) = env::var(HELPERS_URL) {
        return keeps_a_record(&connect(&url).await).await;
    }
    let folder = folder();
    let processes: Vec<_> = (0..20)
        .map(|_| {
            Command::new(env::current_exe().expect("a program"))
                .args(["twenty_processes_may_migrate_at_once", "--exact"])
                .env(HELPERS_URL, url(&folder))
                .stdout(Stdio::piped())
                .spawn()
                .expect("this program starts again")
        })
        .collect();
    for process in processes {
        let output = process.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[tokio::test]
async fn a_sweep_removes_what_is_past_its_time_and_nothing_else() {
    let (folder, clock) = (folder(), Clock::manual());
    let store = connect(&url(&folder)).await.clock(clock.clone());
    sweeps_in_steps(&store, async |time| clock.advance(time)).await;
}

#[tokio::test]
async fn a_value_that_is_too_large_is_an_error() {
    let folder = folder();
    let store = connect(&url(&folder)).await;
    let fault = store.create(&fresh_key(), &vec![0; 600 << 20], Ttl::hours(1)).await;
    let fault = fault.expect_err("it is too large");
    assert!(fault.is_too_large(), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_another_locks_is_a_timeout_and_recovers() {
    let folder = folder();
    let store = made(&url(&folder), options()).await;
    let key = fresh_number(&store).await;
    let pool = pool(&folder).await;
    let other = pool.begin_with("BEGIN IMMEDIATE").await.expect("begun");

    let start = Instant::now();
    let fault = store.remove(&key).await.expect_err("the file is locked");
    assert!(fault.is_timeout() && start.elapsed() < DEADLINE, "{fault}");
    // Readers do not wait for writers.
    assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    other.rollback().await.expect("let go");
    answers_again(&store, &key).await;
    keeps_a_record(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_of_a_pool_of_one_all_return() {
    let folder = folder();
    let pool = SqlitePoolOptions::new().max_connections(1).connect(&url(&folder)).await;
    let store = options().pool(pool.expect("opened"));
    store.migrate().await.expect("migrated");
    let key = fresh_number(&store).await;
    assert_eq!(a_hundred_callers_return(&store, &key).await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_answer_to_another() {
    let folder = folder();
    let pool = SqlitePoolOptions::new().max_connections(4).connect(&url(&folder)).await;
    let pool = pool.expect("opened");
    let store = Sqlite::new(pool.clone());
    store.migrate().await.expect("migrated");
    dropped_operations_mix_nothing_up(store).await;
    let is_whole = || pool.num_idle() == pool.size() as usize;
    assert!(becomes_true(Duration::from_secs(5), is_whole), "a connection is lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_increment_one_session_10_000_times_lose_nothing() {
    let folder = folder();
    two_processes_lose_nothing(
        "two_processes_that_increment_one_session_10_000_times_lose_nothing",
        || url(&folder),
        async |url| connect(&url).await,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_left_when_a_logout_meets_100_saves() {
    let folder = folder();
    no_save_outlives_a_logout(connect(&url(&folder)).await).await;
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn url(folder: &TempDir) -> String {
    let file: &Path = folder.path();
    format!("sqlite://{}?mode=rwc", file.join("sessions.db").display())
}

async fn connect(url: &str) -> Sqlite {
    made(url, Sqlite::options()).await
}

async fn made(url: &str, options: SqlOptions<Sqlite>) -> Sqlite {
    let store = options.connect(url).await.expect("opened");
    store.migrate().await.expect("migrated");
    store
}

fn options() -> SqlOptions<Sqlite> {
    Sqlite::options().response_timeout(TIMEOUT).connection_timeout(TIMEOUT)
}

/// Another way to the file.
async fn pool(folder: &TempDir) -> SqlitePool {
    let file = SqliteConnectOptions::from_str(&url(folder)).expect("a URL");
    SqlitePool::connect_with(file).await.expect("opened")
}

async fn run(pool: &SqlitePool, statement: &str) {
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await.expect("it is carried out");
}
