//! Which revisions an update accepts.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    Entry, LONG, assert_conflict, assert_created, assert_handed_out, assert_holds, assert_updated,
    pass_steps, steps, was_updated,
};

/// `create`, `load` and `update` each give a revision that the next update is
/// accepted with.
pub async fn every_answer_names_the_version_it_left<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());

    let created = assert_created(entry.create(b"1", LONG).await);
    let updated = assert_updated(entry.update(b"2", LONG, &created).await);
    let updated = assert_updated(entry.update(b"3", LONG, &updated).await);
    let loaded = assert_holds(entry.load().await, b"3");
    // A load between does not end what was seen before.
    assert_updated(entry.update(b"4", LONG, &updated).await);
    assert_conflict(entry.update(b"5", LONG, &loaded).await);
    assert_holds(entry.load().await, b"4");
}

/// `update` with the revision of an earlier version answers `Conflict`, and
/// leaves the value and the revision as they are.
pub async fn a_stale_revision_conflicts_and_changes_nothing<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", LONG).await);
    let second = assert_updated(entry.update(b"hat", LONG, &first).await);

    assert_conflict(entry.update(b"scarf", LONG, &first).await);
    assert_conflict(entry.update(b"hat", LONG, &first).await);

    assert_holds(entry.load().await, b"hat");
    assert_updated(entry.update(b"umbrella", LONG, &second).await);
}

/// Postponing the expiry changes no revision: not the ones seen before, and not
/// the one that the same load gives.
pub async fn extending_keeps_the_revision_valid<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());

    let before = assert_created(entry.create(b"cart", LONG).await);
    assert_holds(entry.extend(LONG).await, b"cart");
    assert_holds(entry.extend(LONG).await, b"cart");
    assert_updated(entry.update(b"hat", LONG, &before).await);

    let with = assert_holds(entry.extend(LONG).await, b"hat");
    assert_updated(entry.update(b"scarf", LONG, &with).await);
}

/// A revision is not accepted for the record that was created under the same
/// key after its own was removed, unless that has the same bytes.
pub async fn a_revision_ends_when_its_record_is_removed<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", LONG).await);
    assert_handed_out(entry.remove().await, b"cart");

    // As long as the one before, and the first version of its record, too.
    assert_created(entry.create(b"shoe", LONG).await);

    assert_conflict(entry.update(b"hat", LONG, &first).await);
    assert_holds(entry.load().await, b"shoe");
}

/// A revision is not accepted for the record that was created under the same
/// key after its own expired, unless that has the same bytes.
pub async fn a_revision_ends_when_its_record_expires<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", steps(&*harness, 1)).await);
    pass_steps(&*harness, 1).await;

    assert_created(entry.create(b"shoe", LONG).await);

    assert_conflict(entry.update(b"hat", LONG, &first).await);
    assert_holds(entry.load().await, b"shoe");
}

/// A revision stands for one value, however often the record changed since it
/// was seen. When the bytes are the same again, the store may accept it or not,
/// and the record is as the answer says.
pub async fn a_revision_stands_for_one_value<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", LONG).await);
    let mut seen = assert_updated(entry.update(b"shoe", LONG, &first).await);
    assert_conflict(entry.update(b"hat", LONG, &first).await);
    for again in [b"cart", b"vest", b"cart"] {
        seen = assert_updated(entry.update(again, LONG, &seen).await);
        if again != b"cart" {
            assert_conflict(entry.update(b"hat", LONG, &first).await);
        }
    }

    let answer = entry.update(b"hat", LONG, &first).await;
    let value = if was_updated(&answer) { &b"hat"[..] } else { b"cart" };
    assert_holds(entry.load().await, value);
}
