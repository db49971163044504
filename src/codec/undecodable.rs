//! Why the codec cannot decode bytes.

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
/// const TOO_SHORT: Undecodable = Undecodable::new("they end too soon");
/// assert_eq!(TOO_SHORT.to_string(), "they end too soon");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Undecodable(&'static str);

impl Undecodable {
    /// A reason, as a clause about the bytes: "they end too soon".
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self(reason)
    }
}
