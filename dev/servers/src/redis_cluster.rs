//! Redis Cluster: three masters, each with a replica.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::redis::RedisServer;
use super::{becomes_true, free_port};

const FORMING_TIME: Duration = Duration::from_secs(60);
const WAITING_TIME: Duration = Duration::from_secs(300);

pub struct Cluster {
    nodes: Vec<RedisServer>,
    _alone: Option<Alone>,
}

/// One cluster at a time: nodes that wait too long for a processor take each
/// other for dead.
struct Alone;

static TAKEN: AtomicBool = AtomicBool::new(false);

impl Alone {
    fn take() -> Self {
        let mut is_mine = || !TAKEN.swap(true, Ordering::SeqCst);
        assert!(becomes_true(WAITING_TIME, &mut is_mine), "the other clusters do not end");
        Self
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        TAKEN.store(false, Ordering::SeqCst);
    }
}

impl Cluster {
    /// A cluster that the test may break.
    pub fn start() -> Self {
        let alone = Alone::take();
        Self { _alone: Some(alone), ..Self::shared() }
    }

    /// A cluster for all tests that leave it as it is.
    pub fn shared() -> Self {
        let nodes: Vec<_> = (0..6).map(|_| start_node()).collect();
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(addresses)
            .args(["--cluster-replicas", "1", "--cluster-yes"])
            .output()
            .expect("redis-cli starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));

        let cluster = Self { nodes, _alone: None };
        assert!(becomes_true(FORMING_TIME, || cluster.is_complete()), "no cluster forms");
        cluster
    }

    /// Every node, for a client that connects.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    pub fn masters(&self) -> Vec<&RedisServer> {
        self.nodes.iter().filter(|node| is_master(node)).collect()
    }

    /// The master of the slot that a key belongs to.
    pub fn master_of(&self, key: &str) -> &RedisServer {
        let mut master = None;
        let is_known = || {
            master = self
                .masters()
                .into_iter()
                .find(|node| node.try_ask::<Option<String>>(&["GET", key]).is_ok());
            master.is_some()
        };
        assert!(becomes_true(FORMING_TIME, is_known), "the slot has no master");
        master.expect("it was found")
    }

    /// The slot of a key, as the nodes write it.
    pub fn slot_of(&self, key: &str) -> String {
        self.nodes[0].ask::<u16>(&["CLUSTER", "KEYSLOT", key]).to_string()
    }

    /// Tells a master that a slot is about to come to it.
    pub fn announce_import(slot: &str, from: &RedisServer, to: &RedisServer) {
        to.ask::<()>(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &id(from)]);
    }

    /// Has a master send requests for keys that are not there any more to another.
    pub fn begin_migration(slot: &str, from: &RedisServer, to: &RedisServer) {
        from.ask::<()>(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &id(to)]);
    }

    /// Moves a slot with its keys to another master, the way `redis-cli` does.
    pub fn move_slot(&self, slot: &str, from: &RedisServer, to: &RedisServer) {
        Self::announce_import(slot, from, to);
        Self::begin_migration(slot, from, to);
        loop {
            let keys: Vec<String> = from.ask(&["CLUSTER", "GETKEYSINSLOT", slot, "100"]);
            if keys.is_empty() {
                break;
            }
            let port = to.port().to_string();
            let mut command = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"];
            command.extend(keys.iter().map(String::as_str));
            from.ask::<String>(&command);
        }
        let to_id = id(to);
        // The new master first, so that there is no moment without one.
        for node in [to, from].into_iter().chain(self.masters()) {
            node.ask::<()>(&["CLUSTER", "SETSLOT", slot, "NODE", &to_id]);
        }
        assert!(becomes_true(FORMING_TIME, || self.is_of_one_mind()), "the nodes do not agree");
    }

    /// Whether all masters say the same of the slots and epochs of each other. One
    /// that takes a slot before it has heard of the last change may give it back
    /// when it does hear, and delete the keys in it.
    fn is_of_one_mind(&self) -> bool {
        let views = self.masters().into_iter().map(|node| {
            let nodes: String = node.ask(&["CLUSTER", "NODES"]);
            // An id, six fields that may differ, the epoch, the link's state, slots.
            let view = nodes.lines().filter(|line| line.contains("master")).map(|line| {
                let fields = line.split(' ');
                fields
                    .enumerate()
                    .filter(|(at, _)| [0, 6].contains(at) || *at > 7)
                    .map(|(_, field)| field.to_owned())
                    .collect::<Vec<_>>()
            });
            view.collect::<BTreeSet<_>>()
        });
        views.collect::<BTreeSet<_>>().len() == 1
    }

    /// Whether every replica has what its master had when it was asked.
    pub fn is_replicated(&self) -> bool {
        self.masters().iter().all(|master| {
            let written = master.replication("master_repl_offset");
            let port = Some(u64::from(master.port()));
            let replica = self.nodes.iter().find(|node| node.replication("master_port") == port);
            replica.is_some_and(|replica| replica.replication("slave_repl_offset") >= written)
        })
    }

    /// Whether all nodes agree that all slots are served, and all replicas have
    /// caught up.
    fn is_complete(&self) -> bool {
        self.nodes.iter().all(|node| {
            let info: String = node.ask(&["CLUSTER", "INFO"]);
            let replication: String = node.ask(&["INFO", "replication"]);
            info.contains("cluster_state:ok")
                && info.contains("cluster_known_nodes:6")
                && (replication.contains("connected_slaves:1")
                    || replication.contains("master_link_status:up"))
        })
    }
}

fn start_node() -> RedisServer {
    let bus = free_port().to_string();
    RedisServer::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        "nodes.conf",
        "--cluster-node-timeout",
        "3000",
        "--cluster-replica-validity-factor",
        "0",
        "--cluster-port",
        &bus,
        "--repl-diskless-sync-delay",
        "0",
    ])
}

fn is_master(node: &RedisServer) -> bool {
    node.try_ask::<String>(&["INFO", "replication"]).is_ok_and(|info| info.contains("role:master"))
}

fn id(node: &RedisServer) -> String {
    node.ask(&["CLUSTER", "MYID"])
}
