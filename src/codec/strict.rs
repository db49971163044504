//! A codec that drops stored entries which the program does not know.

use std::marker::PhantomData;

use super::{Codec, NamedFields};

/// A codec that writes the data and nothing else: what another version of the program
/// stored, and this one does not know, is dropped at the first change.
///
/// [`MessagePack`](super::MessagePack) and `Json` on their own keep such entries, so
/// that two versions can run side by side. Choose this one where a record must hold
/// nothing but what the program that wrote it last knows. Until all instances know a
/// new field, each change by an older one takes it away.
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
/// use cloakroom::{Config, Memory, MessagePack, Session, Strict, Unsigned};
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Account {
///     user_id: Option<u64>,
/// }
///
/// type AccountSession = Session<Memory, Strict<MessagePack<Account>>, Unsigned>;
///
/// let sessions = Config::new()
///     .store(Memory::new())
///     .codec(MessagePack::<Account>::new().strict())
///     .build();
/// # let _ = async |session: AccountSession| drop(session);
/// # let _ = sessions;
/// # }
/// ```
pub struct Strict<C> {
    codec: PhantomData<fn() -> C>,
}

impl<C: NamedFields> Strict<C> {
    /// The codec, to be given to `Config::codec`.
    #[must_use]
    pub const fn new() -> Self {
        Self { codec: PhantomData }
    }
}

impl<C: NamedFields> Codec for Strict<C> {
    type Data = C::Data;
    type Error = C::Error;
    type Record = C::Record;

    fn encode(data: &C::Data, out: &mut Vec<u8>) -> Result<(), C::Error> {
        C::encode(data, out)
    }

    fn decode(bytes: &[u8]) -> Result<C::Data, C::Error> {
        C::decode(bytes)
    }

    fn has_fields() -> bool {
        C::has_fields()
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, C::Error> {
        let mut known = Vec::with_capacity(theirs.len());
        C::encode(&C::decode(theirs)?, &mut known)?;
        C::merge(base, mine, &known)
    }

    fn known(seen: &[&[u8]], stored: &[u8]) -> Result<Vec<u8>, C::Error> {
        C::known(seen, stored)
    }
}

impl<C> Clone for Strict<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Strict<C> {}

impl<C: NamedFields> Default for Strict<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<C> std::fmt::Debug for Strict<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Strict")
    }
}
