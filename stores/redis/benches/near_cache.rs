//! What a cache in front of Redis gives, and what it costs: how long a session
//! that was ended on one node is still read on another, and how much faster a hot
//! session is read.
//!
//! ```sh
//! cargo bench -p cloakroom-redis --bench near_cache
//! ```
//!
//! Starts a `redis-server` of its own. Both nodes are in this process, each with a
//! connection of its own, so that one clock measures; the network is the loopback
//! device.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cloakroom::store::Create;
use cloakroom::{Key, Store, Ttl};
use cloakroom_redis::{NearCache, Redis};
use servers::races::fresh_key;
use servers::redis::RedisServer;

const LOGOUTS: usize = 5_000;
const ROUNDS: usize = 101;
const READS: u32 = 200;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let server = RedisServer::start(&[]);
    staleness(&server.url()).await;
    reads(&server.url()).await;
}

/// From the moment when the node that ends a session knows that it has ended.
async fn staleness(url: &str) {
    let (here, there) = (near_cache(url).await, near_cache(url).await);
    let mut times = Vec::with_capacity(LOGOUTS);
    for _ in 0..LOGOUTS {
        let key = stored(&here).await;
        assert!(there.load(&key, None).await.expect("answers").is_some());
        here.remove(&key).await.expect("answers");
        let ended = Instant::now();
        while there.load(&key, None).await.expect("answers").is_some() {
            tokio::task::yield_now().await;
        }
        times.push(ended.elapsed());
    }
    times.sort_unstable();
    println!("\nfrom a logout on one node to the refusal on another, {LOGOUTS} logouts\n");
    println!("| median | 99 % | maximum |\n|---:|---:|---:|");
    let at = |share: f64| micros(times[((LOGOUTS - 1) as f64 * share) as usize]);
    println!("| {} | {} | {} |", at(0.5), at(0.99), at(1.0));
}

/// Rounds of both, one after the other; medians.
async fn reads(url: &str) {
    let near = near_cache(url).await;
    let far = Redis::connect(url).await.expect("the server is up");
    let key = stored(&near).await;
    let (mut hot, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        hot.push(time_of(&near, &key).await);
        asked.push(time_of(&far, &key).await);
    }
    let (hot, asked) = (median(hot), median(asked));
    println!("\none task that reads one session again and again, medians of {ROUNDS} rounds\n");
    println!("| `NearCache<Redis>` | `Redis` | ratio |\n|---:|---:|---:|");
    let ratio = asked.as_secs_f64() / hot.as_secs_f64();
    println!("| {} ns | {} ns | {ratio:.0} |", hot.as_nanos(), asked.as_nanos());
}

async fn time_of(store: &impl Store, key: &Key) -> Duration {
    let start = Instant::now();
    for _ in 0..READS {
        black_box(store.load(key, None).await.expect("answers").is_some());
    }
    start.elapsed() / READS
}

async fn stored(store: &NearCache) -> Key {
    let key = fresh_key();
    let made = store.create(&key, &[7; 60], Ttl::hours(1)).await.expect("answers");
    assert!(matches!(made, Create::Created(_)));
    key
}

async fn near_cache(url: &str) -> NearCache {
    let redis = Redis::connect(url).await.expect("the server is up");
    NearCache::new(redis).await.expect("the server tracks")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> String {
    format!("{} µs", time.as_micros())
}
