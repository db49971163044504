//! Where a session waits between the handler and the response.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

use super::{Session, State};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::{Error, SessionError};
use crate::signer::Signer;
use crate::store::Store;

/// Shared by a request, which lends the session to the handler, and its
/// response, which saves it.
pub(crate) struct Slot<S: Store, C: Codec, K> {
    pub(crate) sessions: Sessions<S, C, K>,
    place: Mutex<Place<S, C>>,
}

/// What is in the slot.
#[expect(clippy::large_enum_variant, reason = "a session that comes back is moved, not boxed")]
pub(crate) enum Place<S: Store, C: Codec> {
    /// Nobody has asked for the session.
    Untouched,
    /// A `Session` has it.
    Lent,
    /// It came back.
    Parked(State<S, C>),
    /// The response is on its way.
    Closed,
}

impl<S: Store, C: Codec, K: Signer> Slot<S, C, K> {
    pub(crate) fn new(sessions: Sessions<S, C, K>) -> Self {
        Self { sessions, place: Mutex::new(Place::Untouched) }
    }

    /// Opens the session, or takes it up where it was put down.
    pub(crate) async fn lend(
        self: &Arc<Self>,
        headers: &HeaderMap,
    ) -> Result<Session<S, C, K>, SessionError<S, C>> {
        let opening = match self.replace(Place::Lent) {
            Place::Untouched => Opening(self),
            Place::Parked(state) => return Ok(self.session(state)),
            Place::Lent => return Err(Error::InUse),
            Place::Closed => {
                self.replace(Place::Closed);
                return Err(Error::InUse);
            }
        };
        let state = State::open(&self.sessions, headers).await?;
        mem::forget(opening);
        Ok(self.session(state))
    }

    /// Takes the session back from the handler.
    pub(crate) fn give_back(&self, state: State<S, C>) {
        let mut place = self.place();
        if matches!(*place, Place::Lent) {
            *place = Place::Parked(state);
        }
    }

    /// What became of the session, when the response is ready.
    pub(crate) fn close(&self) -> Place<S, C> {
        self.replace(Place::Closed)
    }

    /// Makes the slot as new, for another request.
    pub(crate) fn reset(&mut self) {
        *self.place.get_mut().unwrap_or_else(PoisonError::into_inner) = Place::Untouched;
    }

    fn session(self: &Arc<Self>, state: State<S, C>) -> Session<S, C, K> {
        Session { state: Some(state), sessions: self.sessions.clone(), home: Some(self.clone()) }
    }

    fn replace(&self, place: Place<S, C>) -> Place<S, C> {
        mem::replace(&mut *self.place(), place)
    }

    /// The lock is held for a move only, so a panic cannot leave half a session.
    fn place(&self) -> MutexGuard<'_, Place<S, C>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Frees the slot again when opening fails or is cancelled.
struct Opening<'a, S: Store, C: Codec, K: Signer>(&'a Slot<S, C, K>);

impl<S: Store, C: Codec, K: Signer> Drop for Opening<'_, S, C, K> {
    fn drop(&mut self) {
        let mut place = self.0.place();
        if matches!(*place, Place::Lent) {
            *place = Place::Untouched;
        }
    }
}
