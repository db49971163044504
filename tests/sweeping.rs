//! Expired records are removed again and again, until the program stops it.
//!
//! The tests move tokio's clock, so that an hour takes no time.

use std::fmt::{Debug, Write as _};
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloakroom::store::{Create, Loaded, MemoryRevision, Update};
use cloakroom::{
    Clock, Config, File, Key, Memory, MessagePack, Sessions, Store, Sweep, Ttl, Unsigned,
};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const INTERVAL: Ttl = Ttl::hours(1);
/// Tokio's timer counts milliseconds, and rounds up.
const HOUR: Duration = Duration::from_millis(3_600_002);

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<u32>,
}

#[tokio::test(start_paused = true)]
async fn files_of_expired_sessions_go_and_live_ones_stay() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Clock::manual();
    let store = File::new(folder.path().join("sessions")).expect("a directory");
    let store = store.clock(clock.clone());
    let sessions = Config::new()
        .store(store)
        .data::<Cart>()
        .clock(clock.clone())
        .idle_timeout(Ttl::minutes(30))
        .build();
    let files = || {
        let entries = std::fs::read_dir(folder.path().join("sessions")).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        names.filter(|name| !name.to_string_lossy().starts_with("lock-")).count()
    };

    let sweeper = sessions.sweep_every(INTERVAL);
    for round in 1..=3 {
        visit(&sessions).await;
        clock.advance(Duration::from_secs(31 * 60));
        visit(&sessions).await;
        assert_eq!(files(), 2, "round {round}");
        sleep(HOUR.mul_f64(1.2)).await;
        assert_eq!(files(), 1, "round {round}");
        clock.advance(Duration::from_secs(31 * 60));
        sleep(HOUR.mul_f64(1.2)).await;
        assert_eq!(files(), 0, "round {round}");
    }
    sweeper.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_that_is_dropped_sweeps_no_more() {
    let watched = Watched::new(Sweeping::Done);
    let sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(10 * HOUR).await;
    let sweeps = watched.starts().len();
    assert!(sweeps >= 8, "{sweeps} sweeps");
    drop(sweeper);
    sleep(10 * HOUR).await;
    assert_eq!(watched.starts().len(), sweeps);
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_that_is_shut_down_sweeps_no_more() {
    let watched = Watched::new(Sweeping::Done);
    let sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(10 * HOUR).await;
    let (sweeps, before) = (watched.starts().len(), Instant::now());
    sweeper.shutdown().await;
    assert_eq!(Instant::now(), before, "it does not wait for the next sweep");
    sleep(10 * HOUR).await;
    assert_eq!(watched.starts().len(), sweeps);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_the_sweep_under_way() {
    let watched = Watched::new(Sweeping::Waits);
    let sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(HOUR).await;
    assert_eq!(watched.starts().len(), 1);

    let shutdown = tokio::spawn(sweeper.shutdown());
    settle().await;
    assert!(!shutdown.is_finished());
    watched.0.may_end.notify_one();
    shutdown.await.expect("no panic");
    assert!(watched.0.ended.load(Ordering::Relaxed), "the sweep came to its end");
    sleep(10 * HOUR).await;
    assert_eq!(watched.starts().len(), 1, "and no other began");
}

#[tokio::test(start_paused = true)]
async fn a_drop_interrupts_the_sweep_under_way() {
    let watched = Watched::new(Sweeping::Waits);
    let sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(HOUR).await;
    assert_eq!(watched.starts().len(), 1);
    drop(sweeper);
    settle().await;
    watched.0.may_end.notify_one();
    settle().await;
    assert!(!watched.0.ended.load(Ordering::Relaxed));
    assert_eq!(Arc::strong_count(&watched.0), 1, "the task has let go of the store");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_dropped_interrupts_the_sweep_under_way() {
    let watched = Watched::new(Sweeping::Waits);
    let sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(HOUR).await;
    assert_eq!(watched.starts().len(), 1);
    let waited = tokio::time::timeout(HOUR, sweeper.shutdown()).await;
    assert!(waited.is_err());
    settle().await;
    assert_eq!(Arc::strong_count(&watched.0), 1, "the task has let go of the store");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_fails_is_logged_and_the_next_one_comes() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let watched = Watched::new(Sweeping::Fails);
    let _sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(10 * HOUR).await;
    let sweeps = watched.starts().len();
    assert!(sweeps >= 8, "{sweeps} sweeps");
    let line = "message=expired sessions were not removed; the next sweep tries again \
                source=out of order cause=no storage space ";
    assert_eq!(log.lines(), vec![line; sweeps]);
}

#[tokio::test(start_paused = true)]
async fn a_sweep_that_panics_is_logged_and_the_next_one_comes() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let watched = Watched::new(Sweeping::Panics);
    let _sweeper = watched.sessions().sweep_every(INTERVAL);
    sleep(10 * HOUR).await;
    let sweeps = watched.starts().len();
    assert!(sweeps >= 8, "{sweeps} sweeps");
    let line = "message=the store panicked while it was swept; the next sweep tries again ";
    assert_eq!(log.lines(), vec![line; sweeps]);
}

#[tokio::test(start_paused = true)]
async fn sweepers_that_begin_together_do_not_sweep_together() {
    let began = Instant::now();
    let watched: Vec<_> = (0..20).map(|_| Watched::new(Sweeping::Done)).collect();
    let sweepers: Vec<_> =
        watched.iter().map(|watched| watched.sessions().sweep_every(INTERVAL)).collect();
    sleep(50 * HOUR).await;
    drop(sweepers);

    let firsts: Vec<_> = watched.iter().map(|watched| watched.starts()[0] - began).collect();
    assert!(firsts.iter().all(|first| *first <= HOUR), "{firsts:?}");
    assert!(spread(&firsts) > HOUR / 4, "{firsts:?}");

    let pauses: Vec<_> = watched
        .iter()
        .flat_map(|watched| {
            watched.starts().windows(2).map(|two| two[1] - two[0]).collect::<Vec<_>>()
        })
        .collect();
    assert!(pauses.len() > 20 * 40);
    for pause in &pauses {
        let share = pause.as_secs_f64() / HOUR.as_secs_f64();
        assert!((0.8999..1.1001).contains(&share), "{share}");
    }
    assert!(spread(&pauses) > HOUR / 10, "from 90 to 110 %");
}

fn spread(times: &[Duration]) -> Duration {
    let (first, last) = (times.iter().min(), times.iter().max());
    *last.expect("some") - *first.expect("some")
}

/// Stores a session.
async fn visit<S: cloakroom::Writable>(sessions: &Sessions<S, MessagePack<Cart>, Unsigned>) {
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.items.push(7);
    session.close(&mut HeaderMap::new()).await.expect("stored");
}

/// Lets every task go as far as it can at this moment.
async fn settle() {
    for _ in 0..100 {
        yield_now().await;
    }
}

/// What a sweep of a [`Watched`] store does.
enum Sweeping {
    Done,
    Waits,
    Fails,
    Panics,
}

/// A store that notes when it is swept.
struct Watched(Arc<Watch>);

struct Watch {
    sweeping: Sweeping,
    starts: Mutex<Vec<Instant>>,
    may_end: Notify,
    ended: AtomicBool,
    memory: Memory,
}

#[derive(Debug, thiserror::Error)]
#[error("out of order")]
struct OutOfOrder(#[from] io::Error);

impl Watched {
    fn new(sweeping: Sweeping) -> Self {
        Self(Arc::new(Watch {
            sweeping,
            starts: Mutex::default(),
            may_end: Notify::new(),
            ended: AtomicBool::new(false),
            memory: Memory::new(),
        }))
    }

    fn sessions(&self) -> Sessions<Self, MessagePack<Cart>, Unsigned> {
        Config::new().store(Self(self.0.clone())).data::<Cart>().build()
    }

    fn starts(&self) -> Vec<Instant> {
        self.0.starts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sweep for Watched {
    async fn sweep(&self) -> Result<u64, OutOfOrder> {
        self.0.starts.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        match self.0.sweeping {
            Sweeping::Done => Ok(0),
            Sweeping::Waits => {
                self.0.may_end.notified().await;
                self.0.ended.store(true, Ordering::Relaxed);
                Ok(0)
            }
            Sweeping::Fails => Err(io::Error::from(ErrorKind::StorageFull).into()),
            Sweeping::Panics => panic!("as the test wants"),
        }
    }
}

impl Store for Watched {
    type Error = OutOfOrder;
    type Value = <Memory as Store>::Value;
    type Revision = MemoryRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, OutOfOrder> {
        self.0.memory.load(key, extend).await.map_err(|never| match never {})
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<MemoryRevision>, OutOfOrder> {
        self.0.memory.create(key, value, ttl).await.map_err(|never| match never {})
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &MemoryRevision,
    ) -> Result<Update<MemoryRevision>, OutOfOrder> {
        self.0.memory.update(key, value, ttl, seen).await.map_err(|never| match never {})
    }

    async fn remove(&self, key: &Key) -> Result<Option<Self::Value>, OutOfOrder> {
        self.0.memory.remove(key).await.map_err(|never| match never {})
    }
}

/// Writes down the errors that are logged, each on a line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.lines().map(str::to_owned).collect()
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("cloakroom") && *metadata.level() == tracing::Level::ERROR
    }

    fn event(&self, event: &Event<'_>) {
        struct Line<'a>(&'a mut String);

        impl Visit for Line<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, "{field}={value:?} ").expect("a String takes all");
            }
        }

        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        event.record(&mut Line(&mut text));
        text.push('\n');
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
