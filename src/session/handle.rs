//! How a [`Session`] comes about, stands for its data, and goes back.

use std::fmt;
use std::ops::{Deref, DerefMut};

use http::HeaderMap;

use super::present::Present;
use super::{Session, State, peg};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::{Store, Writable};

/// What an open session consists of.
pub(crate) struct Parts<S: Store, C: Codec, K: Signer> {
    pub(crate) sessions: Sessions<S, C, K>,
    pub(crate) state: Box<State<S, C>>,
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    /// Opens the session whose ticket the request's headers carry, or a new one.
    ///
    /// Of several cookies of the name, the first that leads to a session counts;
    /// three are looked up at most.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store fails. A ticket that
    /// is unknown, expired, forged or malformed is no error: the session is new.
    pub async fn open(&self, request_headers: &HeaderMap) -> Result<Session<S, C, K>, Error> {
        let state = State::open(self, request_headers).await?;
        Ok(Session { parts: Present::new(Parts { sessions: self.clone(), state }), loan: None })
    }
}

impl<S: Store, C: Codec, K: Signer> Deref for Session<S, C, K> {
    type Target = C::Data;

    fn deref(&self) -> &C::Data {
        &self.state().data
    }
}

/// Only where the store is [`Writable`]: a generic handler that changes a field says
/// `S: Writable` instead of `S: Store`.
impl<S: Writable, C: Codec, K: Signer> DerefMut for Session<S, C, K> {
    fn deref_mut(&mut self) -> &mut C::Data {
        self.state_mut().data_mut()
    }
}

impl<S: Store, C: Codec, K: Signer> Drop for Session<S, C, K> {
    fn drop(&mut self) {
        if let (Some(loan), Some(parts)) = (self.loan, self.parts.take()) {
            peg::give_back(parts, loan);
        }
    }
}

impl<S: Store, C: Codec, K: Signer> fmt::Debug for Session<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
