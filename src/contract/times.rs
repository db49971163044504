//! What moves the expiry of a record, and what does not.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    LONG, Life, Peg, assert_absent, assert_conflict, assert_created, assert_holds, assert_taken,
    assert_updated, in_time, pass_steps, steps,
};

/// `load` with a time to live moves the expiry to that time from now.
pub async fn extending_postpones_the_expiry<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let peg = Peg::fresh(harness.store());
        let first = Life::starts(harness, steps(harness, 1));
        assert_created(peg.create(b"coat", first.ttl).await);

        let extended = Life::starts(harness, steps(harness, 3));
        let found = first.assert_found(peg.extend(extended.ttl).await)?;
        assert_holds(Some(found), b"coat");
        pass_steps(harness, 1).await;
        let found = extended.assert_found(peg.load().await)?;
        assert_holds(Some(found), b"coat");

        pass_steps(harness, 2).await;
        assert_absent(peg.load().await);
        Ok(())
    })
    .await;
}

/// `load` without a time to live leaves the expiry where it was.
pub async fn loading_alone_does_not_postpone_the_expiry<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let peg = Peg::fresh(harness.store());
        let life = Life::starts(harness, steps(harness, 2));
        assert_created(peg.create(b"coat", life.ttl).await);

        pass_steps(harness, 1).await;
        life.assert_found(peg.load().await)?;

        pass_steps(harness, 1).await;
        assert_absent(peg.load().await);
        Ok(())
    })
    .await;
}

/// `update` gives the record its time to live from now, and what was left of
/// the one before is forgotten.
pub async fn updating_restarts_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let peg = Peg::fresh(harness.store());
        let first = Life::starts(harness, steps(harness, 1));
        assert_created(peg.create(b"coat", first.ttl).await);
        let record = first.assert_found(peg.load().await)?;

        let second = Life::starts(harness, steps(harness, 3));
        let answer = peg.update(b"hat", second.ttl, &record.revision).await;
        first.assert_not_gone(answer)?;
        pass_steps(harness, 1).await;
        let found = second.assert_found(peg.load().await)?;
        assert_holds(Some(found), b"hat");

        pass_steps(harness, 2).await;
        assert_absent(peg.load().await);
        Ok(())
    })
    .await;
}

/// `update` with a shorter time to live ends the record sooner.
pub async fn updating_may_shorten_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let peg = Peg::fresh(harness.store());
    let first = assert_created(peg.create(b"coat", LONG).await);
    assert_updated(peg.update(b"hat", steps(&*harness, 1), &first).await);

    pass_steps(&*harness, 1).await;
    assert_absent(peg.load().await);
}

/// An update that is refused moves the expiry neither way.
pub async fn a_conflict_leaves_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let short = Peg::fresh(harness.store());
        let long = Peg::fresh(harness.store());
        let stale_short = assert_created(short.create(b"coat", LONG).await);
        let stale_long = assert_created(long.create(b"coat", LONG).await);

        let life = Life::starts(harness, steps(harness, 3));
        assert_updated(long.update(b"hat", life.ttl, &stale_long).await);
        let soon = Life::starts(harness, steps(harness, 1));
        assert_updated(short.update(b"hat", soon.ttl, &stale_short).await);
        let answer = short.update(b"scarf", LONG, &stale_short).await;
        soon.assert_not_gone_but_refused(answer)?;
        assert_conflict(long.update(b"scarf", steps(harness, 1), &stale_long).await);

        pass_steps(harness, 1).await;
        assert_absent(short.load().await);
        let found = life.assert_found(long.load().await)?;
        assert_holds(Some(found), b"hat");
        Ok(())
    })
    .await;
}

/// A create that finds the key taken moves the expiry neither way.
pub async fn a_taken_key_leaves_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let short = Peg::fresh(harness.store());
        let long = Peg::fresh(harness.store());
        let life = Life::starts(harness, steps(harness, 3));
        assert_created(long.create(b"coat", life.ttl).await);
        assert_taken(long.create(b"hat", steps(harness, 1)).await);
        assert_created(short.create(b"coat", steps(harness, 1)).await);
        assert_taken(short.create(b"hat", LONG).await);

        pass_steps(harness, 1).await;
        assert_absent(short.load().await);
        let found = life.assert_found(long.load().await)?;
        assert_holds(Some(found), b"coat");
        Ok(())
    })
    .await;
}
