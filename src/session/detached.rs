//! A session that goes on after the response: [`Detached`].

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::immediate::Immediate;
use super::session::{Home, Session};
use super::state::State;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::{Store, Writable};

/// A session without a response: for a socket, a stream or a job that goes on after
/// the response was sent. Made by [`Session::detach`].
///
/// It dereferences to the session data as they were last seen. Changes are saved by
/// [`save`](Self::save) or [`update`](Self::update), and lost when it is dropped. No
/// response can bring the browser a cookie any more, so nothing here needs one: the id
/// stays as it is.
///
/// Once another request has destroyed the session or given it a fresh id, these methods
/// answer [`Error::Ended`](crate::Error::Ended).
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "axum", feature = "memory", feature = "messagepack"))] {
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # struct Cart { items: Vec<u32> }
/// use cloakroom::{Error, Memory, MessagePack, Session, Unsigned};
///
/// type CartSession = Session<Memory, MessagePack<Cart>, Unsigned>;
///
/// /// Answers at once, and adds the item later.
/// async fn order(session: CartSession) -> Result<&'static str, Error> {
///     let mut session = session.detach().await?;
///     tokio::spawn(async move {
///         // Something that takes long.
///         session.update(|cart| cart.items.push(7)).await
///     });
///     Ok("Your order is under way.")
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::post(order));
/// # }
/// ```
pub struct Detached<S: Store, C: Codec, K: Signer> {
    sessions: Sessions<S, C, K>,
    state: Box<State<S, C>>,
}

impl<S: Writable, C: Codec, K: Signer> Session<S, C, K> {
    /// Saves the session, and takes it out of the request for what goes on after the
    /// response: a socket, a stream, a job.
    ///
    /// A new session is stored even if nothing was changed. The response sends the
    /// cookie that is due, also when it is a server error. To ask for the session again
    /// in this request is [`Error::InUse`](crate::Error::InUse).
    ///
    /// When this future is dropped, or fails, the session returns to its request.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save); [`Error::Ended`](crate::Error::Ended) after
    /// [`destroy`](Self::destroy), and for a session of Flask's format that is empty, which
    /// is not stored; [`Error::Closed`](crate::Error::Closed) when the
    /// response is ready; [`Error::MissingLayer`](crate::Error::MissingLayer) for a session
    /// that [`Sessions::open`](crate::Sessions::open) has made, which no layer holds.
    pub async fn detach(mut self) -> Result<Detached<S, C, K>, Error> {
        let slot = match &self.home {
            Home::Slot(slot) => slot.clone(),
            Home::Open(_) => return Err(Error::MissingLayer),
        };
        if slot.is_closed() {
            return Err(Error::Closed);
        }
        let sessions = slot.sessions();
        self.state.save_or_create(sessions).await?;
        // It was destroyed, or is empty in Flask's format, which stores no such session.
        if self.state.live().is_none() {
            return Err(Error::Ended);
        }
        // What the response would do at its end: nothing is written any more, but a cookie
        // that is repeated may have to be looked up.
        let step = self.state.plan_end(sessions.settings(), false)?;
        self.state.carry_out(sessions, step).await?;
        let cookie = self.state.cookie(sessions)?;
        let Some(state) = self.state.take() else { return Err(Error::Closed) };
        match slot.detach(cookie) {
            true => Ok(Detached { sessions: sessions.clone(), state }),
            false => Err(Error::Closed),
        }
    }
}

impl<S: Writable, C: Codec, K: Signer> Detached<S, C, K> {
    /// Takes up what other requests have saved. Changes that were not saved are dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`](crate::Error::Ended) once the session was destroyed, has expired
    /// or was given a fresh id; [`Error::Store`](crate::Error::Store) and
    /// [`Error::Codec`](crate::Error::Codec) as they come.
    pub async fn reload(&mut self) -> Result<(), Error> {
        self.state.reload(&self.sessions).await
    }

    /// Saves what was changed so far; see [`Session::save`].
    ///
    /// # Errors
    ///
    /// As [`Session::save`].
    pub async fn save(&mut self) -> Result<(), Error> {
        self.state.save(&self.sessions).await
    }

    /// Changes the data in one atomic step; see [`Session::update`].
    ///
    /// # Errors
    ///
    /// As [`Session::update`].
    pub async fn update<R, F>(&mut self, change: F) -> Result<R, Error>
    where
        F: FnMut(&mut C::Data) -> R,
        R: Immediate,
    {
        self.state.update(&self.sessions, change).await
    }

    /// Ends the session: its record is removed. The browser keeps a cookie that leads to
    /// no session.
    ///
    /// # Errors
    ///
    /// [`Error::Store`](crate::Error::Store) when the store fails.
    pub async fn destroy(mut self) -> Result<(), Error> {
        self.state.destroy();
        self.state.save(&self.sessions).await
    }
}

impl<S: Store, C: Codec, K: Signer> Deref for Detached<S, C, K> {
    type Target = C::Data;

    fn deref(&self) -> &C::Data {
        &self.state.data
    }
}

impl<S: Writable, C: Codec, K: Signer> DerefMut for Detached<S, C, K> {
    fn deref_mut(&mut self) -> &mut C::Data {
        self.state.data_mut()
    }
}

impl<S: Store, C: Codec, K: Signer> fmt::Debug for Detached<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").finish_non_exhaustive()
    }
}
