//! MongoDB that is not there, dies, is silent, or is behind a bad network.

use std::time::{Duration, Instant};

use cloakroom::{Key, Store};
use cloakroom_mongodb::{MongoDb, MongoDbError};
use mongodb::bson::doc;
use servers::free_port;
use servers::mongodb::MongoDbServer as Server;
use servers::proxy::{Fault, Proxy};
use servers::races::{fresh_number, increment_once, load_number};
use servers::writers::Writers;
use tokio::task::JoinSet;
use tokio::time::sleep;

const TIMEOUT: Duration = Duration::from_millis(500);
/// What a busy machine adds.
const DEADLINE: Duration = Duration::from_millis(1_500);
const RECOVERY: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error_within_the_deadline() {
    let url = format!("mongodb://127.0.0.1:{}/?serverSelectionTimeoutMS=500", free_port());
    let start = Instant::now();
    let fault = MongoDb::connect(&url).await.expect_err("no server listens");
    assert_eq!(fault.to_string(), "no primary of MongoDB could be reached");
    assert!(start.elapsed() < DEADLINE);
}

#[tokio::test]
async fn an_operation_on_a_server_that_went_away_is_an_error_within_the_deadline() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.kill();
    for _ in 0..5 {
        let start = Instant::now();
        assert!(store.load(&key, None).await.is_err());
        assert!(start.elapsed() < DEADLINE);
    }
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_an_error_that_does_not_repeat_it() {
    let hosts = ["", "mongodb", "http://127.0.0.1", "mongodb://user:secret@:x"];
    for url in hosts.into_iter().chain(["mongodb+srv://user:secret@secret.example"]) {
        let fault = MongoDb::connect(url).await.expect_err("no URL of MongoDB");
        assert!(fault.to_string().contains("from this URL"), "{fault}");
        assert!(!format!("{fault} {fault:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_repeat_it() {
    let mut server = Server::start(&["--sync-on-commit"]);
    let user = doc! { "createUser": "user", "pwd": "right", "roles": ["root"] };
    server.ask("admin", user).expect("made");
    server.kill();
    server.start_again_with("--auth");
    let url = format!("mongodb://user:secret@127.0.0.1:{}", server.port());
    let fault = MongoDb::connect(&url).await.expect_err("the password is wrong");
    assert_eq!(fault.to_string(), "MongoDB refused the user name or the password");
    assert!(!format!("{fault} {fault:?}").contains("secret"));
    MongoDb::connect(&url.replace("secret", "right")).await.expect("the password is right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_a_timeout_and_recovers() {
    recovers_from(Fault::Silence, MongoDbError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_network_is_a_timeout_and_recovers() {
    recovers_from(Fault::Delay(2 * TIMEOUT), MongoDbError::is_timeout).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_is_cut_short_is_an_error_and_recovers() {
    for bytes in [0, 1, 15, 16, 40] {
        recovers_from(Fault::Truncate(bytes), |_| true).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_connection_is_an_error_and_recovers() {
    recovers_from(Fault::Cut, |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_a_timeout_and_recovers() {
    let server = Server::start(&[]);
    let store = impatient(&server.url()).await;
    let key = fresh_number(&store).await;
    server.pause();
    fails_in_time(&store, &key, MongoDbError::is_timeout).await;
    server.resume();
    answers_again(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_pool_of_connections_that_died_in_silence_is_replaced() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    // With the store's own timeouts, and the driver's ten connections.
    let store = MongoDb::connect(&direct(&proxy)).await.expect("the server is up");
    let store = store.deadline(TIMEOUT * 10);
    let key = fresh_number(&store).await;
    proxy.set(Fault::Delay(Duration::from_millis(50)));
    let loads = (0..10).map(|_| {
        let (store, key) = (store.clone(), key.clone());
        async move { store.load(&key, None).await.is_ok() }
    });
    assert_eq!(loads.collect::<JoinSet<_>>().join_all().await, [true; 10]);

    proxy.set(Fault::Silence);
    let store = store.deadline(TIMEOUT);
    fails_in_time(&store, &key, MongoDbError::is_timeout).await;
    proxy.set(Fault::None);
    answers_again(&store, &key).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_no_operation_met_costs_no_error() {
    let mut server = Server::start(&["--sync-on-commit"]);
    let store = impatient(&server.url()).await.deadline(RECOVERY);
    let key = fresh_number(&store).await;
    server.kill();
    server.start_again();
    answers_again(&store, &key).await;
    server.kill();
    server.start_again();
    assert_eq!(load_number(&store, &key).await.expect("the first try"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_writes_survive_a_server_that_is_killed_during_writes() {
    let mut server = Server::start(&["--sync-on-commit"]);
    let store = impatient(&server.url()).await;
    let writers = Writers::start(&store, 4).await;
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
    let proxy = Proxy::before(server.port());
    let store = impatient(&direct(&proxy)).await.deadline(RECOVERY);
    let writers = Writers::start(&store, 4).await;
    for _ in 0..30 {
        writers.write_some().await;
        proxy.set(Fault::CutOnce);
    }
    writers.stop_and_check(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_network_has_forgotten_costs_no_operation() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let url = format!("{}&maxIdleTimeMS=20", direct(&proxy));
    let store = MongoDb::connect(&url).await.expect("the server is up");
    for _ in 0..6 {
        let keys = tokio::join!(fresh_number(&store), fresh_number(&store), fresh_number(&store));
        proxy.forget_connections();
        sleep(Duration::from_millis(40)).await;
        for key in [keys.0, keys.1, keys.2] {
            assert_eq!(load_number(&store, &key).await.expect("a new connection"), 0);
        }
    }
}

async fn recovers_from(fault: Fault, is_expected: fn(&MongoDbError) -> bool) {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let store = impatient(&direct(&proxy)).await;
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
async fn fails_in_time(store: &MongoDb, key: &Key, is_expected: fn(&MongoDbError) -> bool) {
    let mut operations = JoinSet::new();
    for _ in 0..20 {
        let (store, key) = (store.clone(), key.clone());
        operations.spawn(async move {
            let start = Instant::now();
            let fault = store.load(&key, None).await.map(drop);
            (fault.expect_err("the reply does not arrive"), start.elapsed())
        });
    }
    for (fault, time) in operations.join_all().await {
        assert!(time < DEADLINE, "an error after {time:?}");
        assert!(is_expected(&fault), "{fault}");
    }
}

async fn answers_again(store: &MongoDb, key: &Key) {
    let start = Instant::now();
    while store.load(key, None).await.is_err() {
        assert!(start.elapsed() < RECOVERY, "no recovery within {RECOVERY:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn impatient(url: &str) -> MongoDb {
    let begin = if url.contains('?') { "&" } else { "/?" };
    let timeouts = "connectTimeoutMS=500&serverSelectionTimeoutMS=1000";
    let store = MongoDb::connect(&format!("{url}{begin}{timeouts}")).await;
    store.expect("the server is up").deadline(TIMEOUT)
}

/// The server names its own port when it is asked where to connect.
fn direct(proxy: &Proxy) -> String {
    format!("mongodb://127.0.0.1:{}/?directConnection=true", proxy.port())
}
