//! The settings that are not types.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::cookie::{Cookie, CookieParts};
use crate::id::IdLength;
use crate::store::KeyPrefix;
use crate::ttl::Ttl;

/// When a use of a session lets its idle timeout begin anew, in the store and
/// in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// When less than this share of the idle timeout is left. Most requests
    /// then only read; a session that is in use ends between that share and the
    /// whole of the idle timeout after its last use.
    WhenBelow(Percent),
    /// At every request that opens the session. The store postpones the expiry
    /// in the round trip that reads the record, where it can.
    ///
    /// In sessions that Flask shares, each response sets the cookie again, unless it ends
    /// with the browser. A request that takes longer than 100 ms, and writes nothing, reads
    /// the record once more before that, so that it sends no id that another request has
    /// replaced.
    EveryRequest,
    /// Never: a session ends when the idle timeout has passed since its
    /// creation.
    Never,
}

impl Default for Renewal {
    fn default() -> Self {
        Self::WhenBelow(Percent::default())
    }
}

/// A share from 1 to 99 percent.
///
/// # Default
///
/// 80 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    percent: u8,
}

impl Percent {
    /// A share in percent.
    ///
    /// # Errors
    ///
    /// [`InvalidPercent`] when it is not from 1 to 99.
    pub const fn new(percent: u8) -> Result<Self, InvalidPercent> {
        match percent {
            1..=99 => Ok(Self { percent }),
            _ => Err(InvalidPercent),
        }
    }

    /// This share of a time in milliseconds.
    pub(crate) const fn of(self, millis: u64) -> u64 {
        millis.saturating_mul(self.percent as u64) / 100
    }
}

impl Default for Percent {
    fn default() -> Self {
        Self { percent: 80 }
    }
}

/// The share is not from 1 to 99 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share is from 1 to 99 percent")]
#[non_exhaustive]
pub struct InvalidPercent;

/// The three versions of a session's data that meet in a conflict.
///
/// # Example
///
/// A function for `Config::merge_conflicts_with`, and a test of it:
///
/// ```
/// use cloakroom::Versions;
///
/// /// Keeps what both requests added.
/// fn sum(versions: Versions<u64>) -> u64 {
///     versions.theirs + versions.mine - versions.base
/// }
///
/// let versions = Versions::new(10, 11, 15);
/// assert_eq!(sum(versions), 16);
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Versions<T> {
    /// As both requests found them.
    pub base: T,
    /// As this request wants them.
    pub mine: T,
    /// As the other request saved them.
    pub theirs: T,
}

impl<T> Versions<T> {
    /// The data as both requests found them, as this request wants them, and as
    /// the other request saved them.
    #[must_use]
    pub const fn new(base: T, mine: T, theirs: T) -> Self {
        Self { base, mine, theirs }
    }
}

/// What happens when another request changed the session at the same time.
#[derive(Clone, Default)]
pub(crate) enum OnConflict {
    #[default]
    MergeFields,
    Reject,
    Custom(Arc<CustomMerge>),
}

/// From the encoded base, mine and theirs to the merged data; `None` when the
/// codec fails.
pub(crate) type CustomMerge = dyn Fn(&[u8], &[u8], &[u8]) -> Option<Vec<u8>> + Send + Sync;

impl fmt::Debug for OnConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MergeFields => "MergeFields",
            Self::Reject => "Reject",
            Self::Custom(_) => "Custom(..)",
        })
    }
}

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) cookie: CookieParts,
    pub(crate) idle_timeout: Ttl,
    pub(crate) absolute_timeout: Ttl,
    pub(crate) renewal: Renewal,
    pub(crate) permanent: bool,
    pub(crate) id_length: IdLength,
    pub(crate) key_prefix: KeyPrefix,
    pub(crate) plain_ids: bool,
    pub(crate) uuid_ids: bool,
    pub(crate) on_conflict: OnConflict,
    /// Sessions that were created earlier are over; Unix milliseconds.
    pub(crate) not_before: Option<u64>,
    pub(crate) replace_unreadable: bool,
    pub(crate) clock: Clock,
}

impl Settings {
    /// For records that do not say when a session was created or last used.
    pub(super) fn without_times(self) -> Self {
        let renewal = match self.renewal {
            Renewal::WhenBelow(_) => Renewal::EveryRequest,
            renewal => renewal,
        };
        Self { renewal, absolute_timeout: Ttl::MAX, ..self }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cookie: Cookie::default().into_parts(),
            idle_timeout: Ttl::days(31),
            absolute_timeout: Ttl::MAX,
            renewal: Renewal::default(),
            permanent: true,
            id_length: IdLength::default(),
            key_prefix: KeyPrefix::default(),
            plain_ids: false,
            uuid_ids: false,
            on_conflict: OnConflict::default(),
            not_before: None,
            replace_unreadable: false,
            clock: Clock::system(),
        }
    }
}
