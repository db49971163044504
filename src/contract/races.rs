//! What concurrent operations make of a record.
//!
//! Every other task works on the second handle.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::task::{JoinSet, yield_now};

use super::steps::{
    Entry, LONG, Life, assert_absent, assert_created, assert_gone, assert_holds,
    assert_nothing_removed, assert_taken, assert_there, assert_updated, half_a_step, in_time,
    pass_steps, steps, was_updated,
};
use super::{Harness, Time};
use crate::store::{Create, Key, Store, Update};

/// How often a race is run: a mistake may show in one of many only.
const ROUNDS: usize = 50;
/// How many changes the loads have to see, to be sure that they met the writes.
const CHANGES: usize = 200;

/// Of creates that run at the same time under one key, one answers `Created`
/// and the others `KeyTaken`; the record is what the one wrote.
pub async fn of_concurrent_creates_one_wins<H: Harness>(harness: Arc<H>) {
    for _ in 0..ROUNDS {
        let entry = Entry::fresh(harness.store());
        let key = entry.key.clone();
        let answers = at_once(&harness, 16, move |task, harness| {
            let key = key.clone();
            async move { handle(&*harness, task, key).create(&[task as u8], LONG).await }
        })
        .await;

        let (value, revision) = assert_one_winner(answers);
        assert_holds(entry.load().await, &[value]);
        if value % 2 == 0 {
            assert_updated(entry.update(b"hat", LONG, &revision).await);
        }
        entry.remove().await;
    }
}

/// Of increments that run at the same time, each by load and update until it is
/// accepted, none is lost: 16 tasks with 50 each make 800.
pub async fn of_concurrent_updates_none_is_lost<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_created(entry.create(b"0", LONG).await);

    let key = entry.key.clone();
    at_once(&harness, 16, move |task, harness| {
        let key = key.clone();
        async move {
            let entry = handle(&*harness, task, key);
            for _ in 0..50 {
                increment(&entry).await;
            }
        }
    })
    .await;

    assert_holds(entry.load().await, b"800");
    entry.remove().await;
}

/// When updates run at the same time as a removal, there is no record once all
/// have ended, however they met.
pub async fn an_update_that_races_a_removal_revives_nothing<H: Harness>(harness: Arc<H>) {
    for round in 0..ROUNDS {
        let entry = Entry::fresh(harness.store());
        let first = assert_created(entry.create(b"0", LONG).await);

        let key = entry.key.clone();
        let removed = Arc::new(AtomicBool::new(false));
        at_once(&harness, 4, move |task, harness| {
            let (key, removed) = (key.clone(), removed.clone());
            async move {
                let entry = handle(&*harness, task, key);
                if task == 0 {
                    remove_after(round % 8, &entry).await;
                    removed.store(true, Ordering::SeqCst);
                } else {
                    update_until(&entry, &removed).await;
                }
            }
        })
        .await;

        assert_absent(entry.load().await);
        assert_gone(entry.update(b"hat", LONG, &first).await);
        assert_nothing_removed(entry.remove().await);
    }
}

/// When creates run at the same time as the removal of the record that has the
/// key, one of them gets it, and no other replaces what that one wrote.
pub async fn a_freed_key_is_taken_once<H: Harness>(harness: Arc<H>) {
    for round in 0..ROUNDS {
        let entry = Entry::fresh(harness.store());
        assert_created(entry.create(b"cart", LONG).await);

        let key = entry.key.clone();
        let removed = Arc::new(AtomicBool::new(false));
        let answers = at_once(&harness, 8, move |task, harness| {
            let (key, removed) = (key.clone(), removed.clone());
            async move {
                let entry = handle(&*harness, task, key);
                if task == 0 {
                    remove_after(round % 8, &entry).await;
                    removed.store(true, Ordering::SeqCst);
                    return Create::KeyTaken;
                }
                create_until(&entry, &[task as u8], &removed).await
            }
        })
        .await;

        let (value, _) = assert_one_winner(answers);
        assert_holds(entry.load().await, &[value]);
        assert_taken(entry.create(b"hat", LONG).await);
        entry.remove().await;
    }
}

/// A load that runs at the same time as an update finds the value before or the
/// one after, never parts of both.
pub async fn a_load_never_sees_half_a_write<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_created(entry.create(&filled(0), LONG).await);

    let key = entry.key.clone();
    let changes = Arc::new(AtomicUsize::new(0));
    at_once(&harness, 4, move |task, harness| {
        let (key, changes) = (key.clone(), changes.clone());
        async move {
            let entry = handle(&*harness, task, key);
            if task == 0 {
                write_until_seen(&entry, &changes).await;
            } else {
                read_whole_values(&entry, &changes).await;
            }
        }
    })
    .await;
    entry.remove().await;
}

/// Of loads that run at the same time, each with a time to live of its own, the longest
/// counts, whichever is the last to arrive.
pub async fn of_concurrent_extensions_the_longest_counts<H: Harness>(harness: Arc<H>) {
    in_time(|| async {
        // In real time, all of it has to end within two steps.
        let rounds = if harness.time() == Time::ByHand { ROUNDS } else { 4 };
        let longest = Life::starts(&*harness, steps(&*harness, 3));
        let mut records = Vec::new();
        for _ in 0..rounds {
            let entry = Entry::fresh(harness.store());
            let first = Life::starts(&*harness, half_a_step(&*harness));
            assert_created(entry.create(b"data", first.ttl).await);
            let found = extend_at_once(&harness, &entry.key).await;
            assert_found_by_all(&first.within(found)?);
            records.push(entry);
        }

        pass_steps(&*harness, 1).await;
        for entry in records {
            assert_holds(longest.within(entry.load().await)?, b"data");
            entry.remove().await;
        }
        Ok(())
    })
    .await;
}

fn assert_found_by_all(found: &[bool]) {
    assert!(found.iter().all(|found| *found), "the record is there");
}

/// Runs `tasks` tasks at the same time, and gives back what they answer.
async fn at_once<H, F, T>(
    harness: &Arc<H>,
    tasks: usize,
    work: impl Fn(usize, Arc<H>) -> F,
) -> Vec<T>
where
    H: Harness,
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let go = Arc::new(AtomicBool::new(false));
    let mut started = JoinSet::new();
    for task in 0..tasks {
        let (go, work) = (go.clone(), work(task, harness.clone()));
        started.spawn(async move {
            while !go.load(Ordering::SeqCst) {
                yield_now().await;
            }
            (task, work.await)
        });
    }
    go.store(true, Ordering::SeqCst);

    let mut answers = Vec::with_capacity(tasks);
    while let Some(ended) = started.join_next().await {
        // The first to fail ends the others.
        answers.push(ended.unwrap_or_else(|panic| resume_unwind(panic.into_panic())));
    }
    answers.sort_unstable_by_key(|(task, _)| *task);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Extends by three steps and by one step, twice each. Says which loads found the record.
async fn extend_at_once<H: Harness>(harness: &Arc<H>, key: &Key) -> Vec<bool> {
    let key = key.clone();
    let loads = at_once(harness, 4, move |task, harness| {
        let key = key.clone();
        async move {
            let ttl = steps(&*harness, if task < 2 { 3 } else { 1 });
            handle(&*harness, task, key).extend(ttl).await.is_some()
        }
    });
    loads.await
}

/// The handle that a task works on.
fn handle<H: Harness>(harness: &H, task: usize, key: Key) -> Entry<'_, H::Store> {
    Entry::of(if task.is_multiple_of(2) { harness.store() } else { harness.second() }, key)
}

/// The task whose create was accepted, with the revision it got.
fn assert_one_winner<R>(answers: Vec<Create<R>>) -> (u8, R) {
    let mut winners = answers.into_iter().zip(0..).filter_map(|(answer, task)| match answer {
        Create::Created(revision) => Some((task, revision)),
        Create::KeyTaken => None,
    });
    let winner = winners.next().expect("one create answers Created");
    assert!(winners.next().is_none(), "two creates answer Created under one key");
    winner
}

/// Gives way to the other tasks some times, so that the removal meets them at
/// different points.
async fn remove_after<S: Store>(times: usize, entry: &Entry<'_, S>) {
    for _ in 0..times {
        yield_now().await;
    }
    entry.remove().await.expect("the record is there until it is removed");
}

async fn increment<S: Store>(entry: &Entry<'_, S>) {
    loop {
        let record = assert_there(entry.load().await);
        let text = str::from_utf8(record.value.as_ref()).expect("a number");
        let next = text.parse::<u32>().expect("a number") + 1;
        let answer = entry.update(next.to_string().as_bytes(), LONG, &record.revision).await;
        if was_updated(&answer) {
            return;
        }
    }
}

async fn update_until<S: Store>(entry: &Entry<'_, S>, removed: &AtomicBool) {
    while !removed.load(Ordering::SeqCst) {
        let Some(record) = entry.load().await else { return };
        // Room for the removal between the load and the update.
        yield_now().await;
        if matches!(entry.update(b"1", LONG, &record.revision).await, Update::Gone) {
            return;
        }
    }
}

/// Creates until that is accepted, once more after the removal at the latest.
async fn create_until<S: Store>(
    entry: &Entry<'_, S>,
    value: &[u8],
    removed: &AtomicBool,
) -> Create<S::Revision> {
    loop {
        let was_removed = removed.load(Ordering::SeqCst);
        match entry.create(value, LONG).await {
            Create::KeyTaken if !was_removed => yield_now().await,
            answer => return answer,
        }
    }
}

/// A value of one byte, repeated so often that the byte tells how often.
fn filled(byte: u8) -> Vec<u8> {
    vec![byte; 1 + usize::from(byte) * 200]
}

async fn write_until_seen<S: Store>(entry: &Entry<'_, S>, changes: &AtomicUsize) {
    let mut seen = assert_there(entry.load().await).revision;
    // A long and a short value alternate.
    for byte in (1..75).flat_map(|n| [150 - n, n]).cycle() {
        seen = assert_updated(entry.update(&filled(byte), LONG, &seen).await);
        if changes.load(Ordering::SeqCst) >= CHANGES {
            return;
        }
        yield_now().await;
    }
}

async fn read_whole_values<S: Store>(entry: &Entry<'_, S>, changes: &AtomicUsize) {
    let mut last = 0;
    while changes.load(Ordering::SeqCst) < CHANGES {
        let record = assert_there(entry.load().await);
        let value = record.value.as_ref();
        let byte = *value.first().expect("no value here is empty");
        assert!(value == filled(byte), "load finds parts of two values");
        if byte != last {
            last = byte;
            changes.fetch_add(1, Ordering::SeqCst);
        }
        yield_now().await;
    }
}
