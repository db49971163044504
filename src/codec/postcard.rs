//! Postcard, with the smallest records.

mod data;
mod form;
mod mark;
mod reader;
mod split;
mod writer;

use std::marker::PhantomData;

use ::postcard::Serializer;
use ::postcard::ser_flavors::Flavor;

pub use self::data::PostcardData;
use self::form::{Form, OTHER_STEP};
use self::writer::Writer;
use super::{Codec, Undecodable, Unrepresentable, merge_fields, merge_whole};
use crate::record::NativeRecord;

/// Session data in the postcard wire format, behind eight bytes that mark the type:
/// no names of fields, so the record is the smallest.
///
/// It is strict. The mark covers everything that the type's
/// [`Schema`](postcard_schema::Schema) says, at every level: the names of structs,
/// enums, fields and variants, their order, and the type of each value. **A program
/// whose session data have another type cannot read the records of the one before it**:
/// another field, variant or name ends the session, and so does a wider integer. To
/// change the struct while sessions live, use [`MessagePack`](super::MessagePack).
///
/// The schema is derived by the crate `postcard-schema`, which stands in the
/// application's own Cargo.toml:
///
/// ```toml
/// postcard-schema = { version = "0.2", features = ["derive"] }
/// ```
///
/// # What has no form
///
/// A schema does not see serde's attributes. Each value is therefore compared with the
/// schema when it is written and when it is read. What serde does otherwise is an error,
/// and is never stored or read:
///
/// - `skip`, `skip_serializing_if` and `flatten`, and `skip` on a variant;
/// - `tag` and `untagged`, and `serde_json::Value`;
/// - `with`, `into` and `from`, if another type is written than the field has: write
///   [`Schema`](postcard_schema::Schema) by hand for a type of your own around it.
///
/// These do not compile:
///
/// - a type that contains itself (the compiler reports a cycle), or nests more than 32
///   levels;
/// - `usize` and `isize`, whose size depends on the machine, and what
///   `postcard-schema` has no schema for;
/// - `SocketAddr`, which serde writes otherwise than its schema says;
/// - a list of values that take no bytes, such as `Vec<()>`.
///
/// # What the mark does not cover
///
/// - The meaning of a value. Two attributes `with` that write one type, a number of
///   seconds and one of milliseconds, have one mark.
/// - A type parameter that no field has: `Id<User>` and `Id<Admin>` around a
///   `PhantomData` have one mark.
/// - The path of a type: `a::User` and `b::User` with equal fields have one mark.
///
/// An update of `postcard-schema` that describes a type of the standard library
/// otherwise ends the sessions that hold one.
///
/// # Example
///
/// ```
/// # #[cfg(feature = "memory")] {
/// use cloakroom::{Config, Memory, Postcard, Session, Sessions, Unsigned};
/// use postcard_schema::Schema;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Default, Serialize, Deserialize, Schema)]
/// struct Account {
///     user_id: Option<u64>,
///     role: Role,
/// }
///
/// #[derive(Default, Serialize, Deserialize, Schema)]
/// enum Role {
///     #[default]
///     Visitor,
///     Editor { since: u32 },
/// }
///
/// type AccountSession = Session<Memory, Postcard<Account>, Unsigned>;
/// type AccountSessions = Sessions<Memory, Postcard<Account>, Unsigned>;
///
/// let sessions: AccountSessions =
///     Config::new().store(Memory::new()).codec(Postcard::<Account>::new()).build();
/// # let _ = async |session: AccountSession| drop(session);
/// # }
/// ```
pub struct Postcard<T> {
    data: PhantomData<fn() -> T>,
}

marker!(Postcard);

impl<T> Postcard<T> {
    /// The codec, to be given to `Config::codec`.
    #[must_use]
    pub const fn new() -> Self
    where
        T: PostcardData,
    {
        // What has no mark does not compile here, where the codec is chosen.
        let _ = Self::MARK;
        Self { data: PhantomData }
    }
}

impl<T: PostcardData> Postcard<T> {
    const MARK: [u8; mark::BYTES] = mark::of::<T>();
    const FORM: Form = Form::of(T::SCHEMA);
}

/// The data have no form in postcard, or the bytes are not the data's.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PostcardError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the session data have no form in postcard")]
    Encode(#[source] Unrepresentable),
    #[error("the session data are read otherwise than their schema says")]
    DecodeOtherwise(#[source] Unrepresentable),
    #[error("the bytes are not the session data in postcard")]
    Decode(#[source] Undecodable),
}

const OTHER_TYPE: Undecodable =
    Undecodable::new("the session data had another type, or the same one before a change");

impl Cause {
    fn of_decoding(error: ::postcard::Error) -> Self {
        match error {
            OTHER_STEP => Self::DecodeOtherwise(Unrepresentable::WithoutNames),
            ::postcard::Error::DeserializeUnexpectedEnd => Self::Decode(Undecodable::CUT_SHORT),
            _ => Self::Decode(Undecodable::MISFIT),
        }
    }
}

impl<T: PostcardData> Codec for Postcard<T> {
    type Data = T;
    type Error = PostcardError;
    type Record = NativeRecord;

    fn encode(data: &T, out: &mut Vec<u8>) -> Result<(), PostcardError> {
        out.extend_from_slice(&Self::MARK);
        let output = &mut Serializer { output: Append(out) };
        data.serialize(Writer { output, form: Self::FORM })
            .map_err(|_| Cause::Encode(Unrepresentable::WithoutNames).into())
    }

    fn decode(bytes: &[u8]) -> Result<T, PostcardError> {
        let bytes = bytes.strip_prefix(&Self::MARK).ok_or(Cause::Decode(OTHER_TYPE))?;
        match reader::read(bytes, Self::FORM).map_err(Cause::of_decoding)? {
            (data, []) => Ok(data),
            _ => Err(Cause::Decode(Undecodable::TRAILING_BYTES).into()),
        }
    }

    fn has_fields() -> bool {
        true
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, PostcardError> {
        let [before, my, their] = [Self::decode(base)?, Self::decode(mine)?, Self::decode(theirs)?];
        // All three were decoded, so each has the mark.
        let [Some(before), Some(my), Some(their)] = [
            split::fields(&before, &base[mark::BYTES..]),
            split::fields(&my, &mine[mark::BYTES..]),
            split::fields(&their, &theirs[mark::BYTES..]),
        ] else {
            return Ok(merge_whole(base, mine, theirs));
        };
        let merged = merge_fields(&before, &my, &their);
        let values = merged.iter().map(|field| field.value);
        Ok([&Self::MARK[..]].into_iter().chain(values).flatten().copied().collect())
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
    use std::error::Error;

    use postcard_schema::Schema;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    struct Plain {
        a: u8,
        b: String,
        c: Vec<u8>,
    }

    fn encoded<T: PostcardData>(data: &T) -> Result<Vec<u8>, PostcardError> {
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
    fn what_another_struct_wrote_is_not_read() {
        #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
        struct Before {
            user_id: u32,
            visits: u32,
        }
        #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
        struct After {
            visits: u32,
            user_id: u32,
        }

        let bytes = encoded(&Before { user_id: 4_711, visits: 1 }).expect("encoded");
        let fault = Postcard::<After>::decode(&bytes).expect_err("the fields have another order");
        let why = fault.source().map(ToString::to_string);
        assert_eq!(why, Some(OTHER_TYPE.to_string()));
        assert!(Postcard::<Before>::decode(&bytes).is_ok());
        assert!(Postcard::<Before>::decode(&bytes[..7]).is_err());
    }

    #[test]
    fn a_refusal_says_why() {
        #[derive(Debug, Default, Serialize, Deserialize, Schema)]
        struct Flat {
            #[serde(flatten)]
            all: std::collections::HashMap<String, u8>,
        }

        let fault = encoded(&Flat::default()).expect_err("a map of unknown length");
        let why = fault.source().map(ToString::to_string);
        assert!(why.is_some_and(|why| why.contains("use MessagePack or Json")));
    }

    #[test]
    fn bytes_after_the_data_are_refused() {
        let mut bytes = encoded(&Plain::default()).expect("encoded");
        bytes.push(0);
        assert!(Postcard::<Plain>::decode(&bytes).is_err());
    }
}
