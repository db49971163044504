//! Times to live, as Memcached counts them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use cloakroom::Ttl;

/// Memcached takes a larger number of seconds for a date.
const LONGEST_FROM_NOW: u64 = 30 * 24 * 60 * 60;

/// In January 2038. Servers that count in 32 bits take a later date for the past.
const LATEST: u64 = i32::MAX as u64;

/// A time to live in a command: up to 30 days as seconds from now, above as seconds since
/// 1970. 0 means for ever.
#[derive(Clone, Copy)]
pub(crate) struct Expiry(u64);

impl Expiry {
    /// Never for ever.
    pub(crate) fn of(ttl: Ttl) -> Self {
        Self::counted(ttl.as_millis(), SystemTime::now())
    }

    pub(crate) fn of_left(left: Left) -> Self {
        match left {
            Left::Forever => Self(0),
            Left::Seconds(seconds) => {
                Self::counted(seconds.saturating_mul(1_000), SystemTime::now())
            }
        }
    }

    fn counted(millis: u64, now: SystemTime) -> Self {
        let seconds = rounded_up(millis);
        if seconds <= LONGEST_FROM_NOW {
            return Self(seconds);
        }
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let end = rounded_up(now.saturating_add(millis));
        // A server that still works then counts in more bits.
        Self(if now / 1_000 < LATEST { end.min(LATEST) } else { end })
    }
}

/// How long a record has left. What is longer is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    Seconds(u64),
    Forever,
}

impl Left {
    /// What the server states of a record that has at least `ttl` left.
    pub(crate) fn at_least(ttl: Ttl) -> Self {
        Self::Seconds(rounded_up(ttl.as_millis()))
    }
}

/// Whole seconds, and one more: the server's clock advances once a second, perhaps at
/// once.
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
        seconds_at(NOW, millis)
    }

    fn seconds_at(now: u64, millis: u64) -> u64 {
        let now = UNIX_EPOCH + Duration::from_millis(now * 1_000 + 1);
        Expiry::counted(millis, now).0
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

    #[test]
    fn no_date_is_one_that_32_bits_take_for_the_past() {
        let (day, longest) = (24 * 60 * 60, Ttl::MAX.as_millis());
        let (most, last) = (longest / 1_000, 2_147_483_647);
        assert_eq!(seconds_at(last - most - 2, longest), last);
        assert_eq!(seconds_at(last - most - 1, longest), last);
        assert_eq!(seconds_at(last - day, longest), last);
        // Seconds from now are not a date.
        assert_eq!(seconds_at(last - day, 10 * day * 1_000), 10 * day + 1);
        assert_eq!(seconds_at(last, longest), last + most + 2);
    }
}
