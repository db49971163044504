//! Polling by hand: to the end, to some point, or in every possible order.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

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
/// can follow each other. `check` gets what they said, in the order in which
/// they ended, and the schedule: which of the unfinished ones moved at each step.
pub(crate) fn in_every_order<W, T>(
    start: impl Fn() -> (W, Vec<Process<T>>),
    check: impl Fn(W, Vec<T>, &[usize]),
) {
    let mut schedule = Vec::new();
    for orders in 1.. {
        let (world, processes) = start();
        let (said, taken) = run(processes, &schedule);
        schedule = taken.iter().map(|step| step.moved).collect();
        check(world, said, &schedule);
        if !advance(&mut schedule, &taken) {
            assert!(orders >= 10, "the processes hardly met");
            return;
        }
    }
}

struct Step {
    moved: usize,
    unfinished: usize,
}

fn run<T>(mut processes: Vec<Process<T>>, schedule: &[usize]) -> (Vec<T>, Vec<Step>) {
    let mut said = Vec::new();
    let mut taken = Vec::new();
    while !processes.is_empty() {
        let moved = schedule.get(taken.len()).copied().unwrap_or(0);
        taken.push(Step { moved, unfinished: processes.len() });
        assert!(taken.len() < MANY, "the processes block each other");
        let process = processes[moved].as_mut();
        if let Poll::Ready(output) = process.poll(&mut Context::from_waker(Waker::noop())) {
            said.push(output);
            drop(processes.remove(moved));
        }
    }
    (said, taken)
}

/// The next schedule in lexical order; `false` when this was the last.
fn advance(schedule: &mut Vec<usize>, taken: &[Step]) -> bool {
    let Some(at) = taken.iter().rposition(|step| step.moved + 1 < step.unfinished) else {
        return false;
    };
    schedule.truncate(at + 1);
    schedule[at] += 1;
    true
}
