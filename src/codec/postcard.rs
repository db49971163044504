//! Postcard: the smallest and the fastest.

mod shape;
mod skipping;
mod split;

use std::marker::PhantomData;

use ::postcard::ser_flavors::Flavor;
use ::postcard::{Serializer, take_from_bytes};

use self::skipping::{Refuse, Strict};
use super::{Codec, SessionData, Unrepresentable, merge_fields, merge_whole};

/// Session data in the postcard wire format, behind four bytes that mark the
/// struct: no field names, no types, so it is small and fast.
///
/// A struct whose fields change while sessions live cannot read them any more:
/// their visitors begin with new ones. Use a codec with named fields where that is
/// too much. The mark covers the names, order and kinds of fields, also in structs
/// and tuples inside them, so that nothing is read as something else. **It does not
/// cover what is inside an enum, an `Option`, a list or a map**: such a type has to
/// stay as it is, or to change together with the name of a field around it. Integers
/// of 16 bits and more may get wider.
///
/// Data that need the names or marks to be read back cannot be saved:
/// `#[serde(flatten)]`, `#[serde(untagged)]`, `#[serde(tag = "..")]`,
/// `#[serde(skip_serializing_if = "..")]` and `serde_json::Value`.
pub struct Postcard<T> {
    data: PhantomData<fn() -> T>,
}

marker!(Postcard);

impl<T: SessionData> Postcard<T> {
    /// The codec, to be given to `Config::codec`.
    #[must_use]
    pub const fn new() -> Self {
        Self { data: PhantomData }
    }
}

/// The data have no form in postcard, or the bytes are not the data's.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PostcardError(#[from] Cause);

/// The errors of `postcard` have no fields, and so quote no data.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the session data have no form in postcard")]
    Encode(#[source] Unrepresentable),
    #[error("the bytes are not the session data in postcard")]
    Decode(#[source] ::postcard::Error),
    #[error("bytes follow the session data")]
    TrailingBytes,
    #[error("the bytes are those of another struct")]
    OtherShape,
}

impl<T: SessionData> Codec for Postcard<T> {
    type Data = T;
    type Error = PostcardError;

    fn encode(data: &T, out: &mut Vec<u8>) -> Result<(), PostcardError> {
        out.extend_from_slice(&shape::mark(data));
        let inner = &mut Serializer { output: Append(out) };
        data.serialize(Strict { inner, refuse: Refuse::SkippedFields })
            .map_err(|_| Cause::Encode(Unrepresentable::WithoutNames).into())
    }

    fn decode(bytes: &[u8]) -> Result<T, PostcardError> {
        let (mark, bytes) = bytes.split_first_chunk().ok_or(Cause::OtherShape)?;
        match take_from_bytes(bytes).map_err(Cause::Decode)? {
            (data, []) if shape::mark(&data) == *mark => Ok(data),
            (_, []) => Err(Cause::OtherShape.into()),
            _ => Err(Cause::TrailingBytes.into()),
        }
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, PostcardError> {
        let [before, my, their] = [Self::decode(base)?, Self::decode(mine)?, Self::decode(theirs)?];
        // All three were decoded, so each has its mark.
        let [Some(before), Some(my), Some(their)] = [
            split::fields(&before, &base[shape::BYTES..]),
            split::fields(&my, &mine[shape::BYTES..]),
            split::fields(&their, &theirs[shape::BYTES..]),
        ] else {
            return Ok(merge_whole(base, mine, theirs));
        };
        let merged = merge_fields(&before, &my, &their);
        let values = merged.iter().map(|field| field.value);
        Ok([&mine[..shape::BYTES]].into_iter().chain(values).flatten().copied().collect())
    }
}

/// The bytes of `u64::MAX`, seven bits in each.
const LONGEST_NUMBER: usize = 10;

/// Writes at the end of a `Vec`.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> ::postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> ::postcard::Result<()> {
        // A number has a few bytes: calling `memcpy` for them takes longer.
        if bytes.len() <= LONGEST_NUMBER {
            for &byte in bytes {
                self.0.push(byte);
            }
        } else {
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finalize(self) -> ::postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Plain {
        a: u8,
        b: String,
        c: Vec<u8>,
    }

    fn encoded<T: SessionData>(data: &T) -> Result<Vec<u8>, PostcardError> {
        let mut out = Vec::new();
        Postcard::encode(data, &mut out).map(|()| out)
    }

    #[test]
    fn fields_that_only_the_other_request_changed_are_kept() {
        let plain = |a: u8, b: &str, c: &[u8]| {
            encoded(&Plain { a, b: b.to_owned(), c: c.to_vec() }).expect("encoded")
        };
        let base = plain(1, "base", &[1]);
        let mine = plain(1, "mine, and longer", &[1]);
        let theirs = plain(200, "theirs", &[]);
        let merged = Postcard::<Plain>::merge(&base, &mine, &theirs).expect("merged");
        assert_eq!(merged, plain(200, "mine, and longer", &[]));
    }

    #[test]
    fn a_skipped_field_is_refused_wherever_it_stands() {
        #[derive(Debug, Default, Serialize, Deserialize)]
        struct Skipping {
            #[serde(default, skip_serializing_if = "Option::is_none")]
            a: Option<u8>,
            b: u8,
            c: Vec<u8>,
        }

        // Without the check, these bytes would be read as `b: 1, c: []`.
        let data = Skipping { a: None, b: 0, c: vec![0] };
        assert!(encoded(&data).is_err());
        assert!(encoded(&vec![Some((1, data))]).is_err());
        assert!(encoded(&Skipping { a: Some(1), b: 0, c: vec![] }).is_ok());
    }

    #[test]
    fn what_another_struct_wrote_is_not_read() {
        #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
        struct Before {
            user_id: u32,
            visits: u32,
        }
        #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
        struct After {
            visits: u32,
            user_id: u32,
        }

        let bytes = encoded(&Before { user_id: 4_711, visits: 1 }).expect("encoded");
        let fault = Postcard::<After>::decode(&bytes).expect_err("the fields have another order");
        assert_eq!(fault.to_string(), "the bytes are those of another struct");
        assert!(Postcard::<Before>::decode(&bytes).is_ok());
        assert!(Postcard::<Before>::decode(&bytes[..3]).is_err());
    }

    #[test]
    fn a_refusal_says_why() {
        #[derive(Debug, Default, Serialize, Deserialize)]
        struct Flat {
            #[serde(flatten)]
            all: std::collections::HashMap<String, u8>,
        }

        let fault = encoded(&Flat::default()).expect_err("a map of unknown length");
        let why = std::error::Error::source(&fault).map(ToString::to_string);
        assert!(why.is_some_and(|why| why.contains("flattened: use MessagePack or Json")));
    }

    #[test]
    fn bytes_after_the_data_are_refused() {
        let mut bytes = encoded(&Plain::default()).expect("encoded");
        bytes.push(0);
        assert!(Postcard::<Plain>::decode(&bytes).is_err());
    }
}
