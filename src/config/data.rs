//! The short way to the default codec.

use super::{Config, WantsData};
use crate::codec::{MessagePack, SessionData};

impl<S, K> Config<S, WantsData, K> {
    /// What a session holds, encoded with [`MessagePack`]; short for
    /// `.codec(MessagePack::<T>::new())`.
    ///
    /// The name of the struct stands in the handlers' `Session` type, too. Annotating the
    /// built configuration keeps the two together:
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// use cloakroom::{Config, Memory, MessagePack, Session, Sessions, Unsigned};
    ///
    /// #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// struct Cart {
    ///     items: Vec<u32>,
    /// }
    ///
    /// type CartSession = Session<Memory, MessagePack<Cart>, Unsigned>;
    /// type CartSessions = Sessions<Memory, MessagePack<Cart>, Unsigned>;
    ///
    /// let sessions: CartSessions = Config::new().store(Memory::new()).data::<Cart>().build();
    /// # let _ = async |session: CartSession| drop(session);
    /// # }
    /// ```
    pub fn data<T: SessionData>(self) -> Config<S, MessagePack<T>, K> {
        self.codec(MessagePack::new())
    }
}
