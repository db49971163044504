//! MessagePack, with named fields.

mod bounds;
mod walk;

use std::borrow::Cow;
use std::marker::PhantomData;

use rmp_serde::config::SerializerConfig;
use rmp_serde::{decode, encode};

use self::bounds::Fault;
use super::by_entry::{self, ByEntry};
use super::named::{Entry, Name, NamedFields, sealed};
use super::reading::{NESTED, Reading, kind_of};
use super::writing::{Floats, Writing};
use super::{Codec, SessionData, Strict, Undecodable, Unrepresentable};
use crate::record::NativeRecord;

/// Session data as MessagePack, fields and variants with their names: compact, and
/// what `Config::data` chooses.
///
/// A session lives on when the program changes: a field with `#[serde(default)]` may be
/// added, a field may be removed or moved, and an enum may gain variants. A struct or
/// map is written and merged entry by entry:
///
/// - What another version of the program stored, and this one does not know, stays as
///   it is, byte for byte. So does a field that this program did not change. Inside a
///   changed field only what this program knows is written. [`Strict`] drops what it
///   does not know.
/// - Unknown entries go, too, when the data become the default.
/// - A field may be renamed with `#[serde(alias = "old")]`. Where a record has
///   both names, the new one counts.
/// - Data of any other type, enums included, are one value.
///
/// A name is never read as another: a number is no variant, and a list no struct. Data
/// may be nested 100 levels deep.
///
/// serde holds back the values of flattened structs and of enums with `tag` or
/// `untagged` until it knows their type, and then hides them from the codec. There a list
/// may be read as the struct that has its fields in that order, and so may a map whose names
/// are their positions. A number of 128 bits does not come back from there, nor does a map
/// whose names are numbers in `Json`: saving them is an error. An `untagged` enum that contains
/// itself may be tried once for each variant at every level: where a browser
/// chooses what it holds, limit its depth.
///
/// `None` or `()` inside a `Some` looks like `None`: saving it is an error.
pub struct MessagePack<T> {
    data: PhantomData<fn() -> T>,
}

marker!(MessagePack);

impl<T: SessionData> MessagePack<T> {
    /// The codec, to be given to `Config::codec`.
    #[must_use]
    pub const fn new() -> Self {
        Self { data: PhantomData }
    }

    /// The codec that drops what it does not know.
    #[must_use]
    pub const fn strict(self) -> Strict<Self> {
        Strict::new()
    }
}

/// The data have no form in MessagePack, or the bytes are not the data's.
///
/// Nothing of what serde says is kept but the kind of mistake, since the rest may
/// quote the data.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MessagePackError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the session data have no form in MessagePack")]
    Unrepresentable(#[source] Unrepresentable),
    #[error("the session data have no form in MessagePack: {0}")]
    Encode(&'static str),
    #[error("the bytes are not the session data in MessagePack")]
    Decode(#[source] Undecodable),
}

impl Cause {
    #[cold]
    fn of_encoding(error: &encode::Error) -> Self {
        match error {
            encode::Error::Syntax(message) => match Unrepresentable::from_message(message) {
                Some(reason) => Self::Unrepresentable(reason),
                None => Self::Encode("a part of them cannot be serialized"),
            },
            encode::Error::DepthLimitExceeded => Self::Unrepresentable(Unrepresentable::TooDeep),
            _ => Self::Encode("a part of them cannot be serialized"),
        }
    }

    #[cold]
    fn of_decoding(error: &decode::Error) -> Self {
        Self::Decode(match error {
            decode::Error::InvalidMarkerRead(_) | decode::Error::InvalidDataRead(_) => {
                Undecodable::CUT_SHORT
            }
            decode::Error::Utf8Error(_) => Undecodable::new("a text is not UTF-8"),
            decode::Error::DepthLimitExceeded => NESTED,
            decode::Error::Syntax(message) => kind_of(message),
            _ => Undecodable::MISFIT,
        })
    }
}

impl From<Fault> for Cause {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Malformed => Self::Decode(Undecodable::CUT_SHORT),
            Fault::TooDeep => Self::Decode(NESTED),
            Fault::TrailingBytes => Self::Decode(Undecodable::TRAILING_BYTES),
        }
    }
}

impl<T: SessionData> Codec for MessagePack<T> {
    type Data = T;
    type Error = MessagePackError;
    type Record = NativeRecord;

    /// As for people, since serde holds back content (`flatten`, `tag`) for these only:
    /// an `IpAddr` would not come back.
    fn encode(data: &T, out: &mut Vec<u8>) -> Result<(), MessagePackError> {
        let serializer = rmp_serde::Serializer::new(out).with_struct_map();
        write(data, &mut serializer.with_human_readable())
    }

    fn decode(bytes: &[u8]) -> Result<T, MessagePackError> {
        by_entry::decode::<Self>(bytes)
    }

    fn retain(
        base: Option<&[u8]>,
        mine: &[u8],
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), MessagePackError> {
        by_entry::retain::<Self>(base, mine, stored, out)
    }

    fn has_fields() -> bool {
        by_entry::has_fields::<Self>()
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, MessagePackError> {
        by_entry::merge::<Self>(base, mine, theirs)
    }

    fn known(seen: &[&[u8]], stored: &[u8]) -> Result<Vec<u8>, MessagePackError> {
        by_entry::known::<Self>(seen, stored)
    }
}

fn write<T: SessionData, C: SerializerConfig>(
    data: &T,
    serializer: &mut rmp_serde::Serializer<&mut Vec<u8>, C>,
) -> Result<(), MessagePackError> {
    data.serialize(Writing::new(serializer, Floats::All))
        .map_err(|error| Cause::of_encoding(&error).into())
}

impl<T: SessionData> ByEntry for MessagePack<T> {
    const IS_HUMAN_READABLE: bool = true;
    const RESERVED: Option<&'static str> = None;

    fn decode_exact(bytes: &[u8]) -> Result<T, MessagePackError> {
        bounds::check(bytes).map_err(Cause::from)?;
        let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes).with_human_readable();
        T::deserialize(Reading::new(&mut deserializer))
            .map_err(|error| Cause::of_decoding(&error).into())
    }

    fn split(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
        let mut entries = Vec::new();
        visit(bytes, [bounds::split, bounds::split], |entry| entries.push(entry))?;
        Some(entries)
    }

    fn join(entries: &[Entry<'_>], out: &mut Vec<u8>) {
        <Self as sealed::Map>::write(entries, out);
    }

    fn no_map() -> Option<MessagePackError> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T: SessionData> NamedFields for MessagePack<T> {}

impl<T: SessionData> sealed::Map for MessagePack<T> {
    const SHARED_IS_HUMAN_READABLE: bool = false;
    const PERMANENT: &'static [u8] = b"\xaa_permanent";
    const TRUE: &'static [u8] = b"\xc3";
    const EMPTY: &'static [u8] = b"\x80";

    fn encode_shared(data: &T, out: &mut Vec<u8>) -> Result<(), MessagePackError> {
        write(data, &mut rmp_serde::Serializer::new(out).with_struct_map())
    }

    fn decode_shared(bytes: &[u8]) -> Result<T, MessagePackError> {
        bounds::check(bytes).map_err(Cause::from)?;
        T::deserialize(Reading::new(&mut rmp_serde::Deserializer::from_read_ref(bytes)))
            .map_err(|error| Cause::of_decoding(&error).into())
    }

    fn visit<'a>(bytes: &'a [u8], see: impl FnMut(Entry<'a>)) -> Option<()> {
        visit(bytes, [walk::name, walk::value], see)
    }

    fn write(entries: &[Entry<'_>], out: &mut Vec<u8>) {
        // The length is below that of the maps which were read, and writing into
        // a `Vec` cannot fail.
        let _ = rmp::encode::write_map_len(out, entries.len() as u32);
        for entry in entries {
            out.extend_from_slice(entry.name);
            out.extend_from_slice(entry.value);
        }
    }

    fn write_text(text: &str, out: &mut Vec<u8>) {
        // Writing into a `Vec` cannot fail.
        let _ = rmp::encode::write_str(out, text);
    }

    fn text(value: &[u8]) -> Option<Cow<'_, str>> {
        walk::text(value).map(|(text, _)| text.into())
    }

    fn is_falsy(value: &[u8]) -> bool {
        matches!(value, [0xc0 | 0xc2 | 0x00 | 0x80 | 0x90 | 0xa0])
    }
}

/// Cuts a value off; `None` for what is none.
type Split = fn(&[u8]) -> Option<(&[u8], &[u8])>;

/// Shows the entries of a map in their order; `None` where they cannot be cut into
/// names and values.
fn visit<'a>(
    bytes: &'a [u8],
    [split_name, split_value]: [Split; 2],
    mut see: impl FnMut(Entry<'a>),
) -> Option<()> {
    let (len, mut rest) = walk::map_len(bytes)?;
    for _ in 0..len {
        let (name, after_name) = split_name(rest)?;
        let (value, after_value) = split_value(after_name)?;
        let key = match walk::text(name) {
            Some((text, _)) => Name::Text(text.into()),
            None => Name::Other(name),
        };
        see(Entry { key, name, value });
        rest = after_value;
    }
    rest.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Data = BTreeMap<String, Vec<u8>>;

    fn encoded(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let data: Data =
            entries.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        let mut out = Vec::new();
        MessagePack::encode(&data, &mut out).expect("encoded");
        out
    }

    #[test]
    fn entries_that_only_the_other_request_changed_are_kept() {
        let merged = MessagePack::<Data>::merge(
            &encoded(&[("a", &[1]), ("b", &[1, 2])]),
            &encoded(&[("a", &[1]), ("b", &[3; 300])]),
            &encoded(&[("a", &[9]), ("b", &[1, 2]), ("c", &[7])]),
        );
        let expected = encoded(&[("a", &[9]), ("b", &[3; 300]), ("c", &[7])]);
        assert_eq!(merged.expect("merged"), expected);
    }

    #[test]
    fn bytes_after_the_data_are_refused() {
        let mut bytes = encoded(&[]);
        bytes.push(0xc0);
        assert!(MessagePack::<Data>::decode(&bytes).is_err());
    }
}
