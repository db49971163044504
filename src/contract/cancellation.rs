//! What a future leaves behind that is dropped before its end.
//!
//! Each rule drops futures after every small number of polls, and then checks
//! that other operations get their own answers. What was sent to a server
//! before the drop may still take effect a moment later.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::steps::{
    LONG, Peg, assert_absent, assert_created, assert_handed_out, assert_holds, assert_same,
    assert_there, assert_updated, fault_free, was_updated,
};
use super::{Harness, wait};
use crate::store::{Create, Store};

/// How many times a future is polled at most before it is dropped.
const POLLS: usize = 8;
/// How many rounds with each number of polls.
const REPEATS: usize = 6;

/// A load that was dropped leaves the value and the revision as they were.
pub async fn a_dropped_load_changes_nothing<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;
    let peg = Peg::fresh(store);
    let mut seen = assert_created(peg.create(b"coat", LONG).await);

    for round in rounds() {
        drop_after(round, store.load(&peg.key, None)).await;
        witness.check().await;
        drop_after(round, store.load(&peg.key, Some(LONG))).await;
        witness.check().await;

        assert_holds(peg.load().await, b"coat");
        seen = assert_updated(peg.update(b"coat", LONG, &seen).await);
    }
    assert_handed_out(peg.remove().await, b"coat");
}

/// A create that was dropped left the whole record or none, and the key can be
/// used.
pub async fn a_dropped_create_happened_or_did_not<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;
    let mut ended = Vec::new();

    for round in rounds() {
        let peg = Peg::fresh(store);
        drop_after(round, store.create(&peg.key, b"coat", LONG)).await;
        witness.check().await;

        if let Some(record) = peg.load().await {
            assert_same(record.value.as_ref(), b"coat");
        }
        let value = match peg.create(b"hat", LONG).await {
            Create::Created(_) => b"hat".as_slice(),
            Create::KeyTaken => b"coat",
        };
        assert_holds(peg.load().await, value);
        ended.push((peg, value));
    }

    // Also a create that took effect late replaced nothing.
    for (peg, value) in ended {
        assert_handed_out(peg.remove().await, value);
    }
}

/// An update that was dropped left the old record or the new one, and replaces
/// nothing that is written after it was seen.
pub async fn a_dropped_update_happened_or_did_not<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;
    let mut ended = Vec::new();

    for round in rounds() {
        let peg = Peg::fresh(store);
        let seen = assert_created(peg.create(b"coat", LONG).await);
        drop_after(round, store.update(&peg.key, b"coat and umbrella", LONG, &seen)).await;
        witness.check().await;

        replace(&peg, [b"coat", b"coat and umbrella"], b"hat").await;
        assert_holds(peg.load().await, b"hat");
        ended.push(peg);
    }

    for peg in ended {
        assert_handed_out(peg.remove().await, b"hat");
    }
}

/// A removal that was dropped left the whole record or none.
pub async fn a_dropped_removal_happened_or_did_not<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;

    for round in rounds() {
        let peg = Peg::fresh(store);
        assert_created(peg.create(b"coat", LONG).await);
        drop_after(round, store.remove(&peg.key)).await;
        witness.check().await;

        if let Some(record) = peg.load().await {
            assert_same(record.value.as_ref(), b"coat");
        }
        peg.remove().await;
        assert_absent(peg.load().await);
    }
}

/// When a future is dropped.
#[derive(Clone, Copy)]
struct Round {
    polls: usize,
    /// Whether the answer may arrive before the drop, unread.
    late: bool,
}

fn rounds() -> impl Iterator<Item = Round> {
    (0..POLLS * REPEATS).map(|n| Round { polls: n % POLLS, late: n / POLLS % 2 == 1 })
}

/// Polls a future as often as the round says, and drops it.
async fn drop_after<T, E>(round: Round, operation: impl Future<Output = Result<T, E>> + Send)
where
    E: std::error::Error,
{
    let mut operation = pin!(operation);
    let mut left = round.polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        match operation.as_mut().poll(context) {
            Poll::Ready(answer) => {
                drop(fault_free("the operation", answer));
                Poll::Ready(())
            }
            // Dropped where it waits.
            Poll::Pending if left == 0 => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
    if round.late {
        wait(Duration::from_millis(2)).await;
    }
}

/// Replaces one of the `expected` values, as a request does that meets others.
async fn replace<S: Store>(peg: &Peg<'_, S>, expected: [&[u8]; 2], value: &[u8]) {
    // The dropped update may take effect in between, but only once.
    for _ in 0..3 {
        let record = assert_there(peg.load().await);
        let found = record.value.as_ref();
        assert!(expected.contains(&found), "the record is neither the old nor the new one");
        if was_updated(&peg.update(value, LONG, &record.revision).await) {
            return;
        }
    }
    panic!("a dropped update goes on for ever");
}

/// Two keys whose answers are known: whoever gets those of another operation
/// shows here.
struct Witness<'a, S> {
    present: Peg<'a, S>,
    absent: Peg<'a, S>,
}

impl<'a, S: Store> Witness<'a, S> {
    async fn new(store: &'a S) -> Self {
        let present = Peg::fresh(store);
        assert_created(present.create(b"witness", LONG).await);
        Self { present, absent: Peg::fresh(store) }
    }

    async fn check(&self) {
        assert_holds(self.present.load().await, b"witness");
        assert_absent(self.absent.load().await);
    }
}
