//! What the operations do to a record.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    Entry, LONG, assert_absent, assert_conflict, assert_created, assert_gone, assert_handed_out,
    assert_holds, assert_nothing_removed, assert_taken, assert_there, assert_updated,
};

/// A record that was created is loaded as it was written.
pub async fn a_created_record_is_loaded_as_written<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_absent(entry.load().await);

    assert_created(entry.create(b"cart", LONG).await);

    assert_holds(entry.load().await, b"cart");
    assert_holds(entry.load().await, b"cart");
}

/// `create` on the key of a live record answers `KeyTaken`, and leaves the
/// record and its revision as they are.
pub async fn creating_on_a_live_key_changes_nothing<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", LONG).await);

    assert_taken(entry.create(b"hat", LONG).await);
    assert_taken(entry.create(b"cart", LONG).await);

    assert_holds(entry.load().await, b"cart");
    assert_updated(entry.update(b"scarf", LONG, &first).await);
}

/// Where no record is, loading finds none, updating answers `Gone`, and
/// removing hands out nothing; none of them makes a record.
pub async fn a_missing_record_is_absent_to_every_operation<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let seen = assert_created(entry.create(b"cart", LONG).await);
    entry.remove().await;

    assert_absent(entry.load().await);
    assert_absent(entry.extend(LONG).await);
    assert_absent(entry.load().await);
    assert_gone(entry.update(b"cart", LONG, &seen).await);
    assert_absent(entry.load().await);
    assert_nothing_removed(entry.remove().await);

    let never = Entry::fresh(harness.store());
    assert_absent(never.extend(LONG).await);
    assert_gone(never.update(b"cart", LONG, &seen).await);
    assert_nothing_removed(never.remove().await);
    assert_absent(never.load().await);
}

/// `update` with the revision that was seen replaces the value, by a longer or
/// a shorter one.
pub async fn updating_what_was_seen_replaces_the_value<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_created(entry.create(b"cart", LONG).await);

    for value in [&b"cart and voucher"[..], b"hat", b"hat"] {
        let record = assert_there(entry.load().await);
        assert_updated(entry.update(value, LONG, &record.revision).await);
        assert_holds(entry.load().await, value);
    }
}

/// `remove` hands out the bytes that the record had last, and the key is free.
pub async fn removing_hands_out_the_bytes<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", LONG).await);
    assert_updated(entry.update(b"hat", LONG, &first).await);

    assert_handed_out(entry.remove().await, b"hat");

    assert_absent(entry.load().await);
    assert_nothing_removed(entry.remove().await);
    assert_created(entry.create(b"scarf", LONG).await);
    assert_holds(entry.load().await, b"scarf");
}

/// What one handle wrote, the other sees at once, and neither overwrites the
/// other.
pub async fn two_handles_see_each_others_writes<H: Harness>(harness: Arc<H>) {
    let here = Entry::fresh(harness.store());
    let there = Entry::of(harness.second(), here.key.clone());

    let first = assert_created(here.create(b"cart", LONG).await);
    assert_taken(there.create(b"hat", LONG).await);
    let seen = assert_holds(there.load().await, b"cart");

    assert_updated(there.update(b"hat", LONG, &seen).await);
    assert_holds(here.load().await, b"hat");
    assert_conflict(here.update(b"scarf", LONG, &first).await);
    let seen = assert_holds(there.load().await, b"hat");

    assert_handed_out(here.remove().await, b"hat");
    assert_absent(there.load().await);
    assert_gone(there.update(b"scarf", LONG, &seen).await);

    assert_created(there.create(b"umbrella", LONG).await);
    assert_handed_out(here.remove().await, b"umbrella");
    assert_nothing_removed(there.remove().await);
}
