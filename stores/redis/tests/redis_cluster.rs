//! Sessions in a Redis Cluster of three masters and three replicas.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use cloakroom::store::Create;
use cloakroom::{Key, Store, Ttl};
use cloakroom_redis::{Redis, RedisCluster};
use servers::at_server::AtServer;
use servers::becomes_true;
use servers::proxy::Proxy;
use servers::races::{
    fresh_key, fresh_number, increment_once, load_number, no_save_outlives_a_logout,
    two_processes_lose_nothing,
};
use servers::redis::{RedisServer as Server, SERVERS_CLOCK};
use servers::redis_cluster::Cluster;
use servers::writers::Writers;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

/// Until a replica has taken over.
const FAILOVER: Duration = Duration::from_secs(30);
/// How long the store trusts a connection, where the network forgets.
const SILENCE: Duration = Duration::from_millis(20);

static SHARED: LazyLock<Cluster> = LazyLock::new(Cluster::shared);

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<Redis<RedisCluster>> {
    AtServer::connect(SERVERS_CLOCK, async || connect(&SHARED).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_increment_is_lost_while_slots_move() {
    const KEYS: usize = 8;
    const ROUNDS: usize = 6;
    let cluster = Arc::new(Cluster::start());
    let store = connect(&cluster).await;
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(fresh_number(&store).await);
    }

    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for task in 0..2 * KEYS {
        let (store, key, over) = (store.clone(), keys[task % KEYS].clone(), over.clone());
        tasks.spawn(async move {
            let mut done = 0_u64;
            while !over.load(Ordering::SeqCst) {
                increment_once(&store, &key).await.expect("the slot has a master all the time");
                done += 1;
            }
            (task % KEYS, done)
        });
    }
    let moving = (cluster.clone(), keys.clone());
    spawn_blocking(move || move_slots(&moving.0, &moving.1, ROUNDS)).await.expect("slots move");
    over.store(true, Ordering::SeqCst);

    let mut expected = [0; KEYS];
    for (key, done) in tasks.join_all().await {
        expected[key] += done;
    }
    for (key, expected) in keys.iter().zip(expected) {
        assert!(expected > 0, "no task counted");
        assert_eq!(load_number(&store, key).await.expect("answers"), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_that_extends_finds_its_record_while_slots_move() {
    const KEYS: usize = 4;
    let cluster = Arc::new(Cluster::start());
    let store = connect(&cluster).await;
    let mut keys = Vec::new();
    for _ in 0..KEYS {
        keys.push(fresh_number(&store).await);
    }

    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for key in &keys {
        let (store, key, over) = (store.clone(), key.clone(), over.clone());
        tasks.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                let loaded = store.load(&key, Some(Ttl::days(2))).await;
                loaded.expect("the slot has a master all the time").expect("kept");
            }
        });
    }
    let moving = (cluster.clone(), keys.clone());
    spawn_blocking(move || move_slots(&moving.0, &moving.1, 4)).await.expect("slots move");
    over.store(true, Ordering::SeqCst);
    tasks.join_all().await;
    for key in &keys {
        let left: u64 = cluster.master_of(key.as_str()).ask(&["PTTL", key.as_str()]);
        assert!(left > Ttl::days(1).as_millis(), "{left}");
    }
}

/// Moves the slot of every key from master to master.
fn move_slots(cluster: &Cluster, keys: &[Key], rounds: usize) {
    let masters = cluster.masters();
    for _ in 0..rounds {
        for key in keys {
            let from = cluster.master_of(key.as_str());
            cluster.move_slot(&cluster.slot_of(key.as_str()), from, next_to(from, &masters));
        }
    }
}

fn next_to<'c>(master: &Server, masters: &[&'c Server]) -> &'c Server {
    let at = masters.iter().position(|other| other.port() == master.port());
    masters[(at.expect("a master") + 1) % masters.len()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_that_is_sent_on_to_a_node_which_refuses_it_is_sent_again() {
    let cluster = Cluster::start();
    let store = connect(&cluster).await;
    let key = fresh_key();
    let slot = cluster.slot_of(key.as_str());
    let from = cluster.master_of(key.as_str());
    let to = next_to(from, &cluster.masters());

    Cluster::begin_migration(&slot, from, to);
    let creating = tokio::spawn(async move { store.create(&key, b"0", Ttl::hours(1)).await });
    let has_refused = || to.ask::<String>(&["INFO", "errorstats"]).contains("errorstat_MOVED");
    assert!(becomes_true(FAILOVER, has_refused), "no operation asks the newcomer");
    Cluster::announce_import(&slot, from, to);
    let created = creating.await.expect("no panic").expect("there is time left");
    assert!(matches!(created, Create::Created(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_live_on_when_a_master_is_killed_and_its_replica_takes_over() {
    lives_on(Server::kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_live_on_when_a_master_stands_still_and_its_replica_takes_over() {
    lives_on(Server::pause).await;
}

async fn lives_on(take_down: fn(&Server)) {
    let cluster = Cluster::start();
    let store = connect(&cluster).await;
    let mut keys = Vec::new();
    for _ in 0..30 {
        let key = fresh_number(&store).await;
        increment_once(&store, &key).await.expect("incremented");
        keys.push(key);
    }
    // Redis replicates after it acknowledged.
    assert!(becomes_true(FAILOVER, || cluster.is_replicated()), "the replicas do not follow");

    take_down(cluster.master_of(keys[0].as_str()));
    let start = Instant::now();
    for key in &keys {
        while load_number(&store, key).await.is_err() {
            assert!(start.elapsed() < FAILOVER, "no replica takes over");
            sleep(Duration::from_millis(20)).await;
        }
        increment_once(&store, key).await.expect("incremented at the new master");
        assert_eq!(load_number(&store, key).await.expect("answers"), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_reply_was_lost_does_not_happen_twice() {
    let cluster = Cluster::start();
    let store = connect(&cluster).await;
    let writers = Writers::start(&store, 8).await;
    for round in 0..50 {
        writers.write_some().await;
        cluster.masters()[round % 3].close_connections();
    }
    writers.stop_and_check(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_network_has_forgotten_cost_no_operation() {
    let cluster = Cluster::start();
    // Clients reach the nodes through proxies.
    let proxies: Vec<Proxy> =
        cluster.masters().iter().map(|master| Proxy::before(master.port())).collect();
    for (master, proxy) in cluster.masters().iter().zip(&proxies) {
        let port = proxy.port().to_string();
        master.ask::<()>(&["CONFIG", "SET", "cluster-announce-port", &port]);
    }
    let is_announced = |master: &&Server| {
        let nodes: String = master.ask(&["CLUSTER", "NODES"]);
        proxies.iter().all(|proxy| nodes.contains(&format!(":{}@", proxy.port())))
    };
    assert!(becomes_true(FAILOVER, || cluster.masters().iter().all(is_announced)));
    let urls: Vec<String> = proxies.iter().map(Proxy::url).collect();
    let options = Redis::options().trusted_silence(SILENCE);
    let connected = options.connect_cluster(urls.iter().map(String::as_str)).await;
    let store = connected.expect("the cluster is up");
    let forget = async || {
        proxies.iter().for_each(Proxy::forget_connections);
        sleep(2 * SILENCE).await;
    };
    for _ in 0..6 {
        forget().await;
        let key = fresh_number(&store).await;
        forget().await;
        assert_eq!(load_number(&store, &key).await.expect("new connections"), 0);
        increment_once(&store, &key).await.expect("incremented");
    }
}

#[tokio::test]
async fn one_node_that_answers_is_enough_to_connect() {
    let urls = SHARED.urls();
    let dead = format!("redis://127.0.0.1:{}", servers::free_port());
    let store = Redis::connect_cluster([&*dead, &*urls[5]]).await.expect("one is there");
    fresh_number(&store).await;

    let fault = Redis::connect_cluster([&*dead]).await.expect_err("none is there");
    assert!(!fault.is_timeout());
    Redis::connect_cluster([]).await.expect_err("none is named");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_increment_one_session_10_000_times_lose_nothing() {
    two_processes_lose_nothing(
        "two_processes_that_increment_one_session_10_000_times_lose_nothing",
        || SHARED.urls().join(" "),
        async |urls| Redis::connect_cluster(urls.split(' ')).await.expect("the cluster is up"),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_left_when_a_logout_meets_100_saves() {
    no_save_outlives_a_logout(connect(&SHARED).await).await;
}

async fn connect(cluster: &Cluster) -> Redis<RedisCluster> {
    let urls = cluster.urls();
    Redis::connect_cluster(urls.iter().map(String::as_str)).await.expect("the cluster is up")
}
