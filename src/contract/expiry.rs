//! A record lives for its time to live, and is absent from then on.

use std::sync::Arc;
use std::time::Duration;

use super::steps::{
    Entry, LONG, Life, assert_absent, assert_created, assert_gone, assert_holds,
    assert_nothing_removed, assert_updated, pass_steps, steps,
};
use super::{Harness, Time};
use crate::store::Store;
use crate::ttl::Ttl;

/// How many expired records lie in front of the ones that a rule looks at: more
/// than a store clears away in passing.
const CROWD: usize = 150;

/// One millisecond, the shortest time to live, is neither none nor for ever.
pub async fn a_time_to_live_of_1_millisecond_is_kept<H: Harness>(harness: Arc<H>) {
    assert_kept(&*harness, Ttl::MIN).await;
}

/// 999 milliseconds are not cut down to whole seconds.
pub async fn a_time_to_live_of_999_milliseconds_is_kept<H: Harness>(harness: Arc<H>) {
    assert_kept(&*harness, millis(999)).await;
}

/// One second is one second.
pub async fn a_time_to_live_of_1_second_is_kept<H: Harness>(harness: Arc<H>) {
    assert_kept(&*harness, Ttl::seconds(1)).await;
}

/// 30 days are the longest that some servers count from now.
pub async fn a_time_to_live_of_30_days_is_kept<H: Harness>(harness: Arc<H>) {
    assert_kept(&*harness, Ttl::days(30)).await;
}

/// A second more than 30 days is what some servers take for a date in 1970.
pub async fn a_time_to_live_of_30_days_and_a_second_is_kept<H: Harness>(harness: Arc<H>) {
    assert_kept(&*harness, millis(30 * 24 * 60 * 60 * 1_000 + 1_000)).await;
}

/// 400 days, the longest time to live, are more milliseconds than 32 bits count.
pub async fn a_time_to_live_of_400_days_is_kept<H: Harness>(harness: Arc<H>) {
    assert_kept(&*harness, Ttl::MAX).await;
}

/// `create` on the key of an expired record makes a new one.
pub async fn an_expired_record_frees_its_key<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_created(entry.create(b"cart", steps(&*harness, 1)).await);
    pass_steps(&*harness, 1).await;

    assert_created(entry.create(b"hat", LONG).await);
    assert_holds(entry.load().await, b"hat");
}

/// `update` of an expired record answers `Gone`, and there is still none.
pub async fn updating_an_expired_record_does_not_revive_it<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let seen = assert_created(entry.create(b"cart", steps(&*harness, 1)).await);
    pass_steps(&*harness, 1).await;

    assert_gone(entry.update(b"hat", LONG, &seen).await);
    assert_absent(entry.load().await);
}

/// `load` with a time to live finds no expired record, and there is still none.
pub async fn extending_an_expired_record_does_not_revive_it<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_created(entry.create(b"cart", steps(&*harness, 1)).await);
    pass_steps(&*harness, 1).await;

    assert_absent(entry.extend(LONG).await);
    assert_absent(entry.load().await);
}

/// `remove` of an expired record hands out nothing.
pub async fn removing_an_expired_record_hands_out_nothing<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    assert_created(entry.create(b"cart", steps(&*harness, 1)).await);
    pass_steps(&*harness, 1).await;

    assert_nothing_removed(entry.remove().await);
}

/// An expired record that the store has not cleared away yet is absent to every
/// operation.
///
/// The rule lets more records expire than a store clears away in passing.
pub async fn an_expired_record_that_was_not_cleared_away_counts_as_absent<H: Harness>(
    harness: Arc<H>,
) {
    let store = harness.store();
    for _ in 0..CROWD {
        assert_created(Entry::fresh(store).create(b"cart", steps(&*harness, 1)).await);
    }
    // They expire last, so a store that clears away in order comes to them last.
    let [loaded, extended, updated, removed, created] =
        std::array::from_fn(|_| Entry::fresh(store));
    let mut seen = Vec::new();
    for entry in [&loaded, &extended, &updated, &removed, &created] {
        seen.push(assert_created(entry.create(b"cart", steps(&*harness, 2)).await));
    }
    pass_steps(&*harness, 2).await;

    assert_absent(loaded.load().await);
    assert_absent(extended.extend(LONG).await);
    assert_gone(updated.update(b"hat", LONG, &seen[2]).await);
    assert_nothing_removed(removed.remove().await);
    assert_created(created.create(b"hat", LONG).await);

    for entry in [&loaded, &extended, &updated, &removed] {
        assert_absent(entry.load().await);
    }
    assert_holds(created.load().await, b"hat");
}

fn millis(millis: u64) -> Ttl {
    Ttl::from_millis(millis).expect("a time to live")
}

/// Checks that a record lives for `ttl`, whichever operation gave it.
async fn assert_kept(harness: &impl Harness, ttl: Ttl) {
    let time = harness.time();
    if time == Time::ByHand {
        assert_kept_to_the_millisecond(harness, ttl).await;
    } else {
        let lives = Lives::start(harness, ttl, Duration::ZERO).await;
        if time.can_pass(ttl) {
            lives.assert_found().await;
            harness.pass(ttl.as_duration()).await;
            lives.assert_over().await;
        } else {
            pass_steps(harness, 1).await;
            lives.assert_found().await;
            lives.end().await;
        }
    }
}

async fn assert_kept_to_the_millisecond(harness: &impl Harness, ttl: Ttl) {
    let last = Ttl::MIN.as_duration();
    let lives = Lives::start(harness, ttl, ttl.as_duration() / 2).await;
    harness.pass(ttl.as_duration() - last).await;
    lives.assert_found().await;
    harness.pass(last).await;
    lives.assert_over().await;
}

/// Three records with the same time to live, each given by another operation.
struct Lives<'a, S> {
    records: [(Entry<'a, S>, Life); 3],
}

impl<'a, S: Store> Lives<'a, S> {
    /// The record that is extended gets that order when `age` has passed.
    async fn start<H: Harness<Store = S>>(harness: &'a H, ttl: Ttl, age: Duration) -> Self {
        let [extended, created, updated] = std::array::from_fn(|_| Entry::fresh(harness.store()));
        let first_life = Life::starts(harness, ttl);
        assert_created(extended.create(b"cart", ttl).await);
        if !age.is_zero() {
            harness.pass(age).await;
        }

        let extended_life = Life::starts(harness, ttl);
        if let Ok(found) = first_life.within(extended.extend(ttl).await) {
            assert_holds(found, b"cart");
        }
        let created_life = Life::starts(harness, ttl);
        assert_created(created.create(b"cart", ttl).await);
        let seen = assert_created(updated.create(b"cart", LONG).await);
        let updated_life = Life::starts(harness, ttl);
        assert_updated(updated.update(b"cart", ttl, &seen).await);
        let records = [(extended, extended_life), (created, created_life), (updated, updated_life)];
        Self { records }
    }

    /// A millisecond may be over before a server is asked again; then there is
    /// nothing to check.
    async fn assert_found(&self) {
        for (entry, life) in &self.records {
            if let Ok(found) = life.within(entry.load().await) {
                assert_holds(found, b"cart");
            }
        }
    }

    async fn assert_over(&self) {
        for (entry, _) in &self.records {
            assert_absent(entry.load().await);
        }
    }

    async fn end(&self) {
        for (entry, _) in &self.records {
            entry.remove().await;
        }
    }
}
