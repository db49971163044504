//! The parts of the rules: operations that panic on a fault, and checks of their
//! answers.

use std::time::{Duration, Instant};

use super::{Harness, Time};
use crate::id::{IdLength, SessionId};
use crate::store::{Create, Key, KeyPrefix, Loaded, Record, Store, Update};
use crate::ttl::Ttl;

/// The time to live where a rule is not about time.
pub(super) const LONG: Ttl = Ttl::hours(12);

/// How often a rule that came too late is tried again.
const ATTEMPTS: usize = 5;

/// By how much a store may be early because it counts whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

/// One key, through one handle of the store.
pub(super) struct Entry<'a, S> {
    store: &'a S,
    pub(super) key: Key,
}

impl<'a, S: Store> Entry<'a, S> {
    /// A key that no other rule uses.
    pub(super) fn fresh(store: &'a S) -> Self {
        Self::of(store, Key::hashed(&prefix("contract:"), "id", &id(IdLength::default())))
    }

    pub(super) fn of(store: &'a S, key: Key) -> Self {
        Self { store, key }
    }

    pub(super) async fn load(&self) -> Loaded<S> {
        fault_free("load", self.store.load(&self.key, None).await)
    }

    pub(super) async fn extend(&self, ttl: Ttl) -> Loaded<S> {
        fault_free("load with an extension", self.store.load(&self.key, Some(ttl)).await)
    }

    pub(super) async fn create(&self, value: &[u8], ttl: Ttl) -> Create<S::Revision> {
        fault_free("create", self.store.create(&self.key, value, ttl).await)
    }

    pub(super) async fn update(
        &self,
        value: &[u8],
        ttl: Ttl,
        seen: &S::Revision,
    ) -> Update<S::Revision> {
        fault_free("update", self.store.update(&self.key, value, ttl, seen).await)
    }

    pub(super) async fn remove(&self) -> Option<S::Value> {
        fault_free("remove", self.store.remove(&self.key).await)
    }
}

pub(super) fn prefix(text: impl Into<String>) -> KeyPrefix {
    KeyPrefix::new(text).expect("a prefix of a rule is short and visible")
}

pub(super) fn id(length: IdLength) -> SessionId {
    SessionId::generate(length).expect("the system has randomness")
}

pub(super) fn fault_free<T, E: std::error::Error>(operation: &str, answer: Result<T, E>) -> T {
    answer.unwrap_or_else(|fault| panic!("{operation} answers with a fault: {fault:?}"))
}

#[track_caller]
pub(super) fn assert_created<R>(answer: Create<R>) -> R {
    match answer {
        Create::Created(revision) => revision,
        Create::KeyTaken => panic!("create answers KeyTaken where no record is"),
    }
}

#[track_caller]
pub(super) fn assert_taken<R>(answer: Create<R>) {
    assert!(matches!(answer, Create::KeyTaken), "create answers Created where a record is");
}

#[track_caller]
pub(super) fn assert_updated<R>(answer: Update<R>) -> R {
    match answer {
        Update::Updated(revision) => revision,
        Update::Conflict => panic!("update answers Conflict to the latest revision"),
        Update::Gone => panic!("update answers Gone where a record is"),
    }
}

#[track_caller]
pub(super) fn assert_conflict<R>(answer: Update<R>) {
    match answer {
        Update::Updated(_) => panic!("update accepts an old revision"),
        Update::Conflict => {}
        Update::Gone => panic!("update answers Gone where a record is"),
    }
}

/// Whether the update was accepted, where the store may also refuse it.
#[track_caller]
pub(super) fn was_updated<R>(answer: &Update<R>) -> bool {
    match answer {
        Update::Updated(_) => true,
        Update::Conflict => false,
        Update::Gone => panic!("update answers Gone where a record is"),
    }
}

#[track_caller]
pub(super) fn assert_gone<R>(answer: Update<R>) {
    match answer {
        Update::Updated(_) => panic!("update answers Updated where no record is"),
        Update::Conflict => panic!("update answers Conflict where no record is"),
        Update::Gone => {}
    }
}

/// A record with any value.
#[track_caller]
pub(super) fn assert_there<V, R>(found: Option<Record<V, R>>) -> Record<V, R> {
    found.expect("the record is there")
}

#[track_caller]
pub(super) fn assert_holds<V: AsRef<[u8]>, R>(found: Option<Record<V, R>>, value: &[u8]) -> R {
    let record = assert_there(found);
    assert_same(record.value.as_ref(), value);
    record.revision
}

#[track_caller]
pub(super) fn assert_absent<V: AsRef<[u8]>, R>(found: Option<Record<V, R>>) {
    if let Some(record) = found {
        panic!("no record is there, but load gives {}", shown(record.value.as_ref()));
    }
}

#[track_caller]
pub(super) fn assert_handed_out(removed: Option<impl AsRef<[u8]>>, value: &[u8]) {
    assert_same(removed.expect("remove hands out the bytes").as_ref(), value);
}

#[track_caller]
pub(super) fn assert_nothing_removed(removed: Option<impl AsRef<[u8]>>) {
    if let Some(value) = removed {
        panic!("no record is there, but remove hands out {}", shown(value.as_ref()));
    }
}

#[track_caller]
pub(super) fn assert_same(found: &[u8], value: &[u8]) {
    assert!(found == value, "the record is {}, not {}", shown(found), shown(value));
}

fn shown(value: &[u8]) -> String {
    let beginning = &value[..value.len().min(32)];
    format!("{} bytes that begin with \"{}\"", value.len(), beginning.escape_ascii())
}

/// A time to live of so many steps, where `pass_steps` can let a step pass.
pub(super) fn steps(harness: &impl Harness, n: u32) -> Ttl {
    Ttl::try_from(harness.time().step() * n).expect("a few steps are a time to live")
}

pub(super) fn half_a_step(harness: &impl Harness) -> Ttl {
    let half = harness.time().step() / 2;
    Ttl::try_from(half.max(Ttl::MIN.as_duration())).expect("less than a step is a time to live")
}

pub(super) async fn pass_steps(harness: &impl Harness, n: u32) {
    harness.pass(harness.time().step() * n).await;
}

impl Time {
    /// The time that rules count in. No rule passes more than three at once.
    fn step(self) -> Duration {
        match self {
            Self::ByHand => Duration::from_secs(60 * 60),
            Self::Real { patience } => (patience / 3).max(Duration::from_millis(1)),
        }
    }

    pub(super) fn can_pass(self, ttl: Ttl) -> bool {
        match self {
            Self::ByHand => true,
            Self::Real { patience } => ttl.as_duration() <= patience,
        }
    }

    /// How long a rule may take.
    pub(super) fn limit(self) -> Duration {
        match self {
            Self::ByHand => Duration::from_secs(120),
            Self::Real { patience } => Duration::from_secs(120) + patience * 20,
        }
    }
}

/// The time that a record has at least, counted from before the store was asked
/// for it.
pub(super) struct Life {
    since: Instant,
    time: Time,
    pub(super) ttl: Ttl,
}

/// The answer came when the record's time may have been over, so it says
/// nothing.
pub(super) struct TooLate;

impl Life {
    pub(super) fn starts(harness: &impl Harness, ttl: Ttl) -> Self {
        Self { since: Instant::now(), time: harness.time(), ttl }
    }

    /// What the store answered, if it did so while the record was surely there.
    pub(super) fn within<T>(&self, answer: T) -> Result<T, TooLate> {
        if self.may_be_over() { Err(TooLate) } else { Ok(answer) }
    }

    fn may_be_over(&self) -> bool {
        self.time != Time::ByHand && self.since.elapsed() + ROUNDING >= self.ttl.as_duration()
    }
}

/// Runs a check, and repeats it when the machine was too slow for it to say
/// anything.
pub(super) async fn in_time<F>(check: impl Fn() -> F + Send)
where
    F: Future<Output = Result<(), TooLate>> + Send,
{
    for _ in 0..ATTEMPTS {
        if check().await.is_ok() {
            return;
        }
    }
    panic!("the store is too slow for its harness: give it more patience");
}
