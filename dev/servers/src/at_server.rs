//! A store at a server, as a harness for the contract.

use std::time::Duration;

use cloakroom::Writable;
use cloakroom::contract::{self, Harness, Time};

/// Two ways to the same records, at a server whose time cannot be moved.
pub struct AtServer<S> {
    pub store: S,
    pub second: S,
    servers_clock: Duration,
    patience: Duration,
}

impl<S> AtServer<S> {
    /// `servers_clock` is how coarsely the server counts.
    pub async fn connect(servers_clock: Duration, connect: impl AsyncFn() -> S) -> Self {
        let (store, second) = (connect().await, connect().await);
        Self { store, second, servers_clock, patience: Duration::from_secs(3) }
    }

    /// The rules count in thirds of it, which have to be longer than the clock is
    /// coarse.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

impl<S: Writable> Harness for AtServer<S> {
    type Store = S;

    fn store(&self) -> &S {
        &self.store
    }

    fn second(&self) -> &S {
        &self.second
    }

    fn time(&self) -> Time {
        Time::Real { patience: self.patience }
    }

    async fn pass(&self, time: Duration) {
        contract::wait(time + self.servers_clock).await;
    }
}
