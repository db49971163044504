//! The settings that are not types.

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::cookie::{Cookie, CookieParts};
use crate::id::IdLength;
use crate::renewal::Renewal;
use crate::store::KeyPrefix;
use crate::ttl::Ttl;

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
