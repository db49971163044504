//! How long a session lives.

use std::time::Duration;

/// A time to live: from one millisecond to 400 days.
///
/// 400 days is the longest that browsers keep a cookie (RFC 6265bis, section
/// 5.5).
///
/// # Example
///
/// ```
/// use cloakroom::Ttl;
/// use std::time::Duration;
///
/// assert_eq!(Ttl::hours(2), Ttl::from_secs(7_200)?);
/// assert_eq!(Ttl::try_from(Duration::from_millis(1))?, Ttl::MIN);
/// assert!(Ttl::try_from(Duration::ZERO).is_err());
/// # Ok::<(), cloakroom::InvalidTtl>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl {
    millis: u64,
}

impl Ttl {
    /// The shortest: one millisecond.
    pub const MIN: Self = Self { millis: 1 };

    /// The longest: 400 days.
    pub const MAX: Self = Self { millis: 400 * 24 * 60 * 60 * 1_000 };

    /// `n` seconds, written as a literal.
    ///
    /// # Panics
    ///
    /// When `n` is 0 or more than 400 days; in a `const` that is a compile
    /// error. A value that is only known at run time goes through
    /// [`from_secs`](Self::from_secs).
    #[must_use]
    pub const fn seconds(n: u32) -> Self {
        Self::literal(n as u64 * 1_000)
    }

    /// `n` minutes, written as a literal.
    ///
    /// # Panics
    ///
    /// As [`seconds`](Self::seconds).
    #[must_use]
    pub const fn minutes(n: u32) -> Self {
        Self::literal(n as u64 * 60_000)
    }

    /// `n` hours, written as a literal.
    ///
    /// # Panics
    ///
    /// As [`seconds`](Self::seconds).
    #[must_use]
    pub const fn hours(n: u32) -> Self {
        Self::literal(n as u64 * 3_600_000)
    }

    /// `n` days, written as a literal.
    ///
    /// # Panics
    ///
    /// As [`seconds`](Self::seconds).
    #[must_use]
    pub const fn days(n: u32) -> Self {
        Self::literal(n as u64 * 86_400_000)
    }

    /// Whole seconds, as in Flask's `PERMANENT_SESSION_LIFETIME`.
    ///
    /// # Errors
    ///
    /// [`InvalidTtl`] for 0 and for more than 400 days.
    pub const fn from_secs(seconds: u64) -> Result<Self, InvalidTtl> {
        Self::from_millis(seconds.saturating_mul(1_000))
    }

    /// Whole milliseconds.
    ///
    /// # Errors
    ///
    /// [`InvalidTtl`] for 0 and for more than 400 days.
    pub const fn from_millis(millis: u64) -> Result<Self, InvalidTtl> {
        if millis < Self::MIN.millis || millis > Self::MAX.millis {
            return Err(InvalidTtl);
        }
        Ok(Self { millis })
    }

    /// The time to live in milliseconds, from 1 to 34,560,000,000.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// The time to live as a [`Duration`].
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.millis)
    }

    const fn literal(millis: u64) -> Self {
        match Self::from_millis(millis) {
            Ok(ttl) => ttl,
            Err(InvalidTtl) => panic!("a time to live is from 1 millisecond to 400 days"),
        }
    }
}

impl TryFrom<Duration> for Ttl {
    type Error = InvalidTtl;

    /// Counts whole milliseconds; a part of one is cut off.
    fn try_from(duration: Duration) -> Result<Self, InvalidTtl> {
        let millis = u64::try_from(duration.as_millis()).map_err(|_| InvalidTtl)?;
        Self::from_millis(millis)
    }
}

impl From<Ttl> for Duration {
    fn from(ttl: Ttl) -> Self {
        ttl.as_duration()
    }
}

/// The time is not from one millisecond to 400 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time to live is from 1 millisecond to 400 days")]
#[non_exhaustive]
pub struct InvalidTtl;
