//! Where the time comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ttl::Ttl;

/// Tells the time: the system's, or one that a test moves forward by hand.
///
/// Clones of a manual clock share their time, so a test gives one clone to the
/// store, one to the configuration, and keeps one to call
/// [`advance`](Self::advance).
///
/// # Default
///
/// The system's clock.
///
/// # Example
///
/// ```
/// use cloakroom::Clock;
/// use std::time::Duration;
///
/// let clock = Clock::manual();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), before + Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Milliseconds since the Unix epoch; the system's clock where absent.
    manual: Option<Arc<AtomicU64>>,
}

/// The latest time of a clock, in the year 10888: so long before the latest one that the
/// six bytes in a record can hold that a session which begins then has an end.
const LATEST: u64 = (1 << 48) - 1 - Ttl::MAX.as_millis();

impl Clock {
    /// The system's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self { manual: None }
    }

    /// Whether this is the system's clock.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        self.manual.is_none()
    }

    /// A clock that starts at the current time and then stands still until
    /// [`advance`](Self::advance) is called.
    #[must_use]
    pub fn manual() -> Self {
        let start = Self::system().unix_millis();
        Self { manual: Some(Arc::new(AtomicU64::new(start))) }
    }

    /// Moves a manual clock, and all its clones, forward by `time`, which
    /// counts in whole milliseconds. It stops in the year 10888: a record can hold no end
    /// of a session that begins later.
    ///
    /// The system's clock cannot be moved: nothing happens.
    pub fn advance(&self, time: Duration) {
        if let Some(millis) = &self.manual {
            let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let later = |now: u64| Some(now.saturating_add(time).min(LATEST));
            let _ = millis.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.unix_millis())
    }

    /// The time now, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_millis(&self) -> u64 {
        match &self.manual {
            Some(millis) => millis.load(Ordering::SeqCst),
            // A system set to before 1970 counts as 1970.
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| {
                    let whole = since.as_secs().saturating_mul(1_000);
                    whole.saturating_add(since.subsec_millis().into())
                })
                .min(LATEST),
        }
    }
}
