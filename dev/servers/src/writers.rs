//! Tasks that write while something bad happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloakroom::store::Update;
use cloakroom::{Key, Store, Ttl};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::races::{fresh_number, load_number, number};

/// How long the writers may take to go on after a fault.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tasks that each count up a number of their own.
pub struct Writers {
    tallies: Vec<Arc<Tally>>,
    tasks: JoinSet<()>,
    is_over: Arc<AtomicBool>,
}

/// What one of them knows about its number.
struct Tally {
    key: Key,
    acknowledged: AtomicU64,
    /// Updates without a reply, which may have happened.
    unknown: AtomicU64,
}

impl Writers {
    pub async fn start<S: Store + Clone>(store: &S, count: usize) -> Self {
        let mut writers =
            Self { tallies: Vec::new(), tasks: JoinSet::new(), is_over: Arc::default() };
        for _ in 0..count {
            let tally = Arc::new(Tally {
                key: fresh_number(store).await,
                acknowledged: AtomicU64::new(0),
                unknown: AtomicU64::new(0),
            });
            writers.tallies.push(tally.clone());
            let (store, is_over) = (store.clone(), writers.is_over.clone());
            writers.tasks.spawn(async move { tally.count_up(&store, &is_over).await });
        }
        writers
    }

    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.tallies.iter().map(|tally| &tally.key)
    }

    /// Returns when every writer has written some more.
    pub async fn write_some(&self) {
        let acknowledged = |tally: &Arc<Tally>| tally.acknowledged.load(Ordering::SeqCst);
        let wanted: Vec<_> = self.tallies.iter().map(|tally| acknowledged(tally) + 20).collect();
        let start = Instant::now();
        while self.tallies.iter().zip(&wanted).any(|(tally, wanted)| acknowledged(tally) < *wanted)
        {
            assert!(start.elapsed() < PATIENCE, "the writers do not go on");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Every acknowledged write is there, and no other than those that were sent.
    pub async fn stop_and_check<S: Store>(self, store: &S) {
        self.is_over.store(true, Ordering::SeqCst);
        self.tasks.join_all().await;
        for tally in &self.tallies {
            let kept = load_number(store, &tally.key).await.expect("the store answers");
            let acknowledged = tally.acknowledged.load(Ordering::SeqCst);
            let asked = acknowledged + tally.unknown.load(Ordering::SeqCst);
            assert!(
                (acknowledged..=asked).contains(&kept),
                "{acknowledged} updates were acknowledged and {asked} asked for, {kept} happened"
            );
        }
    }
}

impl Tally {
    async fn count_up<S: Store>(&self, store: &S, is_over: &AtomicBool) {
        while !is_over.load(Ordering::SeqCst) {
            let Ok(record) = store.load(&self.key, None).await else {
                sleep(Duration::from_millis(5)).await;
                continue;
            };
            let record = record.expect("an acknowledged record is kept");
            let next = (number(record.value.as_ref()) + 1).to_string();
            let updated =
                store.update(&self.key, next.as_bytes(), Ttl::hours(1), &record.revision).await;
            match updated {
                Ok(Update::Updated(_)) => self.acknowledged.fetch_add(1, Ordering::SeqCst),
                // An update of its own, of whose end it was not told, came late.
                Ok(Update::Conflict) => 0,
                Ok(Update::Gone) => panic!("an acknowledged record is gone"),
                Err(_) => self.unknown.fetch_add(1, Ordering::SeqCst),
            };
        }
    }
}
