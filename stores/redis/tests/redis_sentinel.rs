//! A master and its replica that three sentinels watch.

use std::time::{Duration, Instant};

use cloakroom_redis::Redis;
use servers::becomes_true;
use servers::races::{fresh_number, increment_once, load_number};
use servers::redis::RedisServer as Server;
use tokio::time::sleep;

const NAME: &str = "sessions";
/// Until a replica has taken over.
const FAILOVER: Duration = Duration::from_secs(30);

struct Group {
    master: Server,
    replica: Server,
    sentinels: Vec<Server>,
}

impl Group {
    fn start() -> Self {
        let master = Server::start(&[]);
        let port = master.port().to_string();
        let replica = Server::start(&["--replicaof", "127.0.0.1", &port]);
        let sentinels: Vec<_> = (0..3).map(|_| Server::start_sentinel(NAME, &master)).collect();
        let knows_all = |sentinel: &Server| {
            let info: String = sentinel.ask(&["INFO", "sentinel"]);
            info.contains("slaves=1,sentinels=3")
        };
        assert!(becomes_true(FAILOVER, || sentinels.iter().all(knows_all)), "no group forms");
        Self { master, replica, sentinels }
    }

    fn urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Server::url).collect()
    }

    fn is_replicated(&self) -> bool {
        let offset = self.master.replication("master_repl_offset");
        offset.is_some() && offset == self.replica.replication("slave_repl_offset")
    }
}

async fn connect(urls: &[String]) -> Redis {
    let urls = urls.iter().map(String::as_str);
    Redis::connect_sentinel(urls, NAME).await.expect("the sentinels know the master")
}

async fn lives_on_after(take_down: fn(&Server)) {
    let group = Group::start();
    let store = connect(&group.urls()).await;
    let key = fresh_number(&store).await;
    increment_once(&store, &key).await.expect("incremented");
    // Redis replicates after it acknowledged.
    assert!(becomes_true(FAILOVER, || group.is_replicated()), "the replica does not follow");

    take_down(&group.master);
    let start = Instant::now();
    while increment_once(&store, &key).await.is_err() {
        assert!(start.elapsed() < FAILOVER, "no replica takes over");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(load_number(&store, &key).await.expect("answers"), 2);
    let role: String = group.replica.ask(&["INFO", "replication"]);
    assert!(role.contains("role:master"), "{role}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_on_when_its_master_is_killed() {
    lives_on_after(Server::kill).await;
}

/// The old master stays reachable, and is made a replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_lives_on_when_the_sentinels_replace_its_master() {
    let group = Group::start();
    let store = connect(&group.urls()).await;
    let key = fresh_number(&store).await;
    assert!(becomes_true(FAILOVER, || group.is_replicated()), "the replica does not follow");
    group.sentinels[0].ask::<()>(&["SENTINEL", "FAILOVER", NAME]);
    let is_replica = |server: &Server| {
        // Connections break while the roles change.
        let info = server.try_ask::<String>(&["INFO", "replication"]);
        info.is_ok_and(|info| info.contains("role:slave"))
    };
    assert!(becomes_true(FAILOVER, || is_replica(&group.master)), "no failover");
    let start = Instant::now();
    while increment_once(&store, &key).await.is_err() {
        assert!(start.elapsed() < FAILOVER, "the store stays at the old master");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(load_number(&store, &key).await.expect("answers"), 1);
}

#[tokio::test]
async fn one_sentinel_that_answers_is_enough_and_an_unknown_name_is_an_error() {
    let group = Group::start();
    let dead = format!("redis://127.0.0.1:{}", servers::free_port());
    let store = connect(&[dead.clone(), group.sentinels[2].url()]).await;
    fresh_number(&store).await;

    let fault = Redis::connect_sentinel([&*dead], NAME).await.expect_err("none answers");
    assert_eq!(fault.to_string(), "the connection to Redis failed");
    let urls = group.urls();
    let fault = Redis::connect_sentinel([&*urls[0]], "other").await.expect_err("unknown");
    assert_eq!(fault.to_string(), "no sentinel of Redis knows a master of this name");
    Redis::connect_sentinel([], NAME).await.expect_err("none is named");
}

#[tokio::test]
async fn the_password_in_the_url_is_the_masters_and_sentinels_may_have_their_own() {
    let group = Group::start();
    group.master.ask::<()>(&["CONFIG", "SET", "requirepass", "of-the-master"]);
    let url = format!("redis://:of-the-master@127.0.0.1:{}", group.sentinels[0].port());
    let store = Redis::connect_sentinel([&*url], NAME).await.expect("signed in");
    fresh_number(&store).await;

    let rule = ["ACL", "SETUSER", "asker", "on", ">of-the-sentinel", "allcommands", "allchannels"];
    group.sentinels[0].ask::<()>(&rule);
    group.sentinels[0].ask::<()>(&["ACL", "SETUSER", "default", "off"]);
    let fault = Redis::connect_sentinel([&*url], NAME).await.expect_err("no password");
    assert_eq!(fault.to_string(), "Redis refused the user name or the password");
    let options = Redis::options();
    let connected = options.connect_sentinel_as("asker", "of-the-sentinel", [&*url], NAME).await;
    fresh_number(&connected.expect("signed in to both")).await;
}
