//! Sessions in Valkey, which compares and sets in one command.

use cloakroom::store::Update;
use cloakroom::{Store, Ttl};
use cloakroom_redis::Redis;
use servers::at_server::AtServer;
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_number, no_save_outlives_a_logout,
    two_processes_lose_nothing,
};
use servers::redis::{RedisServer as Server, SERVERS_CLOCK};
use servers::valkey::{shared_url, start};
use servers::visitor::{close, open, sessions, visit};

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<Redis> {
    AtServer::connect(SERVERS_CLOCK, async || connect(&shared_url()).await).await
}

#[tokio::test]
async fn a_change_is_one_get_and_one_set() {
    let server = start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    server.forget_calls();

    let mut session = open(&sessions, &cookies).await;
    session.count += 1;
    close(session).await;
    assert_eq!(server.calls(), [call("get", 1), call("set", 1)]);
}

#[tokio::test]
async fn an_update_that_comes_too_late_is_one_set_and_one_question() {
    let server = start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    let update = async |value| store.update(&key, value, Ttl::hours(1), &record.revision).await;

    assert!(matches!(update(b"1").await, Ok(Update::Updated(_))));
    server.forget_calls();
    assert!(matches!(update(b"2").await, Ok(Update::Conflict)));
    assert_eq!(server.calls(), [call("exists", 1), call("set", 1)]);

    store.remove(&key).await.expect("answers");
    assert!(matches!(update(b"3").await, Ok(Update::Gone)));
}

#[tokio::test]
async fn a_key_that_holds_something_else_is_a_fault_and_stays() {
    let server = start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    server.ask::<()>(&["DEL", key.as_str()]);
    server.ask::<()>(&["RPUSH", key.as_str(), "secret"]);

    let updated = store.update(&key, b"1", Ttl::hours(1), &record.revision).await;
    let Err(fault) = updated else { panic!("a list is no record") };
    assert_eq!(fault.to_string(), "Redis refused a command: WRONGTYPE");
    assert_eq!(server.ask::<u64>(&["LLEN", key.as_str()]), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_reply_to_another() {
    let server = start(&[]);
    let store = connect(&server.url()).await;
    dropped_operations_mix_nothing_up(store.clone()).await;
    assert_eq!(clients(&server), 2, "the store's, and the one that asks");
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
    let server = start(&[]);
    no_save_outlives_a_logout(connect(&server.url()).await).await;
}

fn clients(server: &Server) -> usize {
    server.ask::<String>(&["CLIENT", "LIST"]).lines().count()
}

async fn connect(url: &str) -> Redis {
    Redis::connect(url).await.expect("the server is up")
}

fn call(name: &str, times: u64) -> (String, u64) {
    (name.to_owned(), times)
}
