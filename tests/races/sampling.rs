//! Some of the orders in which many processes can meet.

use crate::schedule::{Process, run};

/// As [`in_every_order`](crate::schedule::in_every_order), in so many orders, for processes
/// that meet in too many. They are the same at every run of the test.
pub(crate) fn in_sampled_orders<W, T>(
    orders: u64,
    start: impl Fn(&mut Dice) -> (W, Vec<Process<T>>),
    check: impl Fn(W, Vec<T>, &[usize]),
) {
    for order in 0..orders {
        let mut dice = Dice(order);
        let (world, processes) = start(&mut dice);
        let (said, taken) = run(processes, |_, movable| dice.below(movable));
        let schedule: Vec<_> = taken.iter().map(|step| step.moved).collect();
        check(world, said, &schedule);
    }
}

/// Numbers that look random, from a seed (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit.max(1) as u64) as usize
    }
}
