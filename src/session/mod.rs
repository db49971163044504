//! One open session in one request: [`Session`].

mod address;
mod draft;
mod end;
mod open;
#[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "only a layer lends sessions"))]
pub(crate) mod peg;
mod plan;
mod present;
mod save;
mod spare;
mod state;
mod ticket;
mod update;

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

pub(crate) use self::open::State;
use self::open::Stored;
use self::present::Present;
use self::state::Fate;
#[cfg(feature = "tower")]
pub(crate) use self::{state::Step, ticket::vary_by_cookie};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::SessionError;
use crate::id::SessionId;
use crate::signer::Signer;
use crate::store::{Keep, Store};

/// One open session in one request.
///
/// It dereferences to the session data. Whether they were modified is decided
/// by their encoded bytes, so a `&mut` that changes nothing writes nothing;
/// changes behind a shared reference (a `Cell`, a `Mutex`) are not seen.
///
/// Under the layer, a handler takes it as an argument, and what it changed is
/// saved when the response is ready, unless the response is a server error.
/// Without the layer, [`Sessions::open`] makes one and [`close`](Self::close)
/// saves it.
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "postcard"))] {
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # struct Cart { items: Vec<u32> }
/// use cloakroom::{HmacSha256, Memory, Postcard, Session};
///
/// type CartSession = Session<Memory, Postcard<Cart>, HmacSha256>;
///
/// async fn add(mut session: CartSession) -> String {
///     session.items.push(7);
///     format!("{} items", session.items.len())
/// }
/// # }
/// ```
#[must_use = "a session that is dropped without `close` saves nothing, unless a layer holds it"]
pub struct Session<S: Store, C: Codec, K: Signer> {
    /// Absent only once it was closed or given back.
    parts: Present<Parts<S, C, K>>,
    /// How the layer knows it, which takes it back.
    loan: Option<peg::Loan>,
}

/// What an open session consists of.
pub(crate) struct Parts<S: Store, C: Codec, K: Signer> {
    pub(crate) sessions: Sessions<S, C, K>,
    pub(crate) state: Box<State<S, C>>,
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    /// Opens the session whose ticket the request's headers carry, or a new one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store fails. A ticket that
    /// is unknown, expired, forged or malformed is no error: the session is new.
    pub async fn open(
        &self,
        request_headers: &HeaderMap,
    ) -> Result<Session<S, C, K>, SessionError<S, C>> {
        let state = State::open(self, request_headers).await?;
        Ok(Session { parts: Present::new(Parts { sessions: self.clone(), state }), loan: None })
    }
}

impl<S: Store, C: Codec, K: Signer> Session<S, C, K> {
    /// The id; `None` while the session is new.
    ///
    /// Whoever knows it is signed in with it: keep it out of logs.
    #[must_use]
    pub fn id(&self) -> Option<&SessionId> {
        self.state().stored.as_ref().map(|_| &self.state().address.id)
    }

    /// Whether nothing is stored for this session yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state().stored.is_none()
    }

    /// When the session was created; `None` while it is new, and where its record
    /// does not say it, as in one that Flask shares.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        let stored = self.stored_with_times()?;
        Some(system_time(stored.header.created_at))
    }

    /// When the session ends unless it is used; `None` while it is new, and where
    /// the store alone knows it, as in a record that Flask shares.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        let stored = self.stored_with_times()?;
        Some(system_time(stored.header.expires_at(self.parts.sessions.settings())))
    }

    /// Whether the cookie outlives the browser.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.state().permanent
    }

    /// Gives the session a fresh id when it is saved, and ends the old one. Call
    /// it whenever a user signs in or gains rights, so that an id which somebody
    /// planted before is worth nothing (session fixation).
    ///
    /// A request that still carries the old ticket within the next minute is
    /// anonymous, and what it changes is not saved; later ones are as any with a
    /// ticket that is worth nothing.
    pub fn rotate(&mut self)
    where
        S: Keep,
    {
        let state = self.state_mut();
        if matches!(state.fate, Fate::Keep | Fate::Late) {
            state.fate = Fate::Rotate;
        }
    }

    /// Ends the session: its record is removed, and the browser is told to
    /// forget the ticket. Changes made before or afterwards are not saved.
    pub fn destroy(&mut self) {
        self.state_mut().fate = Fate::Destroy;
    }

    /// Says whether the cookie outlives the browser, for this session from now
    /// on. Flask's `session.permanent`.
    ///
    /// # Default
    ///
    /// What the configuration says, `true` unless it was changed.
    pub fn set_permanent(&mut self, permanent: bool)
    where
        S: Keep,
    {
        self.state_mut().permanent = permanent;
    }

    /// Saves what was changed so far, and sends the ticket with the response.
    /// Not needed under the layer or before [`close`](Self::close), which save.
    ///
    /// When this future is dropped, the changes are saved or not, and the
    /// session remains usable.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of the store, the codec and the generator of
    /// ids; [`Error::Ended`](crate::Error::Ended) when the session was destroyed,
    /// rotated or expired meanwhile, or was opened with a ticket that `rotate` has
    /// just replaced; a conflict where the configuration rejects them. Nothing was
    /// saved then.
    pub async fn save(&mut self) -> Result<(), SessionError<S, C>>
    where
        S: Keep,
    {
        let Parts { sessions, state } = &mut *self.parts;
        state.save(sessions).await
    }

    /// Changes the data in one atomic step: calls `change` on the data as they
    /// were last seen, and saves, unless another request saved in between; then
    /// it reads the newest version and begins again. `change` may therefore run
    /// several times.
    ///
    /// Changes made before through `&mut` are saved first.
    ///
    /// When this future is dropped, the change is saved or not, and the session
    /// remains usable.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), and
    /// [`Error::Contended`](crate::Error::Contended) when a thousand attempts
    /// were not enough.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "postcard"))] {
    /// # use cloakroom::{Codec, Keep, Session, SessionError, Signer, Memory};
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Visits { count: u64 }
    /// # async fn visit<C: Codec<Data = Visits>, K: Signer>(session: &mut Session<Memory, C, K>) -> Result<(), SessionError<Memory, C>> {
    /// let count = session
    ///     .update(|visits| {
    ///         visits.count += 1;
    ///         visits.count
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// # }
    /// ```
    pub async fn update<R, F>(&mut self, change: F) -> Result<R, SessionError<S, C>>
    where
        S: Keep,
        F: FnMut(&mut C::Data) -> R,
    {
        let Parts { sessions, state } = &mut *self.parts;
        state.update(sessions, change).await
    }

    /// Closes the session: saves what was changed, sets or removes the cookie,
    /// and adds `Vary: Cookie`. A response that sets the cookie gets
    /// `Cache-Control: private`, unless the application said otherwise.
    ///
    /// For use without the layer.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), except that a session which was destroyed
    /// meanwhile is no error. After an error, the headers are untouched.
    pub async fn close(
        mut self,
        response_headers: &mut HeaderMap,
    ) -> Result<(), SessionError<S, C>> {
        let Some(Parts { sessions, mut state }) = self.parts.take() else { return Ok(()) };
        if let Some(loan) = self.loan {
            peg::forget(sessions.clone(), loan);
        }
        let plan = state.plan(sessions.settings(), false)?;
        state.carry_out(&sessions, plan).await?;
        state.write_ticket(&sessions, response_headers)?;
        state.put_aside();
        Ok(())
    }

    fn stored_with_times(&self) -> Option<&Stored<S>> {
        self.state().stored.as_ref().filter(|_| C::FOREIGN.is_none())
    }

    fn state(&self) -> &State<S, C> {
        &self.parts.state
    }

    fn state_mut(&mut self) -> &mut State<S, C> {
        &mut self.parts.state
    }
}

impl<S: Store, C: Codec, K: Signer> Deref for Session<S, C, K> {
    type Target = C::Data;

    fn deref(&self) -> &C::Data {
        &self.state().data
    }
}

impl<S: Keep, C: Codec, K: Signer> DerefMut for Session<S, C, K> {
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

fn system_time(unix_millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_millis)
}
