//! Redis that is not there, dies, is silent, or is behind a bad network.

#[path = "../../../tests/semantics/log.rs"]
mod log;

use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom::store::{Loaded, Record, Update};
use cloakroom::{Key, Store, Ttl};
use cloakroom_redis::{NearCache, Redis, RedisError, RedisRevision};
use servers::proxy::{Fault, Proxy};
use servers::races::{fresh_key, fresh_number, increment_once, load_number};
use servers::redis::RedisServer as Server;
use servers::writers::Writers;
use servers::{becomes_true, free_port};
use tokio::task::JoinSet;
use tokio::time::sleep;

use log::Log;

const TIMEOUT: Duration = Duration::from_millis(300);
/// Both timeouts, and what a busy machine adds.
const DEADLINE: Duration = Duration::from_millis(1_500);
const RECOVERY: Duration = Duration::from_secs(2);
/// How long the store trusts a connection, where the network forgets.
const SILENCE: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_within_the_deadline() {
    let url = format!("redis://127.0.0.1:{}", free_port());
    let start = Instant::now();
    let fault = Redis::options().connection_timeout(TIMEOUT).connect(&url).await;
    assert_eq!(fault.expect_err("no server listens").to_string(), "the connection to Redis failed");
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
    for url in ["", "redis", "http://127.0.0.1", "redis://user:secret@:x"] {
        let fault = Redis::connect(url).await.expect_err("no URL of Redis");
        assert!(!format!("{fault} {fault:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_repeat_it() {
    let server = Server::start(&[]);
    server.ask::<()>(&["CONFIG", "SET", "requirepass", "right"]);
    let url = format!("redis://:secret@127.0.0.1:{}", server.port());
    let fault = Redis::connect(&url).await.expect_err("the password is wrong");
    assert!(!format!("{fault} {fault:?}").contains("secret"));
    Redis::connect(&url.replace("secret", "right")).await.expect("the password is right");
}

/// The commands that the documentation of `Redis` lists.
const COMMANDS: [&str; 9] =
    ["+get", "+set", "+getdel", "+exists", "+pexpire", "+ping", "+evalsha", "+eval", "+pttl"];

/// The URL of a user who may run these commands on the keys of sessions.
fn user(server: &Server, commands: &[&str]) -> String {
    let rule = ["ACL", "SETUSER", "sessions", "reset", "on", ">password", "~session:*"];
    server.ask::<()>(&[&rule[..], commands].concat());
    format!("redis://sessions:password@127.0.0.1:{}", server.port())
}

#[tokio::test]
async fn the_documented_commands_are_all_that_a_user_needs() {
    let server = Server::start(&[]);
    let store = Redis::connect(&user(&server, &COMMANDS)).await.expect("allowed");
    let key = fresh_number(&store).await;
    increment_once(&store, &key).await.expect("updated");
    let old = RedisRevision::clone(&load(&store, &key, None).await.revision);
    increment_once(&store, &key).await.expect("updated");
    let week = Ttl::days(7);
    let updated = store.update(&key, b"3", week, &old).await.expect("answered");
    assert!(matches!(updated, Update::Conflict));
    assert_eq!(&load(&store, &key, Some(week)).await.value[..], b"2");
    store.remove(&key).await.expect("removed");
    let updated = store.update(&key, b"3", week, &old).await.expect("answered");
    assert!(matches!(updated, Update::Gone));

    let url = user(&server, &[&COMMANDS[..], &["+client|tracking"]].concat());
    let near = NearCache::new(Redis::connect(&url).await.expect("allowed")).await;
    let near = near.expect("allowed");
    let key = fresh_number(&near).await;
    assert_eq!(load_number(&near, &key).await.expect("allowed"), 0);
}

async fn load(store: &Redis, key: &Key, extend: Option<Ttl>) -> Record<Bytes, RedisRevision> {
    let loaded: Result<Loaded<Redis>, _> = store.load(key, extend).await;
    loaded.expect("answered").expect("there")
}

#[tokio::test]
async fn a_command_that_a_user_may_not_run_is_an_error_of_connecting_that_names_it() {
    let server = Server::start(&[]);
    for missing in ["+get", "+set", "+getdel", "+exists", "+pexpire", "+evalsha", "+eval"] {
        let allowed: Vec<_> = COMMANDS.into_iter().filter(|it| *it != missing).collect();
        let connected = Redis::connect(&user(&server, &allowed)).await;
        let name = missing[1..].to_uppercase();
        match connected {
            Err(fault) => assert!(fault.to_string().contains(&name), "{missing}: {fault}"),
            // This server needs a script to compare and set, or it does not.
            Ok(_) => assert!(["+exists", "+evalsha", "+eval"].contains(&missing), "{missing}"),
        }
    }
    Redis::connect(&user(&server, &["+get", "+set"])).await.expect_err("no other command");
}

#[tokio::test]
async fn a_key_that_a_user_may_not_touch_is_an_error_that_says_so() {
    let server = Server::start(&[]);
    let url = user(&server, &[&["resetkeys", "~other:*"], &COMMANDS[..]].concat());
    let store = Redis::connect(&url).await.expect("the prefix may be another one");
    let fault = store.load(&fresh_key(), None).await.expect_err("forbidden");
    assert!(fault.to_string().contains("~session:*"), "{fault}");
}

#[tokio::test]
async fn a_wrong_password_of_a_named_user_is_an_error_of_the_sign_in() {
    let server = Server::start(&[]);
    let url = user(&server, &COMMANDS).replace("password", "secret");
    let fault = Redis::connect(&url).await.expect_err("the password is wrong");
    assert_eq!(fault.to_string(), "Redis refused the user name or the password");
}

#[tokio::test]
async fn a_server_that_speaks_resp2_alone_is_served_where_the_options_say_so() {
    let server = Server::start(&["--rename-command", "HELLO", ""]);
    let fault = Redis::connect(&server.url()).await.expect_err("no RESP3");
    assert!(fault.to_string().contains("resp2"), "{fault}");
    let store = Redis::options().resp2().connect(&server.url()).await.expect("RESP2");
    let key = fresh_number(&store).await;
    increment_once(&store, &key).await.expect("updated");
    server.close_connections();
    answers_again(&store, &key).await;
    store.remove(&key).await.expect("removed");
    let fault = NearCache::new(store).await.expect_err("the server reports no change in RESP2");
    assert!(fault.to_string().contains("RESP3"), "{fault}");
}

#[test]
fn connecting_warns_of_a_server_that_evicts_sessions_and_of_no_other() {
    let server = Server::start(&[]);
    for (memory, policy, warnings) in [
        ("0", "allkeys-lru", 0),
        ("100mb", "noeviction", 0),
        ("100mb", "allkeys-lru", 1),
        ("100mb", "volatile-ttl", 1),
    ] {
        server.ask::<()>(&["CONFIG", "SET", "maxmemory", memory]);
        server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", policy]);
        Log::of(async |log| {
            Redis::connect(&server.url()).await.expect("the server is up");
            let lines = log.take();
            assert_eq!(lines.len(), warnings, "{memory}, {policy}: {lines:?}");
            assert!(lines.iter().all(|(_, line)| line.contains("maxmemory-policy noeviction")));
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_a_timeout_and_recovers() {
    recovers_from(Fault::Silence, RedisError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_network_is_a_timeout_and_recovers() {
    recovers_from(Fault::Delay(2 * TIMEOUT), RedisError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_is_cut_short_is_an_error_and_recovers() {
    for bytes in [0, 1, 3, 5] {
        recovers_from(Fault::Truncate(bytes), |fault| !fault.is_timeout()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_is_an_error_and_recovers() {
    recovers_from(Fault::Cut, |fault| !fault.is_timeout()).await;
}

/// With the default options, the silence would have to last a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_network_has_forgotten_costs_no_operation() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let options = Redis::options().trusted_silence(SILENCE);
    let store = options.connect(&proxy.url()).await.expect("the server is up");
    let near = NearCache::new(store.clone()).await.expect("the server tracks");
    for _ in 0..6 {
        forget(&proxy).await;
        // A session without a cookie begins with a write.
        let key = fresh_number(&store).await;
        forget(&proxy).await;
        assert_eq!(load_number(&store, &key).await.expect("a new connection"), 0);
        increment_once(&store, &key).await.expect("incremented");
        forget(&proxy).await;
        assert_eq!(load_number(&near, &key).await.expect("a new connection"), 1);
    }
}

/// Longer ago than the store trusts the connection.
async fn forget(proxy: &Proxy) {
    proxy.forget_connections();
    sleep(2 * SILENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operations_that_meet_a_forgotten_connection_at_once_all_succeed() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let options = Redis::options().trusted_silence(SILENCE);
    let store = options.connect(&proxy.url()).await.expect("the server is up");
    let key = fresh_number(&store).await;
    for _ in 0..3 {
        forget(&proxy).await;
        let mut loads = JoinSet::new();
        for _ in 0..20 {
            let (store, key) = (store.clone(), key.clone());
            loads.spawn(async move { load_number(&store, &key).await });
        }
        for number in loads.join_all().await {
            assert_eq!(number.expect("a new connection"), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_a_timeout_and_recovers() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.pause();
    fails_in_time(&store, &key, RedisError::is_timeout).await;
    server.resume();
    answers_again(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_no_operation_met_costs_no_error() {
    let mut server = Server::start(&["--appendonly", "yes"]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.kill();
    server.start_again();
    assert_eq!(load_number(&store, &key).await.expect("the first try"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_a_server_that_is_killed_during_writes() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
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
async fn an_update_whose_reply_was_lost_does_not_happen_twice() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let writers = Writers::start(&store, 8).await;
    for _ in 0..50 {
        writers.write_some().await;
        server.close_connections();
    }
    writers.stop_and_check(&store).await;
}

async fn recovers_from(fault: Fault, is_expected: fn(&RedisError) -> bool) {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let store = impatient(&proxy.url()).await;
    let key = fresh_number(&store).await;
    let other = fresh_number(&store).await;
    increment_once(&store, &other).await.expect("incremented");

    proxy.set(fault);
    fails_in_time(&store, &key, is_expected).await;
    proxy.set(Fault::None);
    answers_again(&store, &key).await;
    // Late replies reach no other operation.
    for _ in 0..100 {
        assert_eq!(load_number(&store, &other).await.expect("answers"), 1);
        assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    }
}

/// Many operations at once, so that some wait for the connection of others.
async fn fails_in_time(store: &Redis, key: &Key, is_expected: fn(&RedisError) -> bool) {
    let mut operations = JoinSet::new();
    for _ in 0..20 {
        let (store, key) = (store.clone(), key.clone());
        operations.spawn(async move {
            let start = Instant::now();
            let loaded: Result<Loaded<Redis>, _> = store.load(&key, None).await;
            (loaded.expect_err("the reply does not arrive"), start.elapsed())
        });
    }
    for (fault, time) in operations.join_all().await {
        assert!(time < DEADLINE, "an error after {time:?}");
        assert!(is_expected(&fault), "{fault}");
    }
}

async fn answers_again(store: &Redis, key: &Key) {
    let start = Instant::now();
    while store.load(key, None).await.is_err() {
        assert!(start.elapsed() < RECOVERY, "no recovery within {RECOVERY:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn impatient(url: &str) -> Redis {
    let options = Redis::options().response_timeout(TIMEOUT).connection_timeout(TIMEOUT);
    options.connect(url).await.expect("the server is up")
}

#[test]
fn a_server_of_the_tests_stops_when_it_is_dropped() {
    let server = Server::start(&[]);
    let (port, folder) = (server.port(), server.folder().to_owned());
    drop(server);
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "it still listens");
    assert!(becomes_true(RECOVERY, || !folder.exists()), "its folder is still there");
}
