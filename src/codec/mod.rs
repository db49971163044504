//! How session data become bytes: the [`Codec`] trait, and the codecs.

#[cfg(any(feature = "json", feature = "messagepack", feature = "postcard"))]
#[macro_use]
mod marker;
mod fields;
#[cfg(feature = "flask")]
mod flask;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "messagepack")]
mod messagepack;
mod named;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(feature = "json")]
mod strict;
mod unrepresentable;

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

/// Turns session data into bytes and back. A codec has no state, so all its
/// functions stand without `self`.
#[diagnostic::on_unimplemented(
    message = "nothing says what a session holds",
    label = "`{Self}` is not a `Codec`",
    note = "on the configuration, call `.data::<YourStruct>()`, or `.codec(...)` with a codec of your choice",
    note = "in the type of a session, name the codec too: `Session<.., Postcard<YourStruct>, ..>`"
)]
pub trait Codec: Send + Sync + 'static {
    /// The session data.
    type Data: Default + Send + Sync + 'static;

    /// What can go wrong.
    ///
    /// [`Error::Codec`](crate::Error::Codec) hands it on as it is, to whoever logs
    /// errors. Those of the codecs here quote no session data; in a codec of your
    /// own, leave out what serde says, which often quotes the value that it refuses.
    /// The layer's log has only a source of it that is an [`Unrepresentable`].
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

    /// Brings together two changes that were made to `base` at the same time:
    /// what `mine` changed wins, all else is kept from `theirs`.
    ///
    /// # Default
    ///
    /// The data count as a whole: `mine`, unless it changed nothing.
    ///
    /// # Errors
    ///
    /// When one of the three is not what [`encode`](Self::encode) writes.
    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Self::Error> {
        Ok(merge_whole(base, mine, theirs))
    }

    /// What is stored when `base` was changed to `mine`: what this program does not know
    /// in the `stored` data is kept. They are what `base` was read from.
    ///
    /// # Default
    ///
    /// The data count as a whole: `mine`.
    ///
    /// # Errors
    ///
    /// When one of the three is not what [`encode`](Self::encode) writes.
    fn retain(base: &[u8], mine: &[u8], stored: &[u8]) -> Result<Vec<u8>, Self::Error> {
        let _ = (base, stored);
        Ok(mine.to_vec())
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
