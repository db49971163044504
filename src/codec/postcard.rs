//! Postcard: the smallest and the fastest.

mod split;

use std::marker::PhantomData;

use ::postcard::ser_flavors::Flavor;
use ::postcard::{Serializer, take_from_bytes};

use super::{Codec, SessionData, merge_fields, merge_whole};

/// Session data in the postcard wire format: no field names, no type marks, so
/// it is small and fast, and a struct must not change its fields while sessions
/// live. Use a codec with named fields where it does.
///
/// Data that need the names or marks to be read back cannot be saved:
/// `#[serde(flatten)]`, `#[serde(untagged)]`, `#[serde(tag = "..")]`,
/// `#[serde(skip_serializing_if = "..")]` and `serde_json::Value`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Postcard<T> {
    data: PhantomData<fn() -> T>,
}

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

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the session data have no form in postcard")]
    Encode(#[source] ::postcard::Error),
    #[error("the bytes are not the session data in postcard")]
    Decode(#[source] ::postcard::Error),
    #[error("bytes follow the session data")]
    TrailingBytes,
}

impl<T: SessionData> Codec for Postcard<T> {
    type Data = T;
    type Error = PostcardError;

    fn encode(data: &T, out: &mut Vec<u8>) -> Result<(), PostcardError> {
        data.serialize(&mut Serializer { output: Append(out) }).map_err(Cause::Encode)?;
        Ok(())
    }

    fn decode(bytes: &[u8]) -> Result<T, PostcardError> {
        match take_from_bytes(bytes).map_err(Cause::Decode)? {
            (data, []) => Ok(data),
            _ => Err(Cause::TrailingBytes.into()),
        }
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, PostcardError> {
        let [before, my, their] = [Self::decode(base)?, Self::decode(mine)?, Self::decode(theirs)?];
        let [Some(before), Some(my), Some(their)] =
            [split::fields(&before, base), split::fields(&my, mine), split::fields(&their, theirs)]
        else {
            return Ok(merge_whole(base, mine, theirs));
        };
        let merged = merge_fields(&before, &my, &their);
        Ok(merged.iter().flat_map(|field| field.value).copied().collect())
    }
}

/// Writes at the end of a `Vec`.
struct Append<'a>(&'a mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> ::postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> ::postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> ::postcard::Result<()> {
        Ok(())
    }
}
