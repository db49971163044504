//! Sessions in Redis: the rules of every store, and what is asked of the server.

use cloakroom::store::{Create, Update};
use cloakroom::{Renewal, Store, Ttl};
use cloakroom_redis::{Redis, RedisServer};
use http::HeaderMap;
use servers::at_server::AtServer;
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_key, fresh_number, no_save_outlives_a_logout,
    two_processes_lose_nothing,
};
use servers::redis::{RedisServer as Server, SERVERS_CLOCK, shared_url};
use servers::visitor::{close, open, sessions, visit};

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<Redis> {
    AtServer::connect(SERVERS_CLOCK, async || connect(&shared_url()).await).await
}

#[tokio::test]
async fn a_read_is_one_get() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    server.forget_calls();

    close(open(&sessions, &cookies).await).await;
    assert_eq!(server.calls(), [call("get", 1)]);
}

#[tokio::test]
async fn a_change_is_one_get_and_one_script() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    change(&sessions, &cookies).await;
    server.forget_calls();

    change(&sessions, &cookies).await;
    // The server also counts the GET and the SET within the script.
    assert_eq!(server.calls(), [call("evalsha", 1), call("get", 2), call("set", 1)]);
}

#[tokio::test]
async fn a_new_session_is_one_set() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    server.forget_calls();

    visit(&sessions).await;
    assert_eq!(server.calls(), [call("set", 1)]);
}

#[tokio::test]
async fn a_logout_is_one_get_and_one_script() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    change(&sessions, &cookies).await;
    server.forget_calls();

    let mut session = open(&sessions, &cookies).await;
    session.destroy();
    close(session).await;
    // The server also counts the GET and the SET within the script.
    assert_eq!(server.calls(), [call("evalsha", 1), call("get", 2), call("set", 1)]);
    assert!(open(&sessions, &cookies).await.is_new());
}

#[tokio::test]
async fn a_read_that_extends_is_one_get_and_one_pexpire() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let config = cloakroom::Config::new().store(store).data::<servers::visitor::Counter>();
    let sessions = config.renewal(Renewal::EveryRequest).build();
    let cookies = visit(&sessions).await;
    server.forget_calls();

    close(open(&sessions, &cookies).await).await;
    assert_eq!(server.calls(), [call("get", 1), call("pexpire", 1)]);
}

#[tokio::test]
async fn a_record_that_another_program_made_for_ever_stays_for_ever() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    server.ask::<()>(&["PERSIST", key.as_str()]);
    store.load(&key, Some(Ttl::minutes(1))).await.expect("answers").expect("kept");
    assert_eq!(server.ask::<i64>(&["PTTL", key.as_str()]), -1);
}

#[tokio::test]
async fn a_server_that_became_a_replica_extends_nothing_and_a_new_connection_is_made() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    let connections = || {
        let stats: String = server.ask(&["INFO", "stats"]);
        let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        count.expect("a count").parse::<u64>().expect("a number")
    };
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", &servers::free_port().to_string()]);
    let Err(fault) = store.load(&key, Some(Ttl::hours(2))).await else { panic!("it is read-only") };
    assert!(fault.to_string().ends_with(": READONLY"), "{fault}");

    let before = connections();
    store.load(&key, None).await.expect("a replica can be read").expect("kept");
    // The store's new connection, and the one that asks.
    assert_eq!(connections(), before + 2);
}

#[tokio::test]
async fn a_visit_without_a_cookie_asks_nothing() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    server.forget_calls();

    close(open(&sessions, &HeaderMap::new()).await).await;
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_is_taught_again() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    for _ in 0..2 {
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        let record = store.load(&key, None).await.expect("answers").expect("kept");
        let updated = store.update(&key, b"1", Ttl::hours(1), &record.revision).await;
        assert!(matches!(updated, Ok(Update::Updated(_))));
    }
}

#[tokio::test]
async fn the_value_stands_in_the_server_as_it_was_given() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    let made = store.create(&key, b"\0coat\xff", Ttl::minutes(1)).await;
    assert!(matches!(made, Ok(Create::Created(_))));
    assert_eq!(server.ask::<Vec<u8>>(&["GET", key.as_str()]), b"\0coat\xff");
    let left: u64 = server.ask(&["PTTL", key.as_str()]);
    assert!((50_000..=60_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_value_over_the_limit_is_a_fault_and_the_old_record_stays() {
    let server = Server::start(&["--proto-max-bulk-len", "1mb"]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    // More than this server takes, and more than any takes.
    for length in [2 << 20, (512 << 20) + 1] {
        let large = vec![0; length];
        let record = store.load(&key, None).await.expect("answers").expect("kept");
        let updated = store.update(&key, &large, Ttl::hours(1), &record.revision).await;
        assert!(updated.is_err());
        assert!(store.create(&fresh_key(), &large, Ttl::hours(1)).await.is_err());
        let record = store.load(&key, None).await.expect("answers").expect("kept");
        assert_eq!(&*record.value, b"0");
    }
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 1);
}

#[tokio::test]
async fn a_key_that_holds_something_else_is_a_fault_that_names_no_key() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    server.ask::<()>(&["RPUSH", key.as_str(), "secret"]);
    let Err(fault) = store.load(&key, None).await else { panic!("a list is no record") };
    assert_eq!(fault.to_string(), "Redis refused a command: WRONGTYPE");
    assert!(!format!("{fault:?}").contains(key.as_str()));
}

#[tokio::test]
async fn a_connection_of_ones_own_can_be_used() {
    let server = Server::start(&[]);
    let client = redis::Client::open(server.url()).expect("a URL");
    let own = client.get_multiplexed_async_connection().await.expect("the server is up");
    let store = Redis::new(own);
    let key = fresh_number(&store).await;
    assert!(store.load(&key, None).await.expect("answers").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_reply_to_another() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    dropped_operations_mix_nothing_up(store.clone()).await;
    let connections: String = server.ask(&["CLIENT", "LIST"]);
    assert_eq!(connections.lines().count(), 2, "the store's, and the one that asks");
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
    let server = Server::start(&[]);
    no_save_outlives_a_logout(connect(&server.url()).await).await;
}

async fn connect(url: &str) -> Redis<RedisServer> {
    Redis::connect(url).await.expect("the server is up")
}

async fn change(sessions: &servers::visitor::CounterSessions<Redis>, cookies: &HeaderMap) {
    let mut session = open(sessions, cookies).await;
    session.count += 1;
    close(session).await;
}

fn call(name: &str, times: u64) -> (String, u64) {
    (name.to_owned(), times)
}
