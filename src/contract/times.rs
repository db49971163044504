//! What moves the expiry of a record, and what does not.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    Entry, LONG, Life, assert_absent, assert_conflict, assert_created, assert_holds, assert_taken,
    assert_updated, in_time, pass_steps, steps,
};
use crate::ttl::Ttl;

/// `load` with a longer time than the record has left moves the expiry to that time from
/// now.
pub async fn a_load_that_extends_by_more_moves_the_expiry<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let entry = Entry::fresh(harness.store());
        let first = Life::starts(harness, steps(harness, 1));
        assert_created(entry.create(b"cart", first.ttl).await);

        let extended = Life::starts(harness, steps(harness, 3));
        assert_holds(first.within(entry.extend(extended.ttl).await)?, b"cart");
        pass_steps(harness, 1).await;
        assert_holds(extended.within(entry.load().await)?, b"cart");

        pass_steps(harness, 2).await;
        assert_absent(entry.load().await);
        Ok(())
    })
    .await;
}

/// `load` with a shorter time than the record has left moves the expiry neither way.
pub async fn a_load_that_extends_by_less_leaves_the_expiry<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let entry = Entry::fresh(harness.store());
        let life = Life::starts(harness, steps(harness, 3));
        assert_created(entry.create(b"data", life.ttl).await);
        for ttl in [Ttl::MIN, steps(harness, 1)] {
            assert_holds(life.within(entry.extend(ttl).await)?, b"data");
        }

        pass_steps(harness, 1).await;
        assert_holds(life.within(entry.load().await)?, b"data");

        pass_steps(harness, 2).await;
        assert_absent(entry.load().await);
        Ok(())
    })
    .await;
}

/// `load` without a time to live leaves the expiry where it was.
pub async fn loading_alone_does_not_postpone_the_expiry<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let entry = Entry::fresh(harness.store());
        let life = Life::starts(harness, steps(harness, 2));
        assert_created(entry.create(b"cart", life.ttl).await);

        pass_steps(harness, 1).await;
        assert_holds(life.within(entry.load().await)?, b"cart");

        pass_steps(harness, 1).await;
        assert_absent(entry.load().await);
        Ok(())
    })
    .await;
}

/// `update` gives the record its time to live from now; what was left of the
/// one before is forgotten.
pub async fn updating_restarts_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let entry = Entry::fresh(harness.store());
        let first = Life::starts(harness, steps(harness, 1));
        let seen = assert_created(entry.create(b"cart", first.ttl).await);

        let second = Life::starts(harness, steps(harness, 3));
        assert_updated(first.within(entry.update(b"hat", second.ttl, &seen).await)?);
        pass_steps(harness, 1).await;
        assert_holds(second.within(entry.load().await)?, b"hat");

        pass_steps(harness, 2).await;
        assert_absent(entry.load().await);
        Ok(())
    })
    .await;
}

/// `update` with a shorter time to live ends the record sooner.
pub async fn updating_may_shorten_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let first = assert_created(entry.create(b"cart", LONG).await);
    assert_updated(entry.update(b"hat", steps(&*harness, 1), &first).await);

    pass_steps(&*harness, 1).await;
    assert_absent(entry.load().await);
}

/// An update that is refused moves the expiry neither way.
pub async fn a_conflict_leaves_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let later = Entry::fresh(harness.store());
        let stale = assert_created(later.create(b"cart", LONG).await);
        let late = Life::starts(harness, steps(harness, 3));
        assert_updated(later.update(b"hat", late.ttl, &stale).await);
        let refused = later.update(b"scarf", steps(harness, 1), &stale).await;
        assert_conflict(late.within(refused)?);

        let sooner = Entry::fresh(harness.store());
        let stale = assert_created(sooner.create(b"cart", LONG).await);
        let soon = Life::starts(harness, steps(harness, 1));
        assert_updated(sooner.update(b"hat", soon.ttl, &stale).await);
        assert_conflict(soon.within(sooner.update(b"scarf", LONG, &stale).await)?);

        pass_steps(harness, 1).await;
        assert_absent(sooner.load().await);
        assert_holds(late.within(later.load().await)?, b"hat");
        Ok(())
    })
    .await;
}

/// A create that finds the key taken moves the expiry neither way.
pub async fn a_taken_key_leaves_the_time_to_live<H: Harness>(harness: Arc<H>) {
    let harness = &*harness;
    in_time(|| async {
        let later = Entry::fresh(harness.store());
        let late = Life::starts(harness, steps(harness, 3));
        assert_created(later.create(b"cart", late.ttl).await);
        assert_taken(late.within(later.create(b"hat", steps(harness, 1)).await)?);

        let sooner = Entry::fresh(harness.store());
        let soon = Life::starts(harness, steps(harness, 1));
        assert_created(sooner.create(b"cart", soon.ttl).await);
        assert_taken(soon.within(sooner.create(b"hat", LONG).await)?);

        pass_steps(harness, 1).await;
        assert_absent(sooner.load().await);
        assert_holds(late.within(later.load().await)?, b"cart");
        Ok(())
    })
    .await;
}
