//! The short way to the default codec.

use super::{Config, WantsData};
use crate::codec::{Postcard, SessionData};

impl<S, K> Config<S, WantsData, K> {
    /// What a session holds, encoded with [`Postcard`]; short for
    /// `.codec(Postcard::<T>::new())`.
    pub fn data<T: SessionData>(self) -> Config<S, Postcard<T>, K> {
        self.codec(Postcard::new())
    }
}
