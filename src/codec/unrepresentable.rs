//! Why the codec cannot encode session data.

/// Why a format cannot represent session data.
///
/// It is a source of the codec's error. The messages are fixed and repeat no data,
/// so the log has them, which it has of no other error of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unrepresentable {
    /// A part of them refuses to be serialized, or has no form in a format without
    /// field names: a field that is left out (`#[serde(skip)]`,
    /// `#[serde(skip_serializing_if = "..")]`) or flattened, or another form than its
    /// schema says.
    #[error(
        "a part of them cannot be serialized, or not as its `postcard_schema::Schema` says: Postcard refuses `skip`, `skip_serializing_if`, `flatten`, `tag`, `untagged`, and a `with` or `into` that changes the type; use MessagePack or Json for those"
    )]
    WithoutNames,
    /// A floating-point number is infinite or undefined.
    #[error("a number that is not finite has no form in this format; use MessagePack or Postcard")]
    NonFiniteNumber,
    /// A map has keys that are neither text nor numbers.
    #[error(
        "a map whose keys are no text or number has no form in this format; use MessagePack or Postcard, or a list of pairs"
    )]
    MapKey,
    /// Inside an `Option`, something is nothing itself: `Some(None)`, `Some(())` or
    /// a struct without fields. It would come back as `None`.
    #[error(
        "`Some` of nothing (`Some(None)`, `Some(())`) has no form in this format, where it would be `None`; use an enum with a variant for each case"
    )]
    NothingInSome,
    /// They are nested more than 100 levels deep.
    #[error(
        "they are nested more than 100 levels deep; keep a tree as a list of nodes that name their parents"
    )]
    TooDeep,
}
