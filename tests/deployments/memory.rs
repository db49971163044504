//! The matrix in memory.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::{Clock, Memory};

use crate::programs::Place;

/// The store keeps time by the clock that the test moves.
pub(crate) struct InMemory(Arc<Memory>);

impl Place for InMemory {
    type Store = Memory;

    async fn prepare(clock: &Clock, _: &str) -> Self {
        Self(Arc::new(Memory::new().clock(clock.clone())))
    }

    fn store(&self) -> &Arc<Memory> {
        &self.0
    }

    async fn pass(&self, _: Duration) {}
}

crate::matrix::matrix!(InMemory);
