//! `Memory`, in three ways.

use std::num::NonZeroUsize;
use std::time::Duration;

use cloakroom::contract::{self, Harness, Time};
use cloakroom::{Clock, Memory};

struct InMemory {
    /// A clock that is moved by hand, where the store has one.
    clock: Option<Clock>,
    store: Memory,
    second: Memory,
}

impl InMemory {
    fn new(store: Memory) -> Self {
        let clock = Clock::manual();
        let store = store.clock(clock.clone());
        Self { clock: Some(clock), second: store.clone(), store }
    }

    fn on_the_systems_clock() -> Self {
        let store = Memory::new();
        Self { clock: None, second: store.clone(), store }
    }
}

impl Harness for InMemory {
    type Store = Memory;

    fn store(&self) -> &Memory {
        &self.store
    }

    fn second(&self) -> &Memory {
        &self.second
    }

    fn time(&self) -> Time {
        let patience = Duration::from_millis(300);
        if self.clock.is_some() { Time::ByHand } else { Time::Real { patience } }
    }

    async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => contract::wait(time).await,
        }
    }
}

mod many_shards {
    use super::*;

    cloakroom::store_contract!(InMemory::new(Memory::new()));
}

/// Expired records pile up in one shard, so some are still there when they are
/// asked for.
mod one_shard {
    use super::*;

    const CAPACITY: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");

    cloakroom::store_contract!(InMemory::new(Memory::with_capacity(CAPACITY)));
}

/// As a store at a server, whose time cannot be moved.
mod real_time {
    use super::*;

    cloakroom::store_contract!(InMemory::on_the_systems_clock());
}
