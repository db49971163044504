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
    Entry, LONG, assert_absent, assert_created, assert_handed_out, assert_holds, assert_same,
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
    let entry = Entry::fresh(store);
    let mut seen = assert_created(entry.create(b"cart", LONG).await);

    for round in rounds() {
        drop_after(round, store.load(&entry.key, None)).await;
        witness.check().await;
        drop_after(round, store.load(&entry.key, Some(LONG))).await;
        witness.check().await;

        assert_holds(entry.load().await, b"cart");
        seen = assert_updated(entry.update(b"cart", LONG, &seen).await);
    }
    assert_handed_out(entry.remove().await, b"cart");
}

/// A create that was dropped left the whole record or none, and the key can be
/// used.
pub async fn a_dropped_create_happened_or_did_not<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;
    let mut ended = Vec::new();

    for round in rounds() {
        let entry = Entry::fresh(store);
        drop_after(round, store.create(&entry.key, b"cart", LONG)).await;
        witness.check().await;

        if let Some(record) = entry.load().await {
            assert_same(record.value.as_ref(), b"cart");
        }
        let value = match entry.create(b"hat", LONG).await {
            Create::Created(_) => b"hat".as_slice(),
            Create::KeyTaken => b"cart",
        };
        assert_holds(entry.load().await, value);
        ended.push((entry, value));
    }

    // Also a create that took effect late replaced nothing.
    for (entry, value) in ended {
        assert_handed_out(entry.remove().await, value);
    }
}

/// An update that was dropped left the old record or the new one, and replaces
/// nothing that is written after it was seen.
pub async fn a_dropped_update_happened_or_did_not<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;
    let mut ended = Vec::new();

    for round in rounds() {
        let entry = Entry::fresh(store);
        let seen = assert_created(entry.create(b"cart", LONG).await);
        drop_after(round, store.update(&entry.key, b"cart and voucher", LONG, &seen)).await;
        witness.check().await;

        replace(&entry, [b"cart", b"cart and voucher"], b"hat").await;
        assert_holds(entry.load().await, b"hat");
        ended.push(entry);
    }

    for entry in ended {
        assert_handed_out(entry.remove().await, b"hat");
    }
}

/// A removal that was dropped left the whole record or none.
pub async fn a_dropped_removal_happened_or_did_not<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let witness = Witness::new(store).await;

    for round in rounds() {
        let entry = Entry::fresh(store);
        assert_created(entry.create(b"cart", LONG).await);
        drop_after(round, store.remove(&entry.key)).await;
        witness.check().await;

        if let Some(record) = entry.load().await {
            assert_same(record.value.as_ref(), b"cart");
        }
        entry.remove().await;
        assert_absent(entry.load().await);
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
async fn replace<S: Store>(entry: &Entry<'_, S>, expected: [&[u8]; 2], value: &[u8]) {
    // The dropped update may take effect in between, but only once.
    for _ in 0..3 {
        let record = assert_there(entry.load().await);
        let found = record.value.as_ref();
        assert!(expected.contains(&found), "the record is neither the old nor the new one");
        if was_updated(&entry.update(value, LONG, &record.revision).await) {
            return;
        }
    }
    panic!("a dropped update goes on for ever");
}

/// Two keys whose answers are known. A store that answers one operation with the
/// reply to another one fails here.
struct Witness<'a, S> {
    present: Entry<'a, S>,
    absent: Entry<'a, S>,
}

impl<'a, S: Store> Witness<'a, S> {
    async fn new(store: &'a S) -> Self {
        let present = Entry::fresh(store);
        assert_created(present.create(b"witness", LONG).await);
        Self { present, absent: Entry::fresh(store) }
    }

    async fn check(&self) {
        assert_holds(self.present.load().await, b"witness");
        assert_absent(self.absent.load().await);
    }
}
