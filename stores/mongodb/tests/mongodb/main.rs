//! Sessions in MongoDB: the rules of every store, and what is asked of the server.

mod commands;
mod documents;

use std::time::Duration;

use cloakroom::contract::{Harness, Time};
use cloakroom::{Clock, Store};
use cloakroom_mongodb::MongoDb;
use servers::at_server::AtServer;
use servers::mongodb::{MongoDbServer as Server, shared_url};
use servers::races::{
    dropped_operations_mix_nothing_up, fresh_number, no_save_outlives_a_logout,
    two_processes_lose_nothing,
};
use tokio::task::JoinSet;

/// The clock that is asked counts whole milliseconds.
const MILLISECOND: Duration = Duration::from_millis(1);

/// A store by the time as it is.
async fn at_server() -> AtServer<MongoDb> {
    AtServer::connect(MILLISECOND, async || connect(&shared_url()).await).await
}

/// A store by a clock that the rules move, so that they check to the millisecond
/// and over 400 days.
struct ByHand {
    clock: Clock,
    at_server: AtServer<MongoDb>,
}

impl ByHand {
    async fn connect() -> Self {
        let clock = Clock::manual();
        // Ahead of the server, which therefore removes nothing.
        clock.advance(Duration::from_hours(24));
        let at_server = AtServer::connect(MILLISECOND, async || {
            connect(&shared_url()).await.clock(clock.clone())
        });
        let at_server = at_server.await;
        Self { clock, at_server }
    }
}

impl Harness for ByHand {
    type Store = MongoDb;

    fn store(&self) -> &MongoDb {
        &self.at_server.store
    }

    fn second(&self) -> &MongoDb {
        &self.at_server.second
    }

    fn time(&self) -> Time {
        Time::ByHand
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

/// The rules about time once more, to the millisecond.
mod expires_by_its_clock {
    use cloakroom::contract::{expiry, run, times};

    use super::ByHand;

    macro_rules! rules {
        ($($group:ident :: $rule:ident)*) => {
            $(#[test]
            fn $rule() {
                run(ByHand::connect(), $group::$rule);
            })*
        };
    }

    rules! {
        expiry::a_time_to_live_of_1_millisecond_is_kept
        expiry::a_time_to_live_of_999_milliseconds_is_kept
        expiry::a_time_to_live_of_1_second_is_kept
        expiry::a_time_to_live_of_30_days_is_kept
        expiry::a_time_to_live_of_30_days_and_a_second_is_kept
        expiry::a_time_to_live_of_400_days_is_kept
        expiry::an_expired_record_frees_its_key
        expiry::updating_an_expired_record_does_not_revive_it
        expiry::extending_an_expired_record_does_not_revive_it
        expiry::removing_an_expired_record_hands_out_nothing
        expiry::an_expired_record_that_was_not_cleared_away_counts_as_absent
        times::a_load_that_extends_by_more_moves_the_expiry
        times::a_load_that_extends_by_less_leaves_the_expiry
        times::loading_alone_does_not_postpone_the_expiry
        times::updating_restarts_the_time_to_live
        times::updating_may_shorten_the_time_to_live
        times::a_conflict_leaves_the_time_to_live
        times::a_taken_key_leaves_the_time_to_live
    }
}

#[tokio::test]
async fn a_client_of_ones_own_can_be_used() {
    let server = Server::start(&[]);
    let client = mongodb::Client::with_uri_str(server.url()).await.expect("a client");
    let store = MongoDb::new(client);
    let key = fresh_number(&store).await;
    assert!(store.load(&key, None).await.expect("answers").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_100_callers_return_from_a_pool_of_one() {
    let server = Server::start(&[]);
    let url = format!("{}/?maxPoolSize=1", server.url());
    let store = connect(&url).await;
    let key = fresh_number(&store).await;
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (store, key) = (store.clone(), key.clone());
        callers.spawn(async move { store.load(&key, None).await.expect("answers").is_some() });
    }
    assert_eq!(callers.join_all().await, [true; 100]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_10_000_dropped_operations_none_leaves_its_reply_to_another() {
    const POOL: i64 = 10;
    let server = Server::start(&[]);
    let store = connect(&format!("{}/?maxPoolSize={POOL}", server.url())).await;
    dropped_operations_mix_nothing_up(store.clone()).await;
    // Beside the pool, two connections look after the server; others ask here.
    let connections = server.connections();
    assert!(connections <= POOL + 2 + 3, "{connections} connections");
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
    let store = connect(&server.url()).await;
    no_save_outlives_a_logout(store).await;
}

/// A database of the tests, in case the server has others.
const DATABASE: &str = "cloakroom_tests";

async fn connect(url: &str) -> MongoDb {
    let store = MongoDb::connect(url).await.expect("the server is up");
    // A machine that runs all tests at once is slow.
    let store = store.database(DATABASE).expect("a name").deadline(Duration::from_secs(20));
    store.migrate().await.expect("migrated");
    store
}
