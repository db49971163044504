//! PostgreSQL that is not there, dies, is silent, or is behind a bad network.

mod sql;

use std::sync::LazyLock;
use std::time::Instant;

use cloakroom::{Key, Store};
use cloakroom_sqlx::{Postgres, SqlError, SqlOptions};
use servers::free_port;
use servers::postgres::PostgresServer as Server;
use servers::proxy::{Fault, Proxy};
use servers::races::{fresh_number, load_number};
use servers::writers::Writers;
use sqlx::postgres::PgPoolOptions;

use sql::{
    DEADLINE, NOT_ENCODED, TIMEOUT, UNREADABLE_URL, a_hundred_callers_return, answers_again,
    fails_in_time, forgotten_connections_cost_no_error, recovers_from,
    until_connections_are_doubted,
};

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_within_the_deadline() {
    let start = Instant::now();
    let fault = options().connect(&url(free_port())).await;
    let said = fault.expect_err("no server listens").to_string();
    assert_eq!(said, "no connection to the database became free in time");
    assert!(start.elapsed() < DEADLINE);
}

#[tokio::test]
async fn an_operation_on_a_server_that_went_away_is_an_error_within_the_deadline() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.kill();
    for _ in 0..10 {
        let start = Instant::now();
        assert!(store.load(&key, None).await.is_err());
        assert!(start.elapsed() < DEADLINE);
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_an_error_that_does_not_repeat_it() {
    for url in ["", "postgres", "http://127.0.0.1", "postgres://user:secret@:x"] {
        let fault = options().connect(url).await.expect_err("no URL of PostgreSQL");
        assert!(!format!("{fault} {fault:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_password_that_is_not_percent_encoded_is_an_error_that_says_so() {
    for user in NOT_ENCODED {
        let url = format!("postgres://{user}@127.0.0.1:1/shop");
        let fault = options().connect(&url).await.expect_err("it cannot be read");
        assert_eq!(fault.to_string(), UNREADABLE_URL, "{user}");
        assert!(!format!("{fault:?}").contains("secret"));
    }
    for (url, said) in [
        ("sqlite://secret", "the URL is not one of PostgreSQL: it begins with `postgres://`"),
        (
            "postgres://app:secret@127.0.0.1/shop?ssl-mode=secret",
            "the URL has a setting that cannot be used: look at what stands behind `?`",
        ),
    ] {
        let fault = options().connect(url).await.expect_err("it cannot be used");
        assert_eq!(fault.to_string(), said);
    }
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_an_error_that_says_so() {
    let url = url(SHARED.port()).rsplit_once('/').map(|(at, _)| format!("{at}/none"));
    let fault = options().connect(&url.expect("a URL")).await.expect_err("there is none");
    assert_eq!(fault.to_string(), "the server has no database of the name that the URL has");
}

#[tokio::test]
async fn a_user_who_is_refused_is_an_error_that_does_not_repeat_the_password() {
    let port = SHARED.port();
    let url = format!("postgres://nobody:secret@127.0.0.1:{port}/postgres");
    let fault = options().connect(&url).await.expect_err("there is no such user");
    assert_eq!(fault.to_string(), "the database refused the user name or the password");
    assert!(!format!("{fault:?}").contains("secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_a_timeout_and_recovers() {
    through_a_proxy(Fault::Silence, SqlError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_network_is_a_timeout_and_recovers() {
    through_a_proxy(Fault::Delay(2 * TIMEOUT), SqlError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_short_is_an_error_and_recovers() {
    for bytes in [0, 1, 3, 5, 20] {
        through_a_proxy(Fault::Truncate(bytes), |_| true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_network_has_forgotten_cost_no_error() {
    let proxy = Proxy::before(SHARED.port());
    let options = Postgres::options().connection_timeout(4 * TIMEOUT);
    let store = options.connect(&url(proxy.port())).await.expect("the server is up");
    store.migrate().await.expect("migrated");
    forgotten_connections_cost_no_error(store, &proxy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_is_an_error_and_recovers() {
    through_a_proxy(Fault::Cut, |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_a_timeout_and_recovers() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.pause();
    fails_in_time(&store, &key, SqlError::is_timeout).await;
    server.resume();
    answers_again(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_no_operation_met_costs_no_error() {
    let mut server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    let last_used = Instant::now();
    server.kill();
    server.start_again();
    until_connections_are_doubted(last_used).await;
    assert_eq!(load_number(&store, &key).await.expect("the first try"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_a_server_that_is_killed_during_writes() {
    let mut server = Server::start(&["fsync=on"]);
    let store = impatient(&server.url()).await;
    let writers = Writers::start(&store, 8).await;
    for _ in 0..3 {
        writers.write_some().await;
        server.kill();
        server.start_again();
        for key in writers.keys() {
            answers_again(&store, key).await;
        }
    }
    writers.stop_and_check(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_answer_was_lost_does_not_happen_twice() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let writers = Writers::start(&store, 8).await;
    for _ in 0..20 {
        server.close_connections();
        writers.write_some().await;
    }
    writers.stop_and_check(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_callers_of_a_pool_of_one_all_return() {
    let proxy = Proxy::before(SHARED.port());
    let pool = PgPoolOptions::new().max_connections(1).connect(&url(proxy.port())).await;
    let pool = pool.expect("the server is up");
    // A hundred operations may take a busy machine longer.
    let patient = options().connection_timeout(10 * TIMEOUT).pool(pool.clone());
    let store = options().pool(pool);
    store.migrate().await.expect("migrated");
    let key: Key = fresh_number(&store).await;
    assert_eq!(a_hundred_callers_return(&patient, &key).await, 100);

    for _ in 0..3 {
        proxy.set(Fault::Silence);
        let start = Instant::now();
        assert_eq!(a_hundred_callers_return(&store, &key).await, 0);
        assert!(start.elapsed() < DEADLINE);
        proxy.set(Fault::None);
        answers_again(&store, &key).await;
    }
    assert_eq!(a_hundred_callers_return(&patient, &key).await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_another_holds_is_a_timeout_and_leaves_the_others_alone() {
    let store = impatient(&SHARED.url()).await;
    let (locked, free) = (fresh_number(&store).await, fresh_number(&store).await);
    let pool = PgPoolOptions::new().connect(&SHARED.url()).await.expect("the server is up");
    let mut other = pool.begin().await.expect("begun");
    let lock = sqlx::query("SELECT FROM sessions WHERE session_id = $1 FOR UPDATE");
    lock.bind(locked.as_str()).execute(&mut *other).await.expect("locked");

    let fault = store.remove(&locked).await.expect_err("the row is locked");
    assert!(fault.is_timeout(), "{fault}");
    assert_eq!(load_number(&store, &free).await.expect("answers"), 0);
    other.rollback().await.expect("let go");
}

static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(&[]));

async fn through_a_proxy(fault: Fault, is_expected: fn(&SqlError) -> bool) {
    let proxy = Proxy::before(SHARED.port());
    recovers_from(impatient(&url(proxy.port())).await, &proxy, fault, is_expected).await;
}

fn url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

async fn impatient(url: &str) -> Postgres {
    let store = options().connect(url).await.expect("the server is up");
    store.migrate().await.expect("migrated");
    store
}

fn options() -> SqlOptions<Postgres> {
    Postgres::options().response_timeout(TIMEOUT).connection_timeout(TIMEOUT)
}
