//! Codecs whose data are a map from names to values.

use std::borrow::Cow;

use super::{Codec, SessionData};

/// A codec that writes a struct as a map from the names of its fields to their
/// values, as other programs expect it: `MessagePack` and `Json`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` writes no field names, so Flask cannot read it",
    label = "Flask reads MessagePack and JSON",
    note = "call `.data::<YourStruct>()` for MessagePack, or `.codec(Json::<YourStruct>::new())` where `SESSION_SERIALIZATION_FORMAT` is `json`"
)]
pub trait NamedFields: Codec<Data: SessionData> + sealed::Map {}

#[expect(unnameable_types, reason = "sealed: there are two such codecs")]
pub(super) mod sealed {
    use super::{Codec, Cow, Entry};

    /// What sharing records takes of a format. All slices are as encoded.
    pub trait Map: Codec {
        /// What serde is told where records are shared.
        const SHARED_IS_HUMAN_READABLE: bool;
        /// The name `_permanent`.
        const PERMANENT: &'static [u8];
        const TRUE: &'static [u8];
        /// A map without entries.
        const EMPTY: &'static [u8];

        /// [`Codec::encode`], as the other program expects it.
        fn encode_shared(data: &Self::Data, out: &mut Vec<u8>) -> Result<(), Self::Error>;

        /// Reads what [`encode_shared`](Self::encode_shared) writes.
        fn decode_shared(bytes: &[u8]) -> Result<Self::Data, Self::Error>;

        /// Shows the entries of a map in their order. `None` for whatever is no
        /// map, or what Flask could not decode.
        fn visit<'a>(bytes: &'a [u8], see: impl FnMut(Entry<'a>)) -> Option<()>;

        /// Appends a map of these entries.
        fn write(entries: &[Entry<'_>], out: &mut Vec<u8>);

        /// Appends a text without characters that need escaping.
        fn write_text(text: &str, out: &mut Vec<u8>);

        /// The text that a value is.
        fn text(value: &[u8]) -> Option<Cow<'_, str>>;

        /// Whether a value is one that Python takes for false.
        fn is_falsy(value: &[u8]) -> bool;
    }
}

/// An entry of an encoded map.
#[derive(Clone, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Entry<'a> {
    /// What tells it from the other entries, however it was written.
    pub(crate) key: Name<'a>,
    /// The name as encoded.
    pub(crate) name: &'a [u8],
    /// The value as encoded.
    pub(crate) value: &'a [u8],
}

/// The name of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(hidden)]
#[expect(clippy::exhaustive_enums, reason = "not public")]
pub enum Name<'a> {
    Text(Cow<'a, str>),
    /// A name that is no text, as encoded.
    Other(&'a [u8]),
}
