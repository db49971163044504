//! MessagePack, with named fields.

mod walk;

use std::borrow::Cow;
use std::marker::PhantomData;

use rmp_serde::{decode, encode};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::named::{Entry, Name, NamedFields, sealed};
use super::{Codec, Field, SessionData, merge_fields, merge_whole};
use crate::record::NativeRecord;

/// Session data as MessagePack, fields with their names: compact, and a struct
/// may gain or lose fields between two versions of a program.
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
    #[error("the session data have no form in MessagePack: {0}")]
    Encode(&'static str),
    #[error("the bytes are not the session data in MessagePack: {0}")]
    Decode(&'static str),
    #[error("bytes follow the session data")]
    TrailingBytes,
}

impl Cause {
    fn of_encoding(error: &encode::Error) -> Self {
        Self::Encode(match error {
            encode::Error::DepthLimitExceeded => "they are nested too deeply",
            _ => "a part of them cannot be serialized",
        })
    }

    fn of_decoding(error: &decode::Error) -> Self {
        Self::Decode(match error {
            decode::Error::InvalidMarkerRead(_) | decode::Error::InvalidDataRead(_) => {
                "they end too soon"
            }
            decode::Error::Utf8Error(_) => "a text is not UTF-8",
            decode::Error::DepthLimitExceeded => "they are nested too deeply",
            _ => "a value does not fit the data's type",
        })
    }
}

impl<T: SessionData> Codec for MessagePack<T> {
    type Data = T;
    type Error = MessagePackError;
    type Record = NativeRecord;

    fn encode(data: &T, out: &mut Vec<u8>) -> Result<(), MessagePackError> {
        data.serialize(&mut rmp_serde::Serializer::new(out).with_struct_map())
            .map_err(|error| Cause::of_encoding(&error).into())
    }

    fn decode(mut bytes: &[u8]) -> Result<T, MessagePackError> {
        match (take(&mut bytes).map_err(|error| Cause::of_decoding(&error))?, bytes) {
            (data, []) => Ok(data),
            _ => Err(Cause::TrailingBytes.into()),
        }
    }

    fn has_fields() -> bool {
        true
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, MessagePackError> {
        let [Some(before), Some(my), Some(their)] = [base, mine, theirs].map(map_fields) else {
            return Ok(merge_whole(base, mine, theirs));
        };
        let merged = merge_fields(&before, &my, &their);

        let mut out = Vec::with_capacity(mine.len() + theirs.len());
        // The length is below that of the maps which were read, and writing into
        // a `Vec` cannot fail.
        let _ = rmp::encode::write_map_len(&mut out, merged.len() as u32);
        for field in merged {
            out.extend_from_slice(field.name);
            out.extend_from_slice(field.value);
        }
        Ok(out)
    }
}

#[diagnostic::do_not_recommend]
impl<T: SessionData> NamedFields for MessagePack<T> {}

impl<T> sealed::Map for MessagePack<T> {
    const PERMANENT: &'static [u8] = b"\xaa_permanent";
    const TRUE: &'static [u8] = b"\xc3";
    const EMPTY: &'static [u8] = b"\x80";

    fn visit<'a>(bytes: &'a [u8], mut see: impl FnMut(Entry<'a>)) -> Option<()> {
        let (len, mut rest) = walk::map_len(bytes)?;
        for _ in 0..len {
            let (name, after_name) = walk::name(rest)?;
            let (value, after_value) = walk::value(after_name)?;
            let key = match walk::text(name) {
                Some((text, _)) => Name::Text(text.into()),
                None => Name::Other(name),
            };
            see(Entry { key, name, value });
            rest = after_value;
        }
        rest.is_empty().then_some(())
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

/// The entries of a map; `None` for anything else.
fn map_fields(mut bytes: &[u8]) -> Option<Vec<Field<'_>>> {
    let len = rmp::decode::read_map_len(&mut bytes).ok()?;
    (0..len)
        .map(|_| Some(Field { name: take_raw(&mut bytes)?, value: take_raw(&mut bytes)? }))
        .collect()
}

/// Reads the value at the start of `bytes`, which move behind it.
fn take<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, decode::Error> {
    T::deserialize(&mut rmp_serde::Deserializer::new(bytes))
}

/// The encoding of the value at the start of `bytes`, which move behind it.
fn take_raw<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = *bytes;
    let IgnoredAny = take(bytes).ok()?;
    start.get(..start.len() - bytes.len())
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
