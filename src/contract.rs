//! The rules that every [`Store`](crate::Store) keeps, as tests for a store of
//! your own.
//!
//! That no update is overwritten unseen, and that no session returns after logout,
//! rests on the store. A store that passes these tests can be trusted with that. Each rule is
//! a function that panics where the store breaks it, and each test is named after
//! its rule.
//!
//! # How to test a store
//!
//! 1. Switch the feature on for tests, in `Cargo.toml`:
//!
//!    ```toml
//!    [dev-dependencies]
//!    cloakroom = { version = "0.1", features = ["contract"] }
//!    ```
//!
//! 2. Write a [`Harness`], which makes the store and lets time pass, and name it
//!    in [`store_contract!`](crate::store_contract), in `tests/contract.rs`:
//!
//!    ```
//!    use std::time::Duration;
//!
//!    use cloakroom::contract::{Harness, Time};
//!    use cloakroom::{Clock, Memory};
//!
//!    struct InMemory {
//!        clock: Clock,
//!        store: Memory,
//!        second: Memory,
//!    }
//!
//!    impl InMemory {
//!        fn new() -> Self {
//!            let clock = Clock::manual();
//!            let store = Memory::new().clock(clock.clone());
//!            Self { clock, second: store.clone(), store }
//!        }
//!    }
//!
//!    impl Harness for InMemory {
//!        type Store = Memory;
//!
//!        fn store(&self) -> &Memory {
//!            &self.store
//!        }
//!
//!        fn second(&self) -> &Memory {
//!            &self.second
//!        }
//!
//!        fn time(&self) -> Time {
//!            Time::ByHand
//!        }
//!
//!        async fn pass(&self, time: Duration) {
//!            self.clock.advance(time);
//!        }
//!    }
//!
//!    cloakroom::store_contract!(InMemory::new());
//!    # // A documentation example holds no tests, so two rules are called by hand.
//!    # use cloakroom::contract::{self, expiry, records};
//!    # contract::run(async { InMemory::new() }, records::a_created_record_is_loaded_as_written);
//!    # contract::run(async { InMemory::new() }, expiry::a_time_to_live_of_400_days_is_kept);
//!    ```
//!
//! 3. `cargo test --test contract` lists the rules, and which of them the store
//!    breaks.
//!
//! # A store at a server
//!
//! Its time cannot be moved, so the harness really waits, and says for how long
//! at most. The rules use random keys, so the tests can share one server, and
//! the data that is on it stays as it is. What they leave there expires within a
//! day, unless the store fails its test.
//!
//! ```
//! use std::time::Duration;
//!
//! use cloakroom::contract::{self, Harness, Time};
//! # type MyStore = cloakroom::Memory;
//! # trait Connect { async fn connect(url: &str) -> Result<MyStore, std::fmt::Error>; }
//! # impl Connect for MyStore {
//! #     async fn connect(_: &str) -> Result<MyStore, std::fmt::Error> {
//! #         static SERVER: std::sync::LazyLock<MyStore> = std::sync::LazyLock::new(MyStore::new);
//! #         Ok(SERVER.clone())
//! #     }
//! # }
//!
//! struct AtServer {
//!     store: MyStore,
//!     second: MyStore,
//! }
//!
//! impl AtServer {
//!     async fn connect() -> Self {
//!         let url = "my://127.0.0.1";
//!         Self {
//!             store: MyStore::connect(url).await.expect("start the server first"),
//!             second: MyStore::connect(url).await.expect("start the server first"),
//!         }
//!     }
//! }
//!
//! impl Harness for AtServer {
//!     type Store = MyStore;
//!
//!     fn store(&self) -> &MyStore {
//!         &self.store
//!     }
//!
//!     fn second(&self) -> &MyStore {
//!         &self.second
//!     }
//!
//!     fn time(&self) -> Time {
//!         Time::Real { patience: Duration::from_secs(3) }
//!     }
//!
//!     async fn pass(&self, time: Duration) {
//!         contract::wait(time).await;
//!     }
//! }
//!
//! cloakroom::store_contract!(AtServer::connect().await);
//! # contract::run(
//! #     async { AtServer::connect().await },
//! #     contract::records::two_handles_see_each_others_writes,
//! # );
//! # contract::run(
//! #     async { AtServer::connect().await },
//! #     contract::expiry::a_time_to_live_of_1_millisecond_is_kept,
//! # );
//! ```

pub mod cancellation;
pub mod expiry;
pub mod keys;
pub mod races;
pub mod records;
pub mod revisions;
mod steps;
mod suite;
pub mod times;
pub mod values;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use crate::store::Writable;

/// Makes the store that is tested, and lets its time pass.
///
/// Every rule gets a harness of its own, so tests may run side by side. An
/// example is in the [module's documentation](self).
pub trait Harness: Send + Sync + 'static {
    /// The store.
    type Store: Writable;

    /// The store under test. The rules use random keys, so it need not be
    /// empty.
    fn store(&self) -> &Self::Store;

    /// The same records as another process would reach them: a store on the
    /// same directory, another connection to the same server.
    ///
    /// A store that one process has for itself gives a clone, or the same
    /// reference as [`store`](Self::store).
    fn second(&self) -> &Self::Store;

    /// How the time of the store goes on.
    fn time(&self) -> Time;

    /// Returns when at least this time has passed for the store.
    ///
    /// A store whose clock is coarser than a millisecond may keep a record for
    /// as much longer as its clock is coarse; its harness waits for that, too.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// How the time of a store goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Time {
    /// It stands still until [`Harness::pass`] moves it, by up to 400 days at
    /// once. The rules then check expiry to the millisecond.
    ByHand,

    /// It goes on by itself, and [`Harness::pass`] waits.
    Real {
        /// The longest time that a rule may wait for at once. With one second
        /// or more, every time to live up to a second is waited for; of longer
        /// ones it is only checked that the record is kept.
        ///
        /// Three seconds leave every check a second for what it asks of the
        /// store.
        patience: Duration,
    },
}

/// Runs a rule on a harness, on a runtime of its own with four threads.
///
/// # Panics
///
/// When the store breaks the rule, and when it keeps the rule waiting for
/// minutes.
pub fn run<H, R>(harness: impl Future<Output = H>, rule: impl FnOnce(Arc<H>) -> R)
where
    H: Harness,
    R: Future<Output = ()> + Send + 'static,
{
    let runtime = Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the system has threads for a runtime");
    let harness = Arc::new(runtime.block_on(harness));
    let limit = harness.time().limit();

    // In a task, so that a store that blocks its thread does not block this one.
    let rule = runtime.spawn(rule(harness));
    let ended = runtime.block_on(async { timeout(limit, rule).await });
    runtime.shutdown_background();
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(panic)) => resume_unwind(panic.into_panic()),
        Err(_) => panic!("the store keeps the rule waiting for more than {limit:?}"),
    }
}

/// Waits in real time: [`Harness::pass`] for a store whose time cannot be moved.
pub async fn wait(time: Duration) {
    sleep(time).await;
}
