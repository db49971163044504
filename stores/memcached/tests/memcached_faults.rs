//! Memcached that is not there, dies, is silent, or is behind a bad network.

#[path = "../../../tests/semantics/log.rs"]
mod log;

use std::io;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{Key, Store, Ttl};
use cloakroom_memcached::{Memcached, MemcachedDial, MemcachedError, MemcachedOptions};
use servers::memcached::MemcachedServer as Server;
use servers::proxy::{Fault, Proxy};
use servers::races::{fresh_key, fresh_number, increment_once, load_number};
use servers::writers::Writers;
use servers::{becomes_true, free_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use log::Log;

const TIMEOUT: Duration = Duration::from_millis(300);
/// Both timeouts, and what a busy machine adds.
const DEADLINE: Duration = Duration::from_millis(1_500);
const RECOVERY: Duration = Duration::from_secs(2);
/// How long the store trusts a connection, where the network forgets.
const SILENCE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_within_the_deadline() {
    let url = format!("memcached://127.0.0.1:{}", free_port());
    let start = Instant::now();
    let fault = Memcached::options().connection_timeout(TIMEOUT).connect(&url).await;
    let fault = fault.expect_err("no server listens");
    assert_eq!(fault.to_string(), "the connection to Memcached failed");
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
    for url in ["", "memcached", "redis://127.0.0.1", "memcached://user:secret@127.0.0.1"] {
        let fault = Memcached::connect(url).await.expect_err("no URL of Memcached");
        assert!(!format!("{fault} {fault:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_server_that_knows_no_meta_commands_is_told_apart() {
    let url = url_of(answers_always("ERROR\r\n").await);
    let fault = Memcached::connect(&url).await.expect_err("it is too old");
    assert!(fault.to_string().contains("1.6 or newer"), "{fault}");
}

#[tokio::test]
async fn what_is_no_memcached_at_all_is_an_error() {
    let endless = "x".repeat(1 << 20);
    for reply in ["+PONG\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", &endless] {
        let url = url_of(answers_always(reply).await);
        let fault = Memcached::connect(&url).await.expect_err("no Memcached");
        assert_eq!(fault.to_string(), "Memcached sent an unexpected reply");
    }
}

#[tokio::test]
async fn a_length_that_no_value_has_is_an_error_before_memory_is_taken_for_it() {
    for length in ["1073741825", "18446744073709551615", "99999999999999999999999"] {
        let port = answers_always(&format!("VA {length} c1\r\n")).await;
        let store = impatient_options().dial(ToPort(port));
        assert!(store.load(&fresh_key(), None).await.is_err());
    }
}

#[tokio::test]
async fn an_unexpected_reply_reaches_no_operation() {
    let port = answers_always("EN\r\nVA 6 c1\r\nsecret\r\n").await;
    let store = impatient_options().dial(ToPort(port));
    for _ in 0..5 {
        assert!(store.load(&fresh_key(), None).await.expect("answers").is_none());
    }
}

#[test]
fn connecting_warns_of_a_server_that_evicts_sessions_and_of_no_other() {
    for (options, warnings) in [(&[][..], 1), (&["-M"][..], 0)] {
        let server = Server::start(options);
        Log::of(async |log| {
            Memcached::connect(&url_of(server.port())).await.expect("the server is up");
            let lines = log.take();
            assert_eq!(lines.len(), warnings, "{lines:?}");
            assert!(lines.iter().all(|(_, line)| line.contains("`-M`")));
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_a_timeout_and_recovers() {
    recovers_from(Fault::Silence, MemcachedError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_network_is_a_timeout_and_recovers() {
    recovers_from(Fault::Delay(2 * TIMEOUT), MemcachedError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_is_cut_short_is_an_error_and_recovers() {
    // Within the first line, the value, and what ends it.
    for bytes in [0, 1, 3, 5, 10, 11] {
        recovers_from(Fault::Truncate(bytes), |fault| !fault.is_timeout()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_is_an_error_and_recovers() {
    recovers_from(Fault::Cut, |fault| !fault.is_timeout()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_network_has_forgotten_costs_no_operation() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let options = Memcached::options().trusted_silence(SILENCE);
    let store = options.connect(&url_of(proxy.port())).await.expect("the server is up");
    for _ in 0..6 {
        // Several connections are idle, and all of them are forgotten.
        let keys = tokio::join!(fresh_number(&store), fresh_number(&store), fresh_number(&store));
        let keys = [keys.0, keys.1, keys.2];
        proxy.forget_connections();
        sleep(2 * SILENCE).await;
        for key in &keys {
            assert_eq!(load_number(&store, key).await.expect("a new connection"), 0);
        }
        increment_once(&store, &keys[0]).await.expect("incremented");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_a_timeout_and_recovers() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.pause();
    fails_in_time(&store, &key, MemcachedError::is_timeout).await;
    server.resume();
    answers_again(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_wait_for_a_connection_give_up_in_time() {
    let server = Server::start(&[]);
    // Less than for a reply: who has the connection has it until the others give up.
    let options = impatient_options().connection_timeout(TIMEOUT / 4);
    let store = options.pool_size(NonZeroUsize::MIN).connect(&server.url()).await;
    let store = store.expect("the server is up");
    let key = fresh_number(&store).await;
    server.pause();
    let faults = fails_in_time(&store, &key, MemcachedError::is_timeout).await;
    assert!(faults.contains(&"no connection to Memcached became free in time".to_owned()));
    server.resume();
    answers_again(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_no_operation_met_costs_no_error() {
    let mut server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.kill();
    server.start_again();
    // The record is lost; the store is not.
    assert!(store.load(&key, None).await.expect("the first try").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_end_and_none_returns_when_the_server_is_killed_during_writes() {
    let mut server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    for _ in 0..3 {
        let mut writers = JoinSet::new();
        for _ in 0..8 {
            let store = store.clone();
            writers.spawn(async move { write_until_a_fault(&store).await });
        }
        let are_at_it = || server.calls().iter().any(|call| call.0 == "cmd_set" && call.1 > 200);
        assert!(becomes_true(PATIENCE, are_at_it), "the writers do not write");
        server.kill();
        let ended = writers.join_all().await;
        server.start_again();

        for (key, seen) in ended {
            answers_again(&store, &key).await;
            assert!(matches!(store.load(&key, None).await, Ok(None)));
            let updated = store.update(&key, b"1", Ttl::hours(1), &seen).await;
            assert!(matches!(updated, Ok(Update::Gone)));
        }
        assert_eq!(server.records(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_reply_was_lost_does_not_happen_twice() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let store = impatient(&url_of(proxy.port())).await;
    let writers = Writers::start(&store, 8).await;
    for _ in 0..50 {
        writers.write_some().await;
        proxy.set(Fault::Cut);
        proxy.set(Fault::None);
    }
    writers.stop_and_check(&store).await;
}

async fn recovers_from(fault: Fault, is_expected: fn(&MemcachedError) -> bool) {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let store = impatient(&url_of(proxy.port())).await;
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

/// More operations at once than there are connections. Gives what they say.
async fn fails_in_time(
    store: &Memcached,
    key: &Key,
    is_expected: fn(&MemcachedError) -> bool,
) -> Vec<String> {
    let mut operations = JoinSet::new();
    for _ in 0..20 {
        let (store, key) = (store.clone(), key.clone());
        operations.spawn(async move {
            let start = Instant::now();
            let loaded: Result<Loaded<Memcached>, _> = store.load(&key, None).await;
            (loaded.expect_err("the reply does not arrive"), start.elapsed())
        });
    }
    let mut faults = Vec::new();
    for (fault, time) in operations.join_all().await {
        assert!(time < DEADLINE, "an error after {time:?}");
        assert!(is_expected(&fault), "{fault}");
        faults.push(fault.to_string());
    }
    faults
}

async fn answers_again(store: &Memcached, key: &Key) {
    let start = Instant::now();
    while store.load(key, None).await.is_err() {
        assert!(start.elapsed() < RECOVERY, "no recovery within {RECOVERY:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Gives the last version that was acknowledged.
async fn write_until_a_fault(store: &Memcached) -> (Key, <Memcached as Store>::Revision) {
    let key = fresh_key();
    let Ok(Create::Created(mut seen)) = store.create(&key, b"0", Ttl::hours(1)).await else {
        panic!("the server is up");
    };
    while let Ok(updated) = store.update(&key, b"0", Ttl::hours(1), &seen).await {
        let Update::Updated(revision) = updated else { panic!("no other task writes") };
        seen = revision;
    }
    (key, seen)
}

async fn impatient(url: &str) -> Memcached {
    impatient_options().connect(url).await.expect("the server is up")
}

fn impatient_options() -> MemcachedOptions {
    Memcached::options().response_timeout(TIMEOUT).connection_timeout(TIMEOUT)
}

/// What answers every request with the same bytes, whatever they mean.
async fn answers_always(reply: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let reply = reply.to_owned();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let reply = reply.clone();
            tokio::spawn(async move {
                let mut request = [0; 1_024];
                while let Ok(1..) = stream.read(&mut request).await {
                    if stream.write_all(reply.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

/// Makes connections to whatever is at a port, without asking what it is.
struct ToPort(u16);

impl MemcachedDial for ToPort {
    type Stream = TcpStream;

    async fn dial(&self) -> io::Result<TcpStream> {
        TcpStream::connect(("127.0.0.1", self.0)).await
    }
}

fn url_of(port: u16) -> String {
    format!("memcached://127.0.0.1:{port}")
}
