//! How many records `Memory` holds, and how it lets go of them.

#[path = "semantics/log.rs"]
mod log;

use std::num::NonZeroUsize;
use std::time::Duration;

use allocation_counter::measure;
use cloakroom::store::{Create, Update};
use cloakroom::{Clock, IdLength, Key, KeyPrefix, Memory, SessionId, Store, Sweep, Ttl};
use tokio::runtime::Builder;

use log::Log;

const CAPACITY: NonZeroUsize = NonZeroUsize::new(1_024).expect("not zero");

fn new_key() -> Key {
    let id = SessionId::generate(IdLength::default()).expect("an id");
    Key::hashed(&KeyPrefix::default(), "id", &id)
}

async fn create(store: &Memory, ttl: Ttl) -> Key {
    let key = new_key();
    let Ok(created) = store.create(&key, b"data", ttl).await;
    assert!(matches!(created, Create::Created(_)));
    key
}

async fn holds(store: &Memory, key: &Key) -> bool {
    let Ok(record) = store.load(key, None).await;
    record.is_some()
}

/// A full store of 1,024 records, of which each expires before the next.
async fn full() -> (Memory, Vec<Key>) {
    let store = Memory::with_capacity(CAPACITY).clock(Clock::manual());
    let mut keys = Vec::new();
    for second in 1..=1_024 {
        keys.push(create(&store, Ttl::seconds(second)).await);
    }
    (store, keys)
}

#[tokio::test]
async fn a_store_of_1024_keeps_1024_records_and_drops_the_one_nearest_to_its_expiry() {
    let (store, keys) = full().await;
    assert_eq!(store.len(), 1_024);
    for key in &keys {
        assert!(holds(&store, key).await);
    }

    let newest = create(&store, Ttl::MIN).await;
    assert_eq!(store.len(), 1_024);
    assert!(holds(&store, &newest).await, "the new record is not the one to go");
    assert!(!holds(&store, &keys[0]).await);
    for key in &keys[1..] {
        assert!(holds(&store, key).await);
    }
}

#[test]
fn live_records_that_go_leave_a_warning_once_a_minute() {
    Log::of(async |log| {
        let clock = Clock::manual();
        let store = Memory::with_capacity(CAPACITY).clock(clock.clone());
        for _ in 0..1_024 {
            create(&store, Ttl::hours(1)).await;
        }
        assert_eq!(log.take(), []);
        for _ in 0..500 {
            create(&store, Ttl::hours(1)).await;
        }
        let said = log.take();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].1.contains("users are signed out") && said[0].1.contains("with_capacity"));

        clock.advance(Duration::from_secs(60));
        create(&store, Ttl::hours(1)).await;
        let said = log.take();
        // All that went since the last one.
        assert!(said.len() == 1 && said[0].1.contains("removed=500"), "{said:?}");
    });
}

#[test]
fn expired_records_that_go_leave_no_warning() {
    Log::of(async |log| {
        let clock = Clock::manual();
        let store = Memory::with_capacity(CAPACITY).clock(clock.clone());
        for _ in 0..1_024 {
            create(&store, Ttl::minutes(1)).await;
        }
        clock.advance(Duration::from_secs(60));
        for _ in 0..1_024 {
            create(&store, Ttl::hours(1)).await;
        }
        assert_eq!(log.take(), []);
    });
}

#[tokio::test]
async fn a_record_whose_expiry_was_postponed_is_not_the_first_to_go() {
    let (store, keys) = full().await;
    let Ok(postponed) = store.load(&keys[0], Some(Ttl::days(1))).await;
    assert!(postponed.is_some());
    create(&store, Ttl::days(1)).await;
    assert!(holds(&store, &keys[0]).await);
    assert!(!holds(&store, &keys[1]).await);
}

#[tokio::test]
async fn clones_share_their_records() {
    let store = Memory::with_capacity(CAPACITY);
    let clone = store.clone();
    let key = create(&store, Ttl::days(1)).await;
    assert!(holds(&clone, &key).await);
    let Ok(removed) = clone.remove(&key).await;
    assert!(removed.is_some());
    assert!(!holds(&store, &key).await);
    assert!(store.is_empty() && clone.is_empty());
}

#[tokio::test]
async fn expired_records_are_removed_along_the_way_without_sweeping() {
    let clock = Clock::manual();
    let store = Memory::with_capacity(CAPACITY).clock(clock.clone());
    for _ in 0..100 {
        create(&store, Ttl::seconds(1)).await;
    }
    let living = create(&store, Ttl::days(1)).await;
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.len(), 101);

    assert!(holds(&store, &living).await);
    assert!((2..101).contains(&store.len()), "one operation removes some, so that none takes long");
    for _ in 0..100 {
        assert!(holds(&store, &living).await);
    }
    assert_eq!(store.len(), 1);
}

#[tokio::test]
async fn sweeping_removes_what_has_expired_and_says_how_much() {
    let clock = Clock::manual();
    let store = Memory::new().clock(clock.clone());
    for _ in 0..500 {
        create(&store, Ttl::seconds(1)).await;
    }
    for _ in 0..10 {
        create(&store, Ttl::seconds(2)).await;
    }
    let Ok(early) = store.sweep().await;
    clock.advance(Duration::from_secs(1));
    let Ok(swept) = store.sweep().await;
    assert_eq!((early, swept, store.len()), (0, 500, 10));
    let Ok(again) = store.sweep().await;
    assert_eq!(again, 0);
}

/// A record that moved with every write would come to lie far from all others.
#[test]
fn data_of_the_same_length_are_written_where_the_old_ones_lie() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let store = Memory::new();
    let key = new_key();
    let created = runtime.block_on(store.create(&key, b"before", Ttl::days(1)));
    let Ok(Create::Created(revision)) = created else { panic!("the key is free") };
    let loaded = runtime.block_on(store.load(&key, None));

    let mut updated = None;
    let update = store.update(&key, b"behind", Ttl::days(1), &revision);
    let counted = measure(|| updated = Some(runtime.block_on(update)));
    assert!(matches!(updated, Some(Ok(Update::Updated(_)))));
    assert_eq!(counted.count_total, 0);

    let Ok(newest) = runtime.block_on(store.load(&key, None));
    let [loaded, newest] =
        [loaded.ok().flatten(), newest].map(|record| record.expect("it lives").value);
    assert_eq!((&*loaded, &*newest), (&b"before"[..], &b"behind"[..]), "who loaded it keeps it");
}

#[test]
fn a_small_session_takes_at_most_300_bytes_in_a_store_that_is_nearly_full() {
    let store = Memory::with_capacity(NonZeroUsize::new(100_000).expect("not zero"));
    let taken = bytes_kept(|| fill(&store, 95_000, Ttl::days(1)));
    // The allocator rounds each of a record's two allocations up by 16 bytes or so.
    let each = taken / store.len() as i64 + 2 * 16;
    println!("{each} bytes");
    assert!((100..=300).contains(&each), "{each} bytes");
}

#[test]
fn the_memory_of_expired_sessions_is_given_back_by_the_use_of_others() {
    let clock = Clock::manual();
    let store = Memory::new().clock(clock.clone());
    let taken = bytes_kept(|| fill(&store, 50_000, Ttl::seconds(1)));
    clock.advance(Duration::from_secs(1));

    let given_back = -bytes_kept(|| {
        block_on(async {
            for _ in 0..5_000 {
                assert!(!holds(&store, &new_key()).await);
            }
        });
    });
    assert!(given_back > taken * 95 / 100, "{given_back} of {taken} bytes");
}

#[test]
fn the_memory_of_removed_sessions_is_given_back() {
    let store = Memory::new();
    let keys: Vec<Key> = (0..10_000).map(|_| new_key()).collect();
    let taken = bytes_kept(|| create_all(&store, &keys, Ttl::days(1)));
    let given_back = -bytes_kept(|| {
        block_on(async {
            for key in &keys {
                let Ok(removed) = store.remove(key).await;
                assert!(removed.is_some());
            }
        });
    });
    assert!(given_back > taken * 95 / 100, "{given_back} of {taken} bytes");
}

fn fill(store: &Memory, records: usize, ttl: Ttl) {
    let keys: Vec<Key> = (0..records).map(|_| new_key()).collect();
    create_all(store, &keys, ttl);
}

fn create_all(store: &Memory, keys: &[Key], ttl: Ttl) {
    // As long as two integers, a name of twelve characters and five numbers.
    let record = [7; 48];
    block_on(async {
        for key in keys {
            let Ok(created) = store.create(key, &record, ttl).await;
            assert!(matches!(created, Create::Created(_)));
        }
    });
}

/// How many more bytes are allocated after `act` than before.
fn bytes_kept(act: impl FnOnce()) -> i64 {
    measure(act).bytes_current
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().build().expect("a runtime").block_on(future)
}
