//! Why the codec cannot decode bytes.

use std::error::Error;
use std::iter;

/// Why a codec cannot read the bytes of a record: most often another version of the
/// program wrote them.
///
/// It is a source of the codec's error. Its text is part of the program and repeats no
/// data, so a log may have it, which it may of no other error of a codec in reading.
///
/// # Example
///
/// ```
/// use cloakroom::codec::Undecodable;
///
/// const OTHER_PROGRAM: Undecodable = Undecodable::new("another program wrote them");
/// assert_eq!(OTHER_PROGRAM.to_string(), "another program wrote them");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undecodable(&'static str);

impl Undecodable {
    /// The bytes end before the data do.
    pub const CUT_SHORT: Self = Self::new("they end too soon");
    /// Bytes are left over.
    pub const TRAILING_BYTES: Self = Self::new("bytes follow the data");
    /// A value is none of those that its place in the data's type can hold.
    pub const MISFIT: Self = Self::new("a value does not fit the data's type");

    /// A reason, as a clause about the bytes: "another program wrote
    /// them".
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self(reason)
    }

    /// The reason that an error or one of its sources is.
    pub(crate) fn behind(error: &(dyn Error + 'static)) -> Option<Self> {
        iter::successors(Some(error), |&error| error.source())
            .find_map(|error| error.downcast_ref().copied())
    }
}
