//! A cache in front of Redis: never an outdated session once the server has
//! spoken, or has been cut off.

mod faults;

use std::env;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cloakroom::contract::{self, Harness, Time};
use cloakroom::store::{Create, Update};
use cloakroom::{Key, Store, Ttl};
use cloakroom_redis::{NearCache, Redis};
use http::header::COOKIE;
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_key, fresh_number, increment_once, load_number,
    no_save_outlives_a_logout, two_processes_lose_nothing,
};
use servers::redis::{RedisServer as Server, SERVERS_CLOCK, shared_url};
use servers::valkey;
use servers::visitor::{close, cookie_header, open, sessions, visit};
use tokio::task::JoinSet;
use tokio::time::sleep;

const HOUR: Ttl = Ttl::hours(1);
/// What a server's message may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

struct AtServer {
    store: NearCache,
}

impl AtServer {
    async fn connect() -> Self {
        Self { store: connect(&shared_url()).await }
    }
}

impl Harness for AtServer {
    type Store = NearCache;

    fn store(&self) -> &NearCache {
        &self.store
    }

    /// The same cache: another one sees a change only when it has heard of it.
    fn second(&self) -> &NearCache {
        &self.store
    }

    fn time(&self) -> Time {
        Time::Real { patience: Duration::from_secs(3) }
    }

    async fn pass(&self, time: Duration) {
        contract::wait(time + SERVERS_CLOCK).await;
    }
}

mod keeps_the_contract {
    use super::AtServer;

    cloakroom::store_contract!(AtServer::connect().await);
}

#[tokio::test]
async fn a_session_that_is_read_again_asks_the_server_nothing() {
    let server = Server::start(&[]);
    let sessions = sessions(patient(&server.url()).await);
    let cookies = visit(&sessions).await;
    server.forget_calls();

    close(open(&sessions, &cookies).await).await;
    assert_eq!(server.calls(), [call("get", 1), call("pttl", 1)]);
    server.forget_calls();
    for _ in 0..100 {
        assert_eq!(open(&sessions, &cookies).await.count, 1);
    }
    assert_eq!(server.calls(), []);
}

#[tokio::test]
async fn a_change_to_a_session_that_was_read_is_one_command() {
    let server = Server::start(&[]);
    let sessions = sessions(patient(&server.url()).await);
    let cookies = visit(&sessions).await;
    for _ in 0..2 {
        close(open(&sessions, &cookies).await).await;
        let mut session = open(&sessions, &cookies).await;
        server.forget_calls();
        session.count += 1;
        close(session).await;
    }
    // The server also counts the GET and the SET within the script.
    assert_eq!(server.calls(), [call("evalsha", 1), call("get", 1), call("set", 1)]);
}

#[tokio::test]
async fn a_change_elsewhere_is_seen_when_the_server_has_said_it() {
    for server in [Server::start(&[]), valkey::start(&[])] {
        sees_changes_elsewhere(&server).await;
    }
}

async fn sees_changes_elsewhere(server: &Server) {
    let (here, there) = (patient(&server.url()).await, patient(&server.url()).await);
    let key = fresh_number(&there).await;
    for n in 1..=100 {
        assert_eq!(number_at(&here, &key).await, n - 1);
        increment_once(&there, &key).await.expect("answers");
        assert_eq!(number_at(&there, &key).await, n, "its own change is seen at once");
        until(async || number_at(&here, &key).await == n).await;
    }
}

#[tokio::test]
async fn a_server_that_is_emptied_empties_the_cache() {
    for command in ["FLUSHALL", "FLUSHDB"] {
        let server = Server::start(&[]);
        let store = patient(&server.url()).await;
        let key = fresh_number(&store).await;
        assert_eq!(number_at(&store, &key).await, 0);
        server.ask::<()>(&[command]);
        until(async || is_absent(&store, &key).await).await;
    }
}

#[tokio::test]
async fn a_record_that_the_server_stops_to_track_is_read_again() {
    let server = Server::start(&["--tracking-table-max-keys", "1"]);
    let store = patient(&server.url()).await;
    let keys = [fresh_number(&store).await, fresh_number(&store).await];
    for n in 1..20 {
        for key in &keys {
            number_at(&store, key).await;
            server.ask::<()>(&["SET", key.as_str(), &n.to_string()]);
            until(async || number_at(&store, key).await == n).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_never_goes_back_in_time() {
    let server = Server::start(&[]);
    let (here, there) = (patient(&server.url()).await, patient(&server.url()).await);
    let key = Arc::new(fresh_number(&there).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..8 {
        let (here, key, is_over) = (here.clone(), key.clone(), is_over.clone());
        readers.spawn(async move {
            let mut newest = 0;
            while !is_over.load(Ordering::SeqCst) {
                let now = number_at(&here, &key).await;
                assert!(now >= newest, "{now} came after {newest}");
                newest = now;
                tokio::task::yield_now().await;
            }
        });
    }
    for _ in 0..3_000 {
        increment_once(&there, &key).await.expect("answers");
    }
    until(async || number_at(&here, &key).await == 3_000).await;
    is_over.store(true, Ordering::SeqCst);
    readers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_increment_one_session_10_000_times_lose_nothing() {
    two_processes_lose_nothing(
        "two_processes_that_increment_one_session_10_000_times_lose_nothing",
        shared_url,
        async |url| patient(&url).await,
    )
    .await;
}

const HELPERS_URL: &str = "CLOAKROOM_NEAR_CACHE_URL";
const HELPERS_COOKIE: &str = "CLOAKROOM_NEAR_CACHE_COOKIE";

/// The second process is this program, with this test alone.
#[tokio::test]
async fn a_logout_in_one_process_ends_the_session_in_another() {
    if let (Ok(url), Ok(cookie)) = (env::var(HELPERS_URL), env::var(HELPERS_COOKIE)) {
        let sessions = sessions(patient(&url).await);
        let mut session = open(&sessions, &cookie_header(&cookie)).await;
        assert!(!session.is_new());
        session.destroy();
        return close(session).await;
    }
    let url = shared_url();
    let sessions = sessions(patient(&url).await);
    let cookies = visit(&sessions).await;
    assert!(!open(&sessions, &cookies).await.is_new());

    let name = "a_logout_in_one_process_ends_the_session_in_another";
    let other = Command::new(env::current_exe().expect("a program"))
        .args([name, "--exact"])
        .env(HELPERS_URL, &url)
        .env(HELPERS_COOKIE, cookies[COOKIE].to_str().expect("text"))
        .stdout(Stdio::piped())
        .output()
        .expect("this program starts again");
    assert!(other.status.success(), "{}", String::from_utf8_lossy(&other.stdout));
    until(async || open(&sessions, &cookies).await.is_new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_left_when_a_logout_meets_100_saves() {
    let server = Server::start(&[]);
    no_save_outlives_a_logout(connect(&server.url()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_reply_to_another() {
    let server = Server::start(&[]);
    let store = connect(&server.url()).await;
    dropped_operations_mix_nothing_up(store.clone()).await;
}

/// A dropped update may happen or not. A later read sees which.
#[tokio::test]
async fn a_dropped_change_leaves_nothing_outdated_behind() {
    let server = Server::start(&[]);
    let store = patient(&server.url()).await;
    let key = fresh_number(&store).await;
    for n in 1..200_u64 {
        let record = store.load(&key, None).await.expect("answers").expect("kept");
        let value = n.to_string();
        let update = store.update(&key, value.as_bytes(), HOUR, &record.revision);
        // Long enough to be sent, sometimes long enough to be answered.
        let _ = tokio::time::timeout(Duration::from_micros(20 * (n % 10)), update).await;
        let seen = number_at(&store, &key).await;
        assert_eq!(seen, server.ask::<u64>(&["GET", key.as_str()]));
    }
}

#[tokio::test]
async fn the_cache_stays_within_its_capacity() {
    let server = Server::start(&[]);
    let redis = Redis::connect(&server.url()).await.expect("the server is up");
    let options = NearCache::options().capacity(100_000).max_silence(PATIENCE);
    let store = options.in_front_of(redis).await.expect("the server tracks");
    let large = vec![7; 1_000];
    let keys: Vec<_> = (0..1_000).map(|_| fresh_key()).collect();
    for key in &keys {
        keep(&store, key, &large).await;
    }
    for _ in 0..2 {
        server.forget_calls();
        for key in &keys {
            store.load(key, None).await.expect("answers").expect("kept");
        }
    }
    let gets = server.calls().into_iter().find(|(name, _)| name == "get").map_or(0, |call| call.1);
    assert!(gets >= 900, "{} records were kept", 1_000 - gets);
    // A value that does not fit into the cache is returned, too.
    let key = fresh_key();
    keep(&store, &key, &vec![7; 200_000]).await;
    assert!(store.load(&key, None).await.expect("answers").is_some());
}

#[tokio::test]
async fn an_update_of_an_outdated_read_is_a_conflict_and_the_next_read_is_new() {
    let server = Server::start(&[]);
    let (here, there) = (patient(&server.url()).await, patient(&server.url()).await);
    let key = fresh_number(&there).await;
    for _ in 0..100 {
        let record = here.load(&key, None).await.expect("answers").expect("kept");
        increment_once(&there, &key).await.expect("answers");
        let updated = here.update(&key, b"9", HOUR, &record.revision).await;
        assert!(matches!(updated, Ok(Update::Conflict)));
        assert_eq!(number_at(&here, &key).await, number_at(&there, &key).await);
    }
}

async fn connect(url: &str) -> NearCache {
    let redis = Redis::connect(url).await.expect("the server is up");
    NearCache::new(redis).await.expect("the server tracks")
}

/// A cache that asks again only when it has to, however slow the machine is.
async fn patient(url: &str) -> NearCache {
    let redis = Redis::connect(url).await.expect("the server is up");
    let options = NearCache::options().max_silence(Duration::from_secs(3_600));
    options.in_front_of(redis).await.expect("the server tracks")
}

async fn number_at(store: &NearCache, key: &Key) -> u64 {
    load_number(store, key).await.expect("answers")
}

async fn keep(store: &NearCache, key: &Key, value: &[u8]) {
    let created = store.create(key, value, HOUR).await.expect("answers");
    assert!(matches!(created, Create::Created(_)));
}

async fn is_absent(store: &NearCache, key: &Key) -> bool {
    store.load(key, None).await.expect("answers").is_none()
}

async fn until(condition: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < PATIENCE, "it does not come about");
        sleep(Duration::from_millis(1)).await;
    }
}

fn call(name: &str, times: u64) -> (String, u64) {
    (name.to_owned(), times)
}
