//! Times to live as Memcached counts them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ttl::Ttl;

/// A larger number of seconds is a point in time.
const LONGEST_FROM_NOW: u64 = 30 * 24 * 60 * 60;

/// What stands in a command for a time to live: seconds from now up to 30 days,
/// beyond that seconds since 1970. Never 0, which is for ever.
#[derive(Clone, Copy)]
pub(super) struct Expiry(u64);

impl Expiry {
    pub(super) fn of(ttl: Ttl) -> Self {
        Self::counted(ttl, SystemTime::now())
    }

    fn counted(ttl: Ttl, now: SystemTime) -> Self {
        let seconds = rounded_up(ttl.as_millis());
        if seconds <= LONGEST_FROM_NOW {
            return Self(seconds);
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        Self(rounded_up(now + ttl.as_millis()))
    }
}

/// One more second than whole ones: the server's clock goes in steps of a
/// second, and the next step may come at once.
fn rounded_up(millis: u64) -> u64 {
    millis.div_ceil(1_000) + 1
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn seconds(millis: u64) -> u64 {
        let now = UNIX_EPOCH + Duration::from_millis(NOW * 1_000 + 1);
        Expiry::counted(Ttl::from_millis(millis).expect("a time to live"), now).0
    }

    #[test]
    fn no_time_to_live_is_cut_short() {
        assert_eq!(seconds(1), 2);
        assert_eq!(seconds(999), 2);
        assert_eq!(seconds(1_000), 2);
        assert_eq!(seconds(1_001), 3);
    }

    #[test]
    fn a_time_to_live_is_never_taken_for_a_date_in_1970() {
        let month = 30 * 24 * 60 * 60;
        assert_eq!(seconds((month - 1) * 1_000), month);
        assert_eq!(seconds((month - 1) * 1_000 + 1), NOW + month + 1);
        assert_eq!(seconds(month * 1_000), NOW + month + 2);
        assert_eq!(seconds(Ttl::MAX.as_millis()), NOW + 400 * 24 * 60 * 60 + 2);
    }
}
