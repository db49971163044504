//! Polling by hand: to the end, to some point, or in every possible order.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// More polls than any future here takes.
const MANY: usize = 10_000;

/// Is pending once.
pub(crate) fn yield_once() -> impl Future<Output = ()> + Send {
    let mut is_first = true;
    std::future::poll_fn(move |cx| {
        if std::mem::take(&mut is_first) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
}

/// Polls a future to its end.
pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    drop_after(MANY, future).expect("the future comes to an end")
}

/// Polls a future at most `polls` times, then drops it: `None` when it was not
/// ready by then.
pub(crate) fn drop_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    (0..polls).find_map(|_| match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Calls `trial` with 0, 1, 2, .. polls until it says that its future was ready
/// in that many.
pub(crate) fn drop_everywhere(mut trial: impl FnMut(usize) -> bool) {
    let ready = (0..MANY).find(|&polls| trial(polls)).expect("the future comes to an end");
    assert!(ready > 2, "there was nothing to interrupt");
}

pub(crate) type Process<T> = Pin<Box<dyn Future<Output = T>>>;

/// Runs the processes that `start` makes in every order in which their awaits
/// can follow each other. One that waits for another is polled again only when it
/// was woken. `check` gets what they said, in the order in which they ended, and
/// the schedule: which of those that could move did so at each step.
pub(crate) fn in_every_order<W, T>(
    start: impl Fn() -> (W, Vec<Process<T>>),
    check: impl Fn(W, Vec<T>, &[usize]),
) {
    let mut schedule = Vec::new();
    for orders in 1.. {
        let (world, processes) = start();
        let (said, taken) = run(processes, |step, _| schedule.get(step).copied().unwrap_or(0));
        schedule = taken.iter().map(|step| step.moved).collect();
        check(world, said, &schedule);
        if !advance(&mut schedule, &taken) {
            assert!(orders >= 10, "the processes hardly met");
            return;
        }
    }
}

pub(crate) struct Step {
    pub(crate) moved: usize,
    movable: usize,
}

/// A process, and whether it was woken since it was polled.
struct Sleeper<T> {
    process: Process<T>,
    alarm: Arc<Alarm>,
}

struct Alarm {
    rang: AtomicBool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rang.store(true, Ordering::Relaxed);
    }
}

impl<T> Sleeper<T> {
    fn new(process: Process<T>) -> Self {
        Self { process, alarm: Arc::new(Alarm { rang: AtomicBool::new(true) }) }
    }

    fn is_awake(&self) -> bool {
        self.alarm.rang.load(Ordering::Relaxed)
    }

    fn poll(&mut self) -> Poll<T> {
        self.alarm.rang.store(false, Ordering::Relaxed);
        let waker = Waker::from(self.alarm.clone());
        self.process.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Runs the processes; `choose` says which of those that can move does so, from the number
/// of the step and theirs.
pub(crate) fn run<T>(
    processes: Vec<Process<T>>,
    mut choose: impl FnMut(usize, usize) -> usize,
) -> (Vec<T>, Vec<Step>) {
    let mut said = Vec::new();
    let mut taken = Vec::new();
    let mut sleepers: Vec<_> = processes.into_iter().map(Sleeper::new).collect();
    while !sleepers.is_empty() {
        let awake = || sleepers.iter().enumerate().filter(|(_, sleeper)| sleeper.is_awake());
        let movable = awake().count();
        let moved = choose(taken.len(), movable);
        taken.push(Step { moved, movable });
        assert!(taken.len() < MANY, "the processes go on for ever");
        let (at, _) = awake().nth(moved).expect("the processes wait for each other");
        if let Poll::Ready(output) = sleepers[at].poll() {
            said.push(output);
            drop(sleepers.remove(at));
        }
    }
    (said, taken)
}

/// The next schedule in lexical order; `false` when this was the last.
fn advance(schedule: &mut Vec<usize>, taken: &[Step]) -> bool {
    let Some(at) = taken.iter().rposition(|step| step.moved + 1 < step.movable) else {
        return false;
    };
    schedule.truncate(at + 1);
    schedule[at] += 1;
    true
}
