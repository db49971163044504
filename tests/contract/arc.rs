//! A store behind an `Arc`.

use std::sync::Arc;
use std::time::Duration;

use cloakroom::contract::{Harness, Time};
use cloakroom::store::Create;
use cloakroom::{Clock, IdLength, Key, KeyPrefix, Memory, SessionId, Store, Sweep, Ttl};

struct Shared {
    clock: Clock,
    store: Arc<Memory>,
    second: Arc<Memory>,
}

impl Shared {
    fn new() -> Self {
        let clock = Clock::manual();
        let store = Arc::new(Memory::new().clock(clock.clone()));
        Self { clock, second: store.clone(), store }
    }
}

impl Harness for Shared {
    type Store = Arc<Memory>;

    fn store(&self) -> &Arc<Memory> {
        &self.store
    }

    fn second(&self) -> &Arc<Memory> {
        &self.second
    }

    fn time(&self) -> Time {
        Time::ByHand
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

cloakroom::store_contract!(Shared::new());

#[tokio::test]
async fn a_shared_store_is_swept() {
    let shared = Shared::new();
    let key = Key::hashed(
        &KeyPrefix::default(),
        "id",
        &SessionId::generate(IdLength::default()).expect("an id"),
    );
    let made = shared.store.create(&key, b"data", Ttl::minutes(1)).await;
    assert!(matches!(made, Ok(Create::Created(_))));
    assert_eq!(shared.second.len(), 1);

    shared.clock.advance(Duration::from_secs(61));
    assert_eq!(Sweep::sweep(&shared.second).await, Ok(1));
    assert!(shared.store.is_empty());
}
