//! Why session data have no form in a format.

/// Why a format cannot represent session data.
///
/// It is a source of the codec's error. The messages are fixed and repeat no data,
/// so the log has them, which it has of no other error of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unrepresentable {
    /// A field is left out, as `#[serde(skip_serializing_if = "..")]` does it, and
    /// the format would take the next one for it.
    #[error(
        "a field that is skipped (`skip_serializing_if`) has no form in this format; use MessagePack or Json"
    )]
    SkippedField,
    /// A floating-point number is infinite or undefined.
    #[error("a number that is not finite has no form in this format; use MessagePack or Postcard")]
    NonFiniteNumber,
    /// A map has keys that are neither text nor numbers.
    #[error(
        "a map whose keys are no text or number has no form in this format; use MessagePack or Postcard"
    )]
    MapKey,
}
