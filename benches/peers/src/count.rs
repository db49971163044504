//! Counting allocations.
//!
//! The counter replaces the allocator and slows it down, so it is linked only
//! into a program of its own, which installs it for the code that both share.

use std::sync::OnceLock;

/// What some code allocated and did not give back.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    pub allocations: u64,
    pub bytes_kept: i64,
}

type Counter = fn(&mut dyn FnMut()) -> Allocated;

static COUNTER: OnceLock<Counter> = OnceLock::new();

/// Sets the counter of this program.
pub fn install(counter: Counter) {
    COUNTER.set(counter).expect("one counter");
}

/// The allocations of this thread while it runs `code`; a buffer that grows
/// counts as one more.
pub fn allocations(mut code: impl FnMut()) -> u64 {
    count(&mut code).allocations
}

/// The bytes that `code` asked for and did not give back.
pub fn bytes_kept(mut code: impl FnMut()) -> i64 {
    count(&mut code).bytes_kept
}

fn count(code: &mut dyn FnMut()) -> Allocated {
    COUNTER.get().expect("this program does not count")(code)
}
