//! Requests that have met a conflict queue: n changes at once cost the store a few
//! calls each, and a request that goes away while others wait keeps none of them waiting.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use cloakroom::{Config, Key, Memory, MessagePack, Session, Sessions, Unsigned};
use http::HeaderMap;
use tokio::task::{JoinSet, yield_now};

use crate::bank::{ADA, Bank, after_response};
use crate::schedule::{Process, drop_after, finish, in_every_order};
use crate::support::watched::{Fault, Op, Watch, Watched};

/// So many requests change one session at the same time.
const MANY: usize = 100;
/// To open it, to try once, to load it again, to try once more: and some to spare.
const CALLS_EACH: usize = 6;

/// Counts the calls, each of which takes a while.
#[derive(Default)]
struct Tally {
    calls: AtomicUsize,
}

impl Watch for Tally {
    async fn before(&self, _: Op, _: &Key) -> Result<(), Fault> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        yield_now().await;
        Ok(())
    }

    async fn after(&self) {
        yield_now().await;
    }
}

type Bag = BTreeMap<String, usize>;
type Bags = Sessions<Watched<Tally>, MessagePack<Bag>, Unsigned>;
type BagSession = Session<Watched<Tally>, MessagePack<Bag>, Unsigned>;

/// Lets many requests open one session, change it and close it, and hands out what
/// it holds in the end, and the number of calls.
async fn many<F>(request: impl Fn(Bags, HeaderMap, usize) -> F) -> (Bag, usize)
where
    F: Future<Output = ()> + Send + 'static,
{
    let store = Watched::new(Memory::new(), Tally::default());
    let bags = Config::new().store(store.clone()).codec(MessagePack::<Bag>::new()).build();
    let mut first = bags.open(&HeaderMap::new()).await.expect("opened");
    first.insert("count".to_owned(), 0);
    let mut response = HeaderMap::new();
    first.close(&mut response).await.expect("closed");
    let headers = after_response(HeaderMap::new(), &response);

    store.watch.calls.store(0, Ordering::Relaxed);
    let mut requests = JoinSet::new();
    for number in 0..MANY {
        requests.spawn(request(bags.clone(), headers.clone(), number));
    }
    requests.join_all().await;
    let calls = store.watch.calls.load(Ordering::Relaxed);
    let end: BagSession = bags.open(&headers).await.expect("opened");
    (Bag::clone(&end), calls)
}

async fn insert(bags: Bags, headers: HeaderMap, number: usize) {
    let mut bag = bags.open(&headers).await.expect("opened");
    bag.insert(number.to_string(), number);
    bag.close(&mut HeaderMap::new()).await.expect("closed");
}

async fn count(bags: Bags, headers: HeaderMap, _: usize) {
    let mut bag = bags.open(&headers).await.expect("opened");
    bag.update(|bag| *bag.entry("count".to_owned()).or_default() += 1).await.expect("updated");
}

#[tokio::test]
async fn a_hundred_saves_at_once_cost_the_store_at_most_six_calls_each() {
    let (bag, calls) = many(insert).await;
    assert_eq!(bag.len(), MANY + 1);
    assert!(calls <= MANY * CALLS_EACH, "{calls} calls");
}

#[tokio::test]
async fn a_hundred_updates_at_once_cost_the_store_at_most_six_calls_each() {
    let (bag, calls) = many(count).await;
    assert_eq!(bag["count"], MANY);
    assert!(calls <= MANY * CALLS_EACH, "{calls} calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_several_threads_a_hundred_changes_cost_at_most_six_calls_each() {
    for _ in 0..20 {
        let ((bag, saves), (count, updates)) = (many(insert).await, many(count).await);
        assert_eq!((bag.len(), count["count"]), (MANY + 1, MANY));
        assert!(saves.max(updates) <= MANY * CALLS_EACH, "{saves} and {updates} calls");
    }
}

async fn visit(bank: Bank, headers: HeaderMap) {
    let mut session = bank.sessions.open(&headers).await.expect("opened");
    session.update(|account| account.visits += 1).await.expect("updated");
}

/// Is polled, whether woken or not, `polls` times, then drops the future.
async fn hang_up(mut polls: usize, future: impl Future<Output = ()>) {
    let mut future: Option<Pin<Box<_>>> = Some(Box::pin(future));
    std::future::poll_fn(|cx| match &mut future {
        Some(running) if polls > 0 => {
            polls -= 1;
            cx.waker().wake_by_ref();
            running.as_mut().poll(cx)
        }
        _ => {
            future = None;
            Poll::Ready(())
        }
    })
    .await;
}

#[test]
fn a_request_that_hangs_up_keeps_none_waiting_and_undoes_nothing() {
    for polls in 2..=6 {
        let start = || {
            let bank = Bank::new(1, 0);
            let ada = bank.ada();
            let visits: Vec<Process<()>> = vec![
                Box::pin(hang_up(polls, visit(bank.clone(), ada.clone()))),
                Box::pin(visit(bank.clone(), ada.clone())),
                Box::pin(visit(bank.clone(), ada.clone())),
            ];
            ((bank, ada), visits)
        };
        in_every_order(start, |(bank, ada), _, schedule| {
            let account = bank.account(&ada).expect("a session");
            assert!(account.user == ADA && (2..=3).contains(&account.visits), "{schedule:?}");
        });
    }
}

#[test]
fn a_closure_that_panics_when_it_is_tried_again_keeps_no_request_waiting() {
    let bank = Bank::new(1, 1);
    let ada = bank.ada();
    let [mut panicking, mut other] = [bank.open(&ada), bank.open(&ada)];
    finish(visit(bank.clone(), ada.clone()));

    let runs = Arc::new(AtomicUsize::new(0));
    let again = || match runs.fetch_add(1, Ordering::Relaxed) {
        0 => {}
        _ => panic!("tried again"),
    };
    let update = panicking.update(|account| {
        account.visits += 1;
        again();
    });
    assert!(catch_unwind(AssertUnwindSafe(|| finish(update))).is_err());
    let visits = finish(other.update(|account| {
        account.visits += 1;
        account.visits
    }));
    assert_eq!(visits.expect("updated"), 2);
}

#[test]
fn only_a_change_that_has_met_a_conflict_waits() {
    let bank = Bank::new(1, 1);
    let ada = bank.ada();
    let [mut slow, mut other] = [bank.open(&ada), bank.open(&ada)];
    finish(visit(bank.clone(), ada.clone()));

    // It has had its conflict, and loads the session again.
    let mut waiting = Box::pin(slow.update(|account| account.visits += 1));
    assert!(drop_after(4, waiting.as_mut()).is_none());
    finish(visit(bank.clone(), ada.clone()));
    // It meets one, and waits in the queue, however often it is polled.
    let mut next = Box::pin(other.update(|account| account.visits += 1));
    assert!(drop_after(100, next.as_mut()).is_none());
    finish(waiting).expect("updated");
    finish(next).expect("updated");
    assert_eq!(bank.account(&ada).expect("a session").visits, 4);
}
