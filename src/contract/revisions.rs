//! Which revisions an update accepts.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    LONG, Peg, assert_conflict, assert_created, assert_handed_out, assert_holds, assert_updated,
    pass_steps, steps,
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
/// key after its own was removed, not even when the bytes are the same.
pub async fn a_revision_ends_when_its_record_is_removed<H: Harness>(harness: Arc<H>) {
    for again in [b"coat", b"shoe"] {
        let peg = Peg::fresh(harness.store());
        let first = assert_created(peg.create(b"coat", LONG).await);
        assert_handed_out(peg.remove().await, b"coat");

        assert_created(peg.create(again, LONG).await);

        assert_conflict(peg.update(b"hat", LONG, &first).await);
        assert_holds(peg.load().await, again);
    }
}

/// A revision is not accepted for the record that was created under the same
/// key after its own expired, not even when the bytes are the same.
pub async fn a_revision_ends_when_its_record_expires<H: Harness>(harness: Arc<H>) {
    let same = Peg::fresh(harness.store());
    let other = Peg::fresh(harness.store());
    let ttl = steps(&*harness, 1);
    let first_same = assert_created(same.create(b"coat", ttl).await);
    let first_other = assert_created(other.create(b"coat", ttl).await);
    pass_steps(&*harness, 1).await;

    assert_created(same.create(b"coat", LONG).await);
    assert_created(other.create(b"shoe", LONG).await);

    assert_conflict(same.update(b"hat", LONG, &first_same).await);
    assert_conflict(other.update(b"hat", LONG, &first_other).await);
    assert_holds(same.load().await, b"coat");
    assert_holds(other.load().await, b"shoe");
}

/// A revision stays stale when the record later has the same bytes again.
pub async fn a_revision_does_not_return_with_the_bytes<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());
    let first = assert_created(peg.create(b"coat", LONG).await);
    let second = assert_updated(peg.update(b"hat", LONG, &first).await);
    let third = assert_updated(peg.update(b"coat", LONG, &second).await);

    assert_conflict(peg.update(b"scarf", LONG, &first).await);
    // Writing the same bytes once more is a new version, too.
    let fourth = assert_updated(peg.update(b"coat", LONG, &third).await);
    assert_conflict(peg.update(b"scarf", LONG, &third).await);
    assert_updated(peg.update(b"scarf", LONG, &fourth).await);
}
