//! A fair queue per key: after a conflict, the requests for one session queue.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::store::Key;

/// Holds the requests of this process that lost a conflict and try again. Requests for
/// one key go one after the other, in the order of their first conflict. Requests for
/// different keys do not wait for each other.
///
/// Without it, n requests that change one session at once would all try again
/// whenever one of them succeeds: n² store calls.
#[derive(Default)]
pub(crate) struct Queue {
    hasher: RandomState,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The places of all queues. In each queue, the least number is first. `None` while
    /// no task waits at the place.
    places: BTreeMap<Place, Option<Waker>>,
    numbers: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The hash of the key. Two keys that share one only wait longer.
    queue: u64,
    number: u64,
}

/// A place in a queue. Dropping it leaves the queue.
///
/// A task that holds a place never waits for a second one.
pub(crate) struct Queued<'a> {
    queue: &'a Queue,
    place: Place,
}

impl Queue {
    /// Waits until every earlier request for the same key has left the queue.
    pub(crate) async fn wait(&self, key: &Key) -> Queued<'_> {
        let queued = self.enter(key);
        poll_fn(|cx| queued.poll(cx)).await;
        queued
    }

    fn enter(&self, key: &Key) -> Queued<'_> {
        let queue = self.hasher.hash_one(key);
        let mut waiting = self.waiting();
        let place = Place { queue, number: waiting.numbers };
        waiting.numbers += 1;
        waiting.places.insert(place, None);
        Queued { queue: self, place }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn first(&mut self, queue: u64) -> Option<(Place, &mut Option<Waker>)> {
        let all = Place { queue, number: 0 }..=Place { queue, number: u64::MAX };
        self.places.range_mut(all).next().map(|(place, waker)| (*place, waker))
    }
}

impl Queued<'_> {
    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        // Making, calling or dropping a waker runs an executor's code: never under the
        // lock.
        let mut waker = Some(cx.waker().clone());
        let mut no_waker = None;
        let mut waiting = self.queue.waiting();
        let is_first = waiting.first(self.place.queue).is_none_or(|(first, _)| first == self.place);
        if let Some(kept) = waiting.places.get_mut(&self.place) {
            mem::swap(kept, if is_first { &mut no_waker } else { &mut waker });
        }
        drop(waiting);
        if is_first { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.waiting();
        let mine = waiting.places.remove(&self.place);
        // A place that was first before has no waker any more.
        let next = waiting.first(self.place.queue).and_then(|(_, waker)| waker.take());
        drop(waiting);
        drop(mine);
        if let Some(next) = next {
            next.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Bell {
        rang: AtomicUsize,
    }

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.rang.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Waiter<'a> {
        queued: Queued<'a>,
        bell: Arc<Bell>,
    }

    impl Queue {
        fn waiter(&self, key: &str) -> Waiter<'_> {
            let key = Key::from_text(key.as_bytes()).expect("a key");
            Waiter { queued: self.enter(&key), bell: Arc::default() }
        }
    }

    impl Waiter<'_> {
        fn has_its_turn(&self) -> bool {
            let waker = Waker::from(self.bell.clone());
            self.queued.poll(&Context::from_waker(&waker)).is_ready()
        }

        fn rang(&self) -> usize {
            self.bell.rang.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn those_of_one_key_go_in_the_order_in_which_they_came() {
        let queue = Queue::default();
        let [first, second, third] = ["a"; 3].map(|key| queue.waiter(key));
        assert!(!third.has_its_turn() && !second.has_its_turn() && first.has_its_turn());
        drop(first);
        assert_eq!((second.rang(), third.rang()), (1, 0));
        assert!(!third.has_its_turn() && second.has_its_turn() && second.has_its_turn());
        drop(second);
        assert_eq!(third.rang(), 1);
        assert!(third.has_its_turn());
    }

    #[test]
    fn those_of_other_keys_do_not_wait() {
        let queue = Queue::default();
        let waiters = ["a", "b", "c"].map(|key| queue.waiter(key));
        assert!(waiters.iter().all(Waiter::has_its_turn));
    }

    #[test]
    fn a_turn_goes_on_to_the_next_when_its_owner_is_dropped_unpolled() {
        let queue = Queue::default();
        let [first, second, third, fourth] = ["a"; 4].map(|key| queue.waiter(key));
        assert!(!second.has_its_turn() && !fourth.has_its_turn());
        drop(first);
        assert_eq!(second.rang(), 1);
        // It was woken, and goes away instead; the one behind it has not asked yet.
        drop(second);
        assert!(third.has_its_turn());
        drop(third);
        assert_eq!(fourth.rang(), 1);
    }

    #[test]
    fn a_place_given_up_in_the_middle_wakes_no_task() {
        let queue = Queue::default();
        let [first, second, third] = ["a"; 3].map(|key| queue.waiter(key));
        assert!(first.has_its_turn() && !second.has_its_turn() && !third.has_its_turn());
        drop(second);
        assert_eq!((first.rang(), third.rang()), (0, 0));
        drop(first);
        assert!(third.has_its_turn());
    }

    #[test]
    fn nothing_is_left_of_those_who_went() {
        let queue = Queue::default();
        let waiters = ["a", "b", "a"].map(|key| queue.waiter(key));
        let bell = waiters.each_ref().map(|waiter| waiter.bell.clone());
        assert_eq!(waiters.each_ref().map(Waiter::has_its_turn), [true, true, false]);
        drop(waiters);
        assert!(queue.waiting().places.is_empty());
        assert!(bell.iter().all(|bell| Arc::strong_count(bell) == 1));
    }
}
