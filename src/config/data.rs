//! The short way to the default codec.

use super::{Config, WantsData};
use crate::codec::{Postcard, PostcardData};

impl<S, K> Config<S, WantsData, K> {
    /// What a session holds, encoded with [`Postcard`]; short for
    /// `.codec(Postcard::<T>::new())`.
    ///
    /// The name of the struct stands in the handlers' `Session` type, too. Annotating the
    /// built configuration keeps the two together:
    ///
    /// ```
    /// # #[cfg(feature = "memory")] {
    /// use cloakroom::{Config, Memory, Postcard, Session, Sessions, Unsigned};
    ///
    /// #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// struct Cart {
    ///     items: Vec<u32>,
    /// }
    ///
    /// type CartSession = Session<Memory, Postcard<Cart>, Unsigned>;
    /// type CartSessions = Sessions<Memory, Postcard<Cart>, Unsigned>;
    ///
    /// let sessions: CartSessions = Config::new().store(Memory::new()).data::<Cart>().build();
    /// # let _ = async |session: CartSession| drop(session);
    /// # }
    /// ```
    pub fn data<T: PostcardData>(self) -> Config<S, Postcard<T>, K> {
        self.codec(Postcard::new())
    }
}
