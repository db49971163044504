//! How a [`Session`] comes about, stands for its data, and goes back.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use http::HeaderMap;

use super::present::Present;
use super::slot::Slot;
use super::{Session, State};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::cookie::Credentials;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::{Store, Writable};

/// Where a [`Session`] comes from.
pub(super) enum Home<S: Store, C: Codec, K: Signer> {
    /// It was opened by hand, and is closed by hand.
    Open(Sessions<S, C, K>),
    /// It returns to the slot of its request.
    Slot(Arc<Slot<S, C, K>>),
}

impl<S: Store, C: Codec, K: Signer> Home<S, C, K> {
    pub(super) fn sessions(&self) -> &Sessions<S, C, K> {
        match self {
            Self::Open(sessions) => sessions,
            Self::Slot(slot) => slot.sessions(),
        }
    }
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    /// Opens the session whose cookie the request's headers carry, or a new one.
    ///
    /// Of several cookies of the name, the first that leads to a session counts. Up to
    /// 32 values are verified, and up to eight ids looked up.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store fails. A cookie that
    /// is unknown, expired, forged or malformed is no error: the session is new.
    pub async fn open(&self, request_headers: &HeaderMap) -> Result<Session<S, C, K>, Error> {
        let state = State::open(self, &Credentials::of(request_headers)).await?;
        Ok(Session::new(Home::Open(self.clone()), state))
    }
}

impl<S: Store, C: Codec, K: Signer> Session<S, C, K> {
    pub(super) const fn new(home: Home<S, C, K>, state: Box<State<S, C>>) -> Self {
        Self { home, state: Present::new(state) }
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
        if let (Home::Slot(slot), Some(state)) = (&self.home, self.state.take()) {
            slot.put_back(state);
        }
    }
}

impl<S: Store, C: Codec, K: Signer> fmt::Debug for Session<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
