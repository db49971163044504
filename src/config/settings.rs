//! The settings that are not types.

use std::sync::Arc;
use std::{fmt, iter};

use crate::clock::Clock;
use crate::cookie::{Cookie, CookieParts};
use crate::id::IdLength;
use crate::renewal::Renewal;
use crate::signer::Verified;
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

/// Whether ids count without a signature where there is a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnsignedIds {
    #[default]
    Refused,
    /// Until this time, in Unix milliseconds. Their cookies are signed at the next use.
    AcceptedUntil(u64),
    /// And no cookie is signed.
    Issued,
}

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) cookie: CookieParts,
    pub(crate) idle_timeout: Ttl,
    pub(crate) absolute_timeout: Ttl,
    pub(crate) renewal: Renewal,
    pub(crate) permanent: bool,
    /// Of new ids.
    pub(crate) id_length: IdLength,
    /// Of ids that are accepted besides.
    pub(crate) other_id_lengths: Vec<IdLength>,
    pub(crate) unsigned_ids: UnsignedIds,
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
    /// The lengths of ids that are accepted.
    pub(crate) fn id_lengths(&self) -> impl Iterator<Item = IdLength> {
        iter::once(self.id_length).chain(self.other_id_lengths.iter().copied())
    }

    /// What a value is that has no signature of an accepted key.
    pub(crate) fn without_signature<'v>(&self, value: &'v str) -> Option<Verified<'v>> {
        match self.unsigned_ids {
            UnsignedIds::Refused => None,
            UnsignedIds::AcceptedUntil(end) => {
                (self.clock.unix_millis() < end).then(|| Verified::by_older_key(value))
            }
            UnsignedIds::Issued => Some(Verified::new(value)),
        }
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
            other_id_lengths: Vec::new(),
            unsigned_ids: UnsignedIds::default(),
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
