//! Sessions in Memcached: the rules of every store, and what is asked of the
//! server.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cloakroom::store::{Create, Update};
use cloakroom::{Key, Store, Ttl};
use cloakroom_memcached::{Memcached, MemcachedDial, MemcachedRevision};
use http::HeaderMap;
use servers::at_server::AtServer;
use servers::becomes_true;
use servers::memcached::{MemcachedServer as Server, SERVERS_CLOCK, shared_url};
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_key, fresh_number, increment_once, load_number,
    no_save_outlives_a_logout, two_processes_lose_nothing,
};
use servers::visitor::{CounterSessions, close, open, sessions, visit};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<Memcached> {
    let at_server = AtServer::connect(SERVERS_CLOCK, async || connect(&shared_url()).await);
    at_server.await.patience(Duration::from_secs(12))
}

#[tokio::test]
async fn a_read_is_one_get() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    server.forget_calls();

    close(open(&sessions, &cookies).await).await;
    assert_eq!(server.calls(), [("cmd_get", 1)]);
}

#[tokio::test]
async fn a_change_is_one_get_and_one_cas() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    server.forget_calls();

    change(&sessions, &cookies).await;
    assert_eq!(server.calls(), [("cmd_get", 1), ("cmd_set", 1)]);
}

#[tokio::test]
async fn a_new_session_is_one_add() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    server.forget_calls();

    visit(&sessions).await;
    assert_eq!(server.calls(), [("cmd_set", 1)]);
}

#[tokio::test]
async fn a_logout_is_one_get_and_one_cas() {
    let server = Server::start(&[]);
    let sessions = sessions(connect(&server.url()).await);
    let cookies = visit(&sessions).await;
    server.forget_calls();

    let mut session = open(&sessions, &cookies).await;
    session.destroy();
    close(session).await;
    assert_eq!(server.calls(), [("cmd_get", 1), ("cmd_set", 1)]);
    assert!(open(&sessions, &cookies).await.is_new());
}

#[tokio::test]
async fn a_load_that_extends_is_one_get_and_one_touch_where_that_lengthens() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    create(&store, &key, b"data", Ttl::minutes(1)).await;
    server.forget_calls();

    let loaded = store.load(&key, Some(Ttl::hours(1))).await.expect("answers");
    assert_eq!(loaded.expect("kept").value, b"data");
    assert_eq!(server.calls(), [("cmd_get", 1), ("cmd_touch", 1)]);
    assert_left(&server, &key, 60 * 60);
    server.forget_calls();

    let loaded = store.load(&key, Some(Ttl::minutes(1))).await.expect("answers");
    assert_eq!(loaded.expect("kept").value, b"data");
    assert_eq!(server.calls(), [("cmd_get", 1)]);
    assert_left(&server, &key, 60 * 60 - 2);
}

#[tokio::test]
async fn a_record_that_another_program_made_for_ever_stays_for_ever() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    server.ask(&format!("set {} 0 0 4\r\ndata", key.as_str()), "STORED");
    store.load(&key, Some(Ttl::hours(1))).await.expect("answers").expect("kept");
    let reply = server.ask(&format!("mg {} t\r\nmn", key.as_str()), "MN");
    assert_eq!(reply, ["HD t-1"]);
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
async fn the_value_stands_in_the_server_as_it_was_given() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    create(&store, &key, b" 007 ", Ttl::minutes(1)).await;
    let reply = server.ask(&format!("get {}", key.as_str()), "END");
    assert_eq!(reply, [format!("VALUE {} 0 5", key.as_str()), " 007 ".to_owned()]);
}

#[tokio::test]
async fn every_record_has_an_end() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    let month = 30 * 24 * 60 * 60;
    for (ttl, seconds) in [
        (Ttl::MIN, 1),
        (Ttl::minutes(1), 60),
        (Ttl::days(30), month),
        (Ttl::from_secs(month + 1).expect("a time to live"), month + 1),
        (Ttl::MAX, 400 * 24 * 60 * 60),
    ] {
        let key = fresh_key();
        let seen = create(&store, &key, b"data", ttl).await;
        assert_left(&server, &key, seconds);
        let updated = store.update(&key, b"hat", ttl, &seen).await;
        assert!(matches!(updated, Ok(Update::Updated(_))));
        assert_left(&server, &key, seconds);
        store.load(&key, Some(ttl)).await.expect("answers").expect("kept");
        assert_left(&server, &key, seconds);
    }
}

#[tokio::test]
async fn a_value_over_the_limit_is_not_sent_and_the_old_record_stays() {
    let server = Server::start(&["-I", "512k"]);
    let store = connect(&server.url()).await;
    assert_too_large_keeps_records(&server, &store, (512 << 10) + 1).await;
    assert_eq!(server.calls(), [("cmd_get", 4), ("cmd_set", 2)]);

    let options = Memcached::options().max_value_bytes(100);
    let store = options.connect(&server.url()).await.expect("the server is up");
    assert_too_large_keeps_records(&server, &store, 101).await;
}

#[tokio::test]
async fn a_value_that_only_the_server_finds_too_large_keeps_the_old_record() {
    let server = Server::start(&["-I", "512k"]);
    let options = Memcached::options().max_value_bytes(4 << 20);
    let store = options.connect(&server.url()).await.expect("the server is up");
    for length in [512 << 10, 2 << 20] {
        assert_too_large_keeps_records(&server, &store, length).await;
    }
}

#[tokio::test]
async fn a_server_that_comes_back_with_a_smaller_limit_keeps_the_old_record() {
    let mut server = Server::start(&["-I", "4m"]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    create(&store, &key, &vec![1; 3 << 20], Ttl::hours(1)).await;

    server.kill();
    server.start_again_with(&["-I", "1m"]);
    // Whether or not the first operation meets the connection that broke.
    let _ = store.load(&key, None).await;
    assert_too_large_keeps_records(&server, &store, 2 << 20).await;
}

#[tokio::test]
async fn a_server_without_memory_keeps_the_old_record() {
    let server = Server::start(&["-m", "2", "-M"]);
    let store = connect(&server.url()).await;
    let (changed, taken) = (fresh_number(&store).await, fresh_number(&store).await);
    let large = vec![0; 1_000];
    let fault = loop {
        if let Err(fault) = store.create(&fresh_key(), &large, Ttl::hours(1)).await {
            break fault;
        }
    };
    assert_eq!(fault.to_string(), "Memcached has no memory left for the value");

    let record = store.load(&changed, None).await.expect("answers").expect("kept");
    assert!(store.update(&changed, &large, Ttl::hours(1), &record.revision).await.is_err());
    assert!(store.create(&taken, &large, Ttl::hours(1)).await.is_err());
    for key in [&changed, &taken] {
        assert_eq!(load_number(&store, key).await.expect("answers"), 0);
        assert!(store.remove(key).await.expect("a logout needs no memory").is_some());
    }
}

#[tokio::test]
async fn a_server_that_tells_no_versions_apart_is_a_fault() {
    let server = Server::start(&["-C"]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    let seen = create(&store, &key, b"data", Ttl::hours(1)).await;
    let Err(fault) = store.load(&key, None).await else { panic!("there is no CAS token") };
    assert!(fault.to_string().contains("`-C`"), "{fault}");
    assert!(store.update(&key, b"hat", Ttl::hours(1), &seen).await.is_err());
    assert!(store.remove(&key).await.is_err());
}

#[tokio::test]
async fn a_connection_of_ones_own_can_be_used() {
    let server = Server::start(&[]);
    let dialed = Arc::new(AtomicU64::new(0));
    let store = Memcached::new(Counting { port: server.port(), dialed: dialed.clone() });
    let key = fresh_number(&store).await;
    for _ in 0..10 {
        increment_once(&store, &key).await.expect("incremented");
    }
    assert_eq!(load_number(&store, &key).await.expect("answers"), 10);
    assert_eq!(dialed.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_serves_100_callers_and_all_return() {
    let server = Server::start(&[]);
    let options = Memcached::options().pool_size(NonZeroUsize::MIN);
    let store = options.connect(&server.url()).await.expect("the server is up");
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        tasks.spawn(async move {
            let key = fresh_number(&store).await;
            increment_once(&store, &key).await.expect("incremented");
            assert_eq!(load_number(&store, &key).await.expect("answers"), 1);
        });
    }
    tasks.join_all().await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_reply_to_another() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    dropped_operations_mix_nothing_up(store.clone()).await;
    // The server learns of closed connections a moment later.
    let at_most_the_pool = || server.connections() <= 16;
    assert!(becomes_true(Duration::from_secs(10), at_most_the_pool), "{}", server.connections());
    drop(store);
    let none = || server.connections() == 0;
    assert!(becomes_true(Duration::from_secs(10), none), "{}", server.connections());
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

/// What is handed out is what was the last version, however many there were.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_hands_out_the_last_update_that_was_acknowledged() {
    let store = connect(&shared_url()).await;
    for _ in 0..50 {
        let key = fresh_number(&store).await;
        let writer = tokio::spawn({
            let (store, key) = (store.clone(), key.clone());
            async move { count_up_until_gone(&store, &key).await }
        });
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let removed = store.remove(&key).await.expect("answers").expect("it was there");
        let acknowledged = writer.await.expect("no panic");
        assert_eq!(removed, acknowledged.to_string().as_bytes());
    }
}

async fn count_up_until_gone(store: &Memcached, key: &Key) -> u64 {
    let mut count = 0;
    while let Some(record) = store.load(key, None).await.expect("answers") {
        let next = (count + 1).to_string();
        match store.update(key, next.as_bytes(), Ttl::hours(1), &record.revision).await {
            Ok(Update::Updated(_)) => count += 1,
            Ok(Update::Gone) => break,
            _ => panic!("no other task updates it"),
        }
    }
    count
}

/// Connects over TCP, and counts how often.
struct Counting {
    port: u16,
    dialed: Arc<AtomicU64>,
}

impl MemcachedDial for Counting {
    type Stream = TcpStream;

    async fn dial(&self) -> io::Result<TcpStream> {
        self.dialed.fetch_add(1, Ordering::SeqCst);
        TcpStream::connect(("127.0.0.1", self.port)).await
    }
}

async fn connect(url: &str) -> Memcached {
    Memcached::connect(url).await.expect("the server is up")
}

async fn create(store: &Memcached, key: &Key, value: &[u8], ttl: Ttl) -> MemcachedRevision {
    match store.create(key, value, ttl).await.expect("answers") {
        Create::Created(revision) => revision,
        Create::KeyTaken => panic!("the key is fresh"),
    }
}

async fn change(sessions: &CounterSessions<Memcached>, cookies: &HeaderMap) {
    let mut session = open(sessions, cookies).await;
    session.count += 1;
    close(session).await;
}

/// Leaves two further records in the server.
async fn assert_too_large_keeps_records(server: &Server, store: &Memcached, length: usize) {
    let large = vec![0; length];
    server.forget_calls();
    let (changed, taken) = (fresh_number(store).await, fresh_number(store).await);
    let record = store.load(&changed, None).await.expect("answers").expect("kept");

    let updated = store.update(&changed, &large, Ttl::hours(1), &record.revision).await;
    assert!(updated.expect_err("too large").is_too_large());
    for key in [&taken, &fresh_key()] {
        let created = store.create(key, &large, Ttl::hours(1)).await;
        assert!(created.expect_err("too large").is_too_large());
    }
    for key in [&changed, &taken] {
        assert_eq!(load_number(store, key).await.expect("answers"), 0);
    }
    let again = store.load(&changed, None).await.expect("answers").expect("kept");
    assert!(again.revision == record.revision, "the version is another one");
}

/// The record goes on for so many seconds, and for three more at most: a date is
/// rounded up twice, and the server's clock may be a second behind.
fn assert_left(server: &Server, key: &Key, seconds: u64) {
    let [reply] = &server.ask(&format!("mg {} t\r\nmn", key.as_str()), "MN")[..] else {
        panic!("one line");
    };
    let left: u64 = reply.strip_prefix("HD t").expect("a time").parse().expect("seconds");
    assert!((seconds..=seconds + 3).contains(&left), "{left} of {seconds}");
}
