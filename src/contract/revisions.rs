//! Which revisions an update accepts.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    LONG, Peg, assert_conflict, assert_created, assert_handed_out, assert_holds, assert_updated,
    pass_steps, steps, was_updated,
};

/// `create`, `load` and `update` each give a revision that the next update is
/// accepted with.
pub async fn every_answer_names_the_version_it_left<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());

    let created = assert_created(peg.create(b"1", LONG).await);
    let updated = assert_updated(peg.update(b"2", LONG, &created).await);
    let updated = assert_updated(peg.update(b"3", LONG, &updated).await);
    let loaded = assert_holds(peg.load().await, b"3");
    // A load between does not end what was seen before.
    assert_updated(peg.update(b"4", LONG, &updated).await);
    assert_conflict(peg.update(b"5", LONG, &loaded).await);
    assert_holds(peg.load().await, b"4");
}

/// `update` with the revision of an earlier version answers `Conflict`, and
/// leaves the value and the revision as they are.
pub async fn a_stale_revision_conflicts_and_changes_nothing<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());
    let first = assert_created(peg.create(b"coat", LONG).await);
    let second = assert_updated(peg.update(b"hat", LONG, &first).await);

    assert_conflict(peg.update(b"scarf", LONG, &first).await);
    assert_conflict(peg.update(b"hat", LONG, &first).await);

    assert_holds(peg.load().await, b"hat");
    assert_updated(peg.update(b"umbrella", LONG, &second).await);
}

/// Postponing the expiry changes no revision: not the ones seen before, and not
/// the one that the same load gives.
pub async fn extending_keeps_the_revision_valid<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());

    let before = assert_created(peg.create(b"coat", LONG).await);
    assert_holds(peg.extend(LONG).await, b"coat");
    assert_holds(peg.extend(LONG).await, b"coat");
    assert_updated(peg.update(b"hat", LONG, &before).await);

    let with = assert_holds(peg.extend(LONG).await, b"hat");
    assert_updated(peg.update(b"scarf", LONG, &with).await);
}

/// A revision is not accepted for the record that was created under the same
/// key after its own was removed, unless that has the same bytes.
pub async fn a_revision_ends_when_its_record_is_removed<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());
    let first = assert_created(peg.create(b"coat", LONG).await);
    assert_handed_out(peg.remove().await, b"coat");

    // As long as the one before, and the first version of its record, too.
    assert_created(peg.create(b"shoe", LONG).await);

    assert_conflict(peg.update(b"hat", LONG, &first).await);
    assert_holds(peg.load().await, b"shoe");
}

/// A revision is not accepted for the record that was created under the same
/// key after its own expired, unless that has the same bytes.
pub async fn a_revision_ends_when_its_record_expires<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());
    let first = assert_created(peg.create(b"coat", steps(&*harness, 1)).await);
    pass_steps(&*harness, 1).await;

    assert_created(peg.create(b"shoe", LONG).await);

    assert_conflict(peg.update(b"hat", LONG, &first).await);
    assert_holds(peg.load().await, b"shoe");
}

/// A revision stands for one value, however often the record changed since it
/// was seen. When the bytes are the same again, the store may accept it or not,
/// and the record is as the answer says.
pub async fn a_revision_stands_for_one_value<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());
    let first = assert_created(peg.create(b"coat", LONG).await);
    let mut seen = assert_updated(peg.update(b"shoe", LONG, &first).await);
    assert_conflict(peg.update(b"hat", LONG, &first).await);
    for again in [b"coat", b"vest", b"coat"] {
        seen = assert_updated(peg.update(again, LONG, &seen).await);
        if again != b"coat" {
            assert_conflict(peg.update(b"hat", LONG, &first).await);
        }
    }

    let answer = peg.update(b"hat", LONG, &first).await;
    let value = if was_updated(&answer) { &b"hat"[..] } else { b"coat" };
    assert_holds(peg.load().await, value);
}
