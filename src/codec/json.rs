//! JSON (RFC 8259).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::by_entry::{self, ByEntry};
use super::named::{Entry, Name, NamedFields, sealed};
use super::reading::{NESTED, Reading, kind_of};
use super::writing::{Floats, Writing};
use super::{Codec, SessionData, Strict, Undecodable, Unrepresentable};
use crate::record::NativeRecord;

/// Session data as JSON: the most readable, the least compact. It is written, merged
/// and read by names, as `MessagePack` is.
///
/// `None` or `()` inside a `Some` looks like `None`, a map whose keys are not strings or numbers, and a floating-point number
/// that is not finite, have no form in JSON: saving them is an error.
pub struct Json<T> {
    data: PhantomData<fn() -> T>,
}

marker!(Json);

impl<T: SessionData> Json<T> {
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

/// The data have no form in JSON, or the bytes are not the data's.
///
/// Nothing of what serde says is kept but the kind of mistake and its place, since
/// the rest may quote the data.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JsonError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the session data have no form in JSON")]
    Unrepresentable(#[source] Unrepresentable),
    #[error("the session data have no form in JSON: a part of them cannot be serialized")]
    Encode,
    #[error("the bytes are not the session data in JSON, at line {line}, column {column}")]
    Decode {
        #[source]
        kind: Undecodable,
        line: usize,
        column: usize,
    },
}

impl Cause {
    /// Told by fixed messages, since `serde` leaves nothing else.
    #[cold]
    fn of_encoding(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        if text == KEY_IS_NO_TEXT {
            return Self::Unrepresentable(Unrepresentable::MapKey);
        }
        Unrepresentable::from_message(&text).map_or(Self::Encode, Self::Unrepresentable)
    }

    #[cold]
    fn of_decoding(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let kind = match error.classify() {
            Category::Syntax if text.starts_with(RECURSION) => NESTED,
            Category::Syntax => Undecodable::new("they are no JSON"),
            Category::Io | Category::Eof => Undecodable::CUT_SHORT,
            Category::Data => kind_of(&text),
        };
        Self::Decode { kind, line: error.line(), column: error.column() }
    }
}

/// What `serde_json` says of a map's key that is neither text nor a number.
const KEY_IS_NO_TEXT: &str = "key must be a string";

/// What `serde_json` says of what is nested more deeply than its own limit.
const RECURSION: &str = "recursion limit exceeded";

impl<T: SessionData> Codec for Json<T> {
    type Data = T;
    type Error = JsonError;
    type Record = NativeRecord;

    fn encode(data: &T, out: &mut Vec<u8>) -> Result<(), JsonError> {
        data.serialize(Writing::new(&mut serde_json::Serializer::new(out), Floats::Finite))
            .map_err(|error| Cause::of_encoding(&error).into())
    }

    fn decode(bytes: &[u8]) -> Result<T, JsonError> {
        by_entry::decode::<Self>(bytes)
    }

    fn retain(
        base: Option<&[u8]>,
        mine: &[u8],
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        by_entry::retain::<Self>(base, mine, stored, out)
    }

    fn has_fields() -> bool {
        by_entry::has_fields::<Self>()
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, JsonError> {
        by_entry::merge::<Self>(base, mine, theirs)
    }

    fn known(seen: &[&[u8]], stored: &[u8]) -> Result<Vec<u8>, JsonError> {
        by_entry::known::<Self>(seen, stored)
    }
}

impl<T: SessionData> ByEntry for Json<T> {
    const IS_HUMAN_READABLE: bool = true;
    const RESERVED: Option<&'static str> = None;

    fn decode_exact(bytes: &[u8]) -> Result<T, JsonError> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        T::deserialize(Reading::new(&mut deserializer))
            .and_then(|data| deserializer.end().map(|()| data))
            .map_err(|error| Cause::of_decoding(&error).into())
    }

    fn split(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
        let mut entries = Vec::new();
        <Self as sealed::Map>::visit(bytes, |entry| entries.push(entry))?;
        Some(entries)
    }

    fn join(entries: &[Entry<'_>], out: &mut Vec<u8>) {
        <Self as sealed::Map>::write(entries, out);
    }

    fn no_map() -> Option<JsonError> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T: SessionData> NamedFields for Json<T> {}

impl<T: SessionData> sealed::Map for Json<T> {
    const SHARED_IS_HUMAN_READABLE: bool = true;
    const PERMANENT: &'static [u8] = b"\"_permanent\"";
    const TRUE: &'static [u8] = b"true";
    const EMPTY: &'static [u8] = b"{}";

    fn encode_shared(data: &T, out: &mut Vec<u8>) -> Result<(), JsonError> {
        Self::encode(data, out)
    }

    fn decode_shared(bytes: &[u8]) -> Result<T, JsonError> {
        Self::decode_exact(bytes)
    }

    fn visit<'a>(bytes: &'a [u8], mut see: impl FnMut(Entry<'a>)) -> Option<()> {
        for (name, value) in object(bytes)?.members {
            see(Entry {
                key: Name::Text(unescaped(name.get())?),
                name: name.get().as_bytes(),
                value: value.get().as_bytes(),
            });
        }
        Some(())
    }

    fn write(entries: &[Entry<'_>], out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, entry) in entries.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(entry.name);
            out.push(b':');
            out.extend_from_slice(entry.value);
        }
        out.push(b'}');
    }

    fn write_text(text: &str, out: &mut Vec<u8>) {
        // Text always has a form in JSON, and writing into a `Vec` cannot fail.
        let _ = serde_json::to_writer(out, text);
    }

    fn text(value: &[u8]) -> Option<Cow<'_, str>> {
        unescaped(str::from_utf8(value).ok()?)
    }

    fn is_falsy(value: &[u8]) -> bool {
        matches!(value, b"false" | b"null" | b"0" | b"0.0" | b"\"\"" | b"[]" | b"{}")
    }
}

/// The text that a string stands for; `None` when it is no string.
fn unescaped(string: &str) -> Option<Cow<'_, str>> {
    let inner = string.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        false => Some(Cow::Borrowed(inner)),
        true => serde_json::from_str(string).ok().map(Cow::Owned),
    }
}

/// An object's members, names and values as written.
struct Object<'a> {
    members: Vec<(&'a RawValue, &'a RawValue)>,
}

/// `None` for JSON that is not an object.
fn object(json: &[u8]) -> Option<Object<'_>> {
    serde_json::from_slice(json).ok()
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object { members })
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::error::Error;

    use super::*;

    #[test]
    fn members_that_only_the_other_request_changed_are_kept() {
        let merged = Json::<HashMap<String, serde_json::Value>>::merge(
            br#"{"a":1,"b":"x"}"#,
            br#"{"a":1,"b":"y"}"#,
            br#"{"a":2,"b":"x","later \"version\"":[1,{"z":null}]}"#,
        );
        assert_eq!(
            String::from_utf8(merged.expect("merged")).expect("text"),
            r#"{"a":2,"b":"y","later \"version\"":[1,{"z":null}]}"#
        );
    }

    #[test]
    fn a_number_that_json_does_not_know_is_refused_wherever_it_stands() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let data = vec![Some(1.5), Some(number)];
            assert!(Json::encode(&data, &mut Vec::new()).is_err(), "{number}");
        }
        assert!(Json::encode(&vec![Some(f64::MAX), None], &mut Vec::new()).is_ok());
    }

    #[test]
    fn a_refusal_says_why_without_the_data() {
        fn why(data: &impl SessionData) -> Option<Unrepresentable> {
            let fault = Json::encode(data, &mut Vec::new()).expect_err("refused");
            fault.source().and_then(|why| why.downcast_ref()).copied()
        }

        assert_eq!(why(&f64::NAN), Some(Unrepresentable::NonFiniteNumber));
        assert_eq!(why(&vec![(f32::INFINITY,)]), Some(Unrepresentable::NonFiniteNumber));
        assert_eq!(why(&HashMap::from([((1, 2), 3)])), Some(Unrepresentable::MapKey));
    }

    #[test]
    fn data_that_are_not_an_object_are_merged_as_a_whole() {
        assert_eq!(Json::<()>::merge(b"[1]", b"[1]", b"[2]").expect("merged"), b"[2]");
        assert_eq!(Json::<()>::merge(b"[1]", b"[3]", b"[2]").expect("merged"), b"[3]");
    }
}
