//! How session data become bytes: the [`Codec`] trait, and the codecs.

#[cfg(any(feature = "json", feature = "messagepack", feature = "postcard"))]
#[macro_use]
mod marker;
#[cfg(any(feature = "json", feature = "messagepack"))]
mod by_entry;
#[cfg(any(feature = "json", feature = "messagepack"))]
mod depth;
mod fields;
#[cfg(feature = "flask")]
mod flask;
#[cfg(feature = "json")]
mod json;
#[cfg(any(feature = "json", feature = "messagepack"))]
mod kind;
#[cfg(feature = "messagepack")]
mod messagepack;
mod named;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(any(feature = "json", feature = "messagepack"))]
mod reading;
mod strict;
mod undecodable;
mod unrepresentable;
#[cfg(any(feature = "json", feature = "messagepack"))]
mod writing;

use std::error::Error;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::record::RecordFormat;

pub use self::fields::{Field, merge_fields, merge_whole};
#[cfg(feature = "flask")]
pub use self::flask::{Flask, FlaskError};
#[cfg(feature = "json")]
pub use self::json::{Json, JsonError};
#[cfg(feature = "messagepack")]
pub use self::messagepack::{MessagePack, MessagePackError};
pub use self::named::NamedFields;
#[doc(hidden)]
pub use self::named::{Entry, Name};
#[cfg(feature = "postcard")]
pub use self::postcard::{Postcard, PostcardData, PostcardError};
pub use self::strict::Strict;
pub use self::undecodable::Undecodable;
pub use self::unrepresentable::Unrepresentable;

/// What can be kept in a session: a struct that is `Default`, `Serialize` and
/// `Deserialize`.
///
/// It is implemented for every type that has the three and can be sent between
/// threads; there is nothing to write.
///
/// The data own what they hold, since they outlive the request that they came with:
/// `String` and `Vec<u8>` instead of `&str` and `&[u8]`. Of a struct that borrows, such as
/// `struct Cart<'a> { name: &'a str }`, the compiler says that "implementation of
/// `Deserialize` is not general enough".
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a session",
    label = "this type lacks something that session data need",
    note = "write `#[derive(Default, serde::Serialize, serde::Deserialize)]` above `{Self}`",
    note = "session data own what they hold and are shared between threads: no references, no `Rc`, no `RefCell`"
)]
pub trait SessionData: Default + Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Default + Serialize + DeserializeOwned + Send + Sync + 'static> SessionData for T {}

/// Encodes session data as bytes, and decodes them. A codec has no state, so its
/// functions have no `self`.
#[diagnostic::on_unimplemented(
    message = "nothing says what a session holds",
    label = "`{Self}` is not a `Codec`",
    note = "on the configuration, call `.data::<YourStruct>()`, or `.codec(...)` with a codec of your choice",
    note = "in the type of a session, name the codec too: `Session<.., MessagePack<YourStruct>, ..>`"
)]
pub trait Codec: Send + Sync + 'static {
    /// The session data.
    type Data: Default + Send + Sync + 'static;

    /// What can go wrong.
    ///
    /// [`Error::Codec`](crate::Error::Codec) has it as its source, and a program may log
    /// it. The errors of the codecs here quote no session data. In a codec of your own,
    /// leave out the messages of serde, which often quote the value that serde refuses.
    /// The layer's log has only a source of it that is an [`Unrepresentable`] or an
    /// [`Undecodable`].
    type Error: Error + Send + Sync + 'static;

    /// The format of the records that the data are kept in:
    /// [`NativeRecord`](crate::NativeRecord), unless another program reads them.
    type Record: RecordFormat;

    /// Appends the bytes of `data` to `out`.
    ///
    /// # Errors
    ///
    /// When the format cannot represent the data.
    fn encode(data: &Self::Data, out: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// Reads data back from all of `bytes`.
    ///
    /// # Errors
    ///
    /// When they are anything else than what [`encode`](Self::encode) writes.
    fn decode(bytes: &[u8]) -> Result<Self::Data, Self::Error>;

    /// Appends to `out` the data that are written over `stored`: what is encoded in
    /// `mine`, and what another version of the program may have put into `stored` and
    /// this one does not know.
    ///
    /// It is called for every write of a session that is stored already, and that
    /// this request did not sign in or begin anew. `stored` is what
    /// [`decode`](Self::decode) read, `base` is the encoding of what came out of it,
    /// before the handler changed it, and `mine` the encoding of what the handler
    /// left. There is no `base` where the data could not be encoded before.
    ///
    /// # Default
    ///
    /// The data are one value: `mine`.
    ///
    /// # Errors
    ///
    /// When one of the three is not what its description says.
    fn retain(
        base: Option<&[u8]>,
        mine: &[u8],
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Self::Error> {
        let _ = (base, stored);
        out.extend_from_slice(mine);
        Ok(())
    }

    /// Brings together two changes that were made to `base` at the same time:
    /// what `mine` changed wins, all else is kept from `theirs`. These are what another
    /// request stored, which may belong to another version of the program.
    ///
    /// # Default
    ///
    /// The data are one value: `mine`, unless it changed nothing.
    ///
    /// # Errors
    ///
    /// When `base` and `mine` are not what [`encode`](Self::encode) writes, or when
    /// [`decode`](Self::decode) cannot read `theirs`.
    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Self::Error> {
        Ok(merge_whole(base, mine, theirs))
    }

    /// What this program knows of the data in `stored`, which another request has written.
    /// It is called where rights change, and nothing else may be kept. `seen` are
    /// encodings of what this request has found and left.
    ///
    /// # Default
    ///
    /// What comes out of `stored`, encoded anew. A codec whose data can be a map keeps only
    /// entries that are in one of `seen`.
    ///
    /// # Errors
    ///
    /// When [`decode`](Self::decode) cannot read `stored`, or the format cannot represent
    /// what came out of it.
    fn known(seen: &[&[u8]], stored: &[u8]) -> Result<Vec<u8>, Self::Error> {
        let _ = seen;
        let mut known = Vec::with_capacity(stored.len());
        Self::encode(&Self::decode(stored)?, &mut known)?;
        Ok(known)
    }

    /// Whether [`merge`](Self::merge) brings changes together field by field.
    ///
    /// # Default
    ///
    /// `false`: the data count as a whole.
    #[must_use]
    fn has_fields() -> bool {
        false
    }
}
