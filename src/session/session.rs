//! [`Session`], its methods, and where it comes from.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

use super::finish::Parts;
use super::immediate::Immediate;
use super::present::Present;
use super::slot::Slot;
use super::state::{Place, State};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::cookie::Credentials;
use crate::error::Error;
use crate::id::SessionId;
use crate::record::{Format, Header};
use crate::signer::Signer;
use crate::store::{Store, Writable};

/// One open session in one request.
///
/// It dereferences to the session data. Whether they were modified is decided
/// by their encoded bytes, so a `&mut` that changes nothing writes nothing;
/// changes behind a shared reference (a `Cell`, a `Mutex`) are not seen.
///
/// Under the layer, a handler takes it as an argument, and what it changed is
/// saved when the response is ready, unless the response is a server error.
/// Without the layer, [`Sessions::open`](crate::Sessions::open) makes one and [`close`](Self::close)
/// saves it.
///
/// # Two fields at once
///
/// Every `session.field` goes through the session as a whole, so the compiler refuses to
/// borrow two fields of which one is changed (E0502). Take the data once, and borrow from
/// them:
///
/// ```
/// # #[cfg(all(feature = "json", feature = "memory"))] {
/// # use cloakroom::{Json, Memory, Session, Unsigned};
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # struct Cart { items: Vec<u32>, bought: Vec<u32> }
/// # type CartSession = Session<Memory, Json<Cart>, Unsigned>;
/// async fn buy(mut session: CartSession) {
///     let cart = &mut *session;
///     for item in &cart.items {
///         cart.bought.push(*item);
///     }
/// }
/// # }
/// ```
///
/// # One at a time
///
/// The layer keeps the session of a request in a slot. A `Session` takes it out, and it
/// returns when the `Session` is dropped, in whatever task: with the changes made so far,
/// and the store is asked once in all. While it is out, to ask for it again is
/// [`Error::InUse`](crate::Error::InUse).
///
/// - A handler takes one `Session` argument.
/// - An extractor of your own uses [`Session::read`], and stands left of the argument that
///   keeps the session: axum takes a handler's arguments in their order.
/// - A middleware that takes the session drops it before it calls the handler, and takes it
///   again afterwards.
/// - What goes on after the response (a socket, a stream, a job) calls
///   [`detach`](Self::detach). A `Session` that outlives its response saves nothing by
///   itself, and the log says so. To save it is [`Error::Closed`](crate::Error::Closed)
///   where the browser would need a cookie: for a new session, and for a fresh id.
///
/// The session belongs to the request that the layer has seen. A request that a handler
/// makes itself, and sends into a router without a layer of its own, has no session.
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # struct Cart { items: Vec<u32> }
/// use cloakroom::{HmacSha256, Memory, MessagePack, Session};
///
/// type CartSession = Session<Memory, MessagePack<Cart>, HmacSha256>;
///
/// async fn add(mut session: CartSession) -> String {
///     session.items.push(7);
///     format!("{} items", session.items.len())
/// }
/// # }
/// ```
#[must_use = "a session that is dropped without `close` saves nothing, unless a layer holds it"]
pub struct Session<S: Store, C: Codec, K: Signer> {
    pub(super) home: Home<S, C, K>,
    /// Absent only once it was closed, detached or dropped.
    pub(super) state: Present<Box<State<S, C>>>,
}

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

/// The configuration that makes sessions of the type `T`: `SessionsOf<CartSession>` is
/// the `Sessions<..>` of the same store, codec and signer. An application needs one alias,
/// that of its session.
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
/// use cloakroom::{Config, Memory, MessagePack, Session, SessionsOf, Unsigned};
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Cart {
///     items: Vec<u32>,
/// }
///
/// type CartSession = Session<Memory, MessagePack<Cart>, Unsigned>;
///
/// let sessions: SessionsOf<CartSession> =
///     Config::new().store(Memory::new()).data::<Cart>().build();
/// # }
/// ```
pub type SessionsOf<T> = <T as sealed::SessionType>::Sessions;

#[expect(unnameable_types, reason = "sealed: a session names its configuration")]
mod sealed {
    pub trait SessionType {
        type Sessions;
    }
}

impl<S: Store, C: Codec, K: Signer> sealed::SessionType for Session<S, C, K> {
    type Sessions = Sessions<S, C, K>;
}

impl<S: Store, C: Codec, K: Signer> Session<S, C, K> {
    /// The id; `None` while the session is new.
    ///
    /// It is a secret like a password: keep it out of logs.
    #[must_use]
    pub fn id(&self) -> Option<&SessionId> {
        self.state().shown().map(|live| &live.address.id)
    }

    /// Whether nothing is stored for this session yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state().shown().is_none()
    }

    /// Whether the request has the cookie of a session whose record this program
    /// cannot read, since another version of it wrote the record.
    ///
    /// The visitor is anonymous here, and nothing that the handler changes is saved,
    /// but for [`sign_in`](Self::sign_in), [`restart`](Self::restart) and
    /// [`destroy`](Self::destroy), which end that session. A page that begins a sign-in
    /// elsewhere, and keeps a state until the visitor comes back, calls `restart` here.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.state().place, Place::Unreadable(_))
    }

    /// When the session was created, or last signed in; `None` while it is new, and
    /// where its record does not say it, as in one that Flask shares.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        let created_at = self.times()?.created_at;
        Some(system_time(created_at.min(self.state().used_at)))
    }

    /// When the session ends unless it is used; `None` while it is new, and where
    /// the store alone knows it, as in a record that Flask shares.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        Some(system_time(self.times()?.expires_after_use(self.state().used_at)))
    }

    /// Whether the cookie outlives the browser.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.state().permanent
    }

    /// Gives the session a fresh id, with the same rights, and ends the old id.
    ///
    /// Call it where the rights of a user who is signed in grow, such as after a second
    /// factor. After a password or another credential was checked, call
    /// [`sign_in`](Self::sign_in) instead.
    ///
    /// It is carried out when the session is saved, together with the changes, also
    /// with those that are made afterwards. A new session gets a fresh id anyway, and
    /// one that was destroyed stays so. [`created_at`](Self::created_at) and the absolute
    /// end do not change.
    ///
    /// A request that still carries the old id within the next minute is anonymous, and
    /// what it changes is not saved.
    ///
    /// # Errors
    ///
    /// Where the session ended or got another fresh id meanwhile, saving it is
    /// [`Error::Ended`](crate::Error::Ended), and under the layer the response is a 409: a
    /// rotation never makes a new session.
    #[doc(alias = "cycle_id")]
    #[doc(alias = "regenerate")]
    #[doc(alias = "renew")]
    pub fn rotate(&mut self)
    where
        S: Writable,
    {
        self.state_mut().rotate();
    }

    /// Signs in: gives the session a fresh id and a new absolute end.
    ///
    /// Call it in a handler that has just checked a credential. An id that an attacker
    /// planted in the browser before leads nowhere afterwards (session fixation). The data
    /// stay, with the changes that the handler makes before or afterwards; what other
    /// versions of the program keep in the session goes.
    ///
    /// It is carried out when the session is saved. Where the session is gone by then,
    /// since another request ended it or gave it a fresh id, the visitor gets a new
    /// session: it holds the default data and the fields that this request changed, and
    /// nothing of the session that is gone. What a rotation made of that session ends;
    /// what another sign-in made of it stays, so a double click signs in twice.
    ///
    /// # Errors
    ///
    /// Saving is [`Error::Ended`](crate::Error::Ended) where the session is gone and its
    /// data are one value that this request changed, such as an enum: nothing tells the
    /// change from what was there.
    #[doc(alias = "login")]
    #[doc(alias = "cycle_id")]
    #[doc(alias = "regenerate")]
    pub fn sign_in(&mut self)
    where
        S: Writable,
    {
        self.state_mut().sign_in();
    }

    /// Signs out, and leaves something behind: ends the session as
    /// [`destroy`](Self::destroy) does, and begins a new one with default data under a
    /// fresh id.
    ///
    /// The data are the default at once. What the handler writes afterwards, such as a
    /// message for the next page, is in the new session.
    ///
    /// It is carried out when the session is saved. When the response is a server error,
    /// the session ends, and no new one begins.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
    /// use cloakroom::{Memory, MessagePack, Session, Unsigned};
    ///
    /// #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// struct Account {
    ///     user: Option<String>,
    ///     message: Option<String>,
    /// }
    ///
    /// async fn sign_out(mut session: Session<Memory, MessagePack<Account>, Unsigned>) {
    ///     session.restart();
    ///     session.message = Some("Goodbye.".to_owned());
    /// }
    /// # }
    /// ```
    #[doc(alias = "log out")]
    #[doc(alias = "logout")]
    #[doc(alias = "sign_out")]
    #[doc(alias = "flush")]
    #[doc(alias = "clear")]
    pub fn restart(&mut self)
    where
        S: Writable,
    {
        let (sessions, state) = self.parts();
        state.restart(sessions.settings());
    }

    /// Signs out: ends the session, and tells the browser to forget the cookie.
    ///
    /// It is carried out when the session is saved, also when the response is a server
    /// error. All sessions end that the request's cookies lead to, if the browser holds
    /// several cookies of the name. Changes made before or afterwards are not saved. The
    /// data stay as they are until the handler ends, so it can still say who has signed
    /// out.
    ///
    /// The record becomes a note without data, which stands for a minute: a request that is
    /// under way meanwhile learns from it that the session has ended.
    ///
    /// [`restart`](Self::restart) is the sign-out that leaves a message behind.
    #[doc(alias = "log out")]
    #[doc(alias = "logout")]
    #[doc(alias = "sign_out")]
    #[doc(alias = "flush")]
    pub fn destroy(&mut self) {
        self.state_mut().destroy();
    }

    /// Says whether the cookie outlives the browser, for this session from now
    /// on. Flask's `session.permanent`.
    ///
    /// # Default
    ///
    /// What the configuration says, `true` unless it was changed.
    #[doc(alias("remember_me"))]
    pub fn set_permanent(&mut self, permanent: bool)
    where
        S: Writable,
    {
        self.state_mut().permanent = permanent;
    }

    /// Saves what was changed so far. The response sends the cookie that this makes
    /// due. Not needed under the layer or before [`close`](Self::close), which save.
    ///
    /// Where nothing was changed, it looks whether another request has ended the
    /// session.
    ///
    /// After a conflict, requests of this process for one session queue. The last of many
    /// on a slow store waits as long as all before it take, until its future is dropped.
    ///
    /// When this future is dropped, the changes are saved or not, and the session remains
    /// usable. A future that is neither polled nor dropped keeps those behind it waiting.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of the store, the codec and the generator of
    /// ids; [`Error::Ended`](crate::Error::Ended) when the session was destroyed,
    /// rotated or expired meanwhile, or the request came with an id that another request
    /// has just replaced; [`Error::Unreadable`](crate::Error::Unreadable) when
    /// [`is_unreadable`](Self::is_unreadable); a conflict where the configuration rejects
    /// them. Nothing was saved then.
    pub async fn save(&mut self) -> Result<(), Error>
    where
        S: Writable,
    {
        self.refuse_cookies_too_late()?;
        let (sessions, state) = self.parts();
        state.save(sessions).await
    }

    /// Reads the newest version of the session, as other requests have left it.
    ///
    /// Changes that were not saved yet stay, on top of that version.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save): [`Error::Ended`](crate::Error::Ended) when the session
    /// has ended meanwhile.
    pub async fn reload(&mut self) -> Result<(), Error>
    where
        S: Writable,
    {
        let (sessions, state) = self.parts();
        state.reload(sessions).await
    }

    /// Changes the data in one atomic step: calls `change` on the data as they
    /// were last seen, and saves, unless another request saved in between; then
    /// it reads the newest version and begins again. `change` may therefore run
    /// several times.
    ///
    /// `change` is a function and not a future, since it may run again: what has to be
    /// awaited is awaited before, and its result moved into `change`.
    ///
    /// For every new value that depends on the old one: a counter, a list that grows,
    /// a message that is taken out. Of two requests that change one field through
    /// `&mut`, the later one wins, and what the other one added to it is lost.
    ///
    /// A `change` that changes nothing has seen the newest version, too: the answer of a
    /// read-modify-write is as current as one that writes.
    ///
    /// Changes made before through `&mut` are saved first. What `update` has saved
    /// stays, also when the response turns out to be a server error.
    ///
    /// Requests that have met a conflict go one after the other, as with
    /// [`save`](Self::save), and `change` may run while others wait: if it blocks on
    /// another change of the same session, both wait for ever.
    ///
    /// When this future is dropped, the change is saved or not, and the session
    /// remains usable.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), and
    /// [`Error::Contended`](crate::Error::Contended) when a thousand attempts
    /// were not enough. After [`destroy`](Self::destroy),
    /// [`Error::Ended`](crate::Error::Ended); the session is removed. With axum, an
    /// error is a response, so handlers may return it by `?`.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
    /// # use cloakroom::{Codec, Session, Writable, Signer, Memory};
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Visits { count: u64 }
    /// # async fn visit<C: Codec<Data = Visits>, K: Signer>(session: &mut Session<Memory, C, K>) -> Result<(), cloakroom::Error> {
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
    pub async fn update<R, F>(&mut self, change: F) -> Result<R, Error>
    where
        S: Writable,
        F: FnMut(&mut C::Data) -> R,
        R: Immediate,
    {
        self.refuse_cookies_too_late()?;
        let (sessions, state) = self.parts();
        state.update(sessions, change).await
    }

    /// Closes the session: saves what was changed, sets or removes the cookie,
    /// and adds `Vary: Cookie`. A response that sets the cookie gets
    /// `Cache-Control: private`, also where the application made it `public`.
    ///
    /// For use without the layer.
    ///
    /// # Errors
    ///
    /// As [`save`](Self::save), except that changes to a session that ended meanwhile are
    /// dropped without an error, unless `rotate` was called. After an error, the headers
    /// get the cookie that an earlier [`save`](Self::save) or [`update`](Self::update) has
    /// made due, and nothing else: send them with the error, or a rotated session is lost.
    pub async fn close(mut self, response_headers: &mut HeaderMap) -> Result<(), Error> {
        let Some(state) = self.state.take() else { return Ok(()) };
        if let Home::Slot(slot) = &self.home {
            slot.closed_by_hand();
        }
        let parts = Parts { sessions: self.home.sessions().clone(), state };
        parts.finish(false, response_headers).await
    }

    /// Once the response is ready, no browser gets a cookie any more.
    fn refuse_cookies_too_late(&self) -> Result<(), Error> {
        match &self.home {
            Home::Slot(slot) if self.state().begins_an_id() && slot.is_closed() => {
                Err(Error::Closed)
            }
            Home::Slot(_) | Home::Open(_) => Ok(()),
        }
    }

    fn times(&self) -> Option<Header> {
        C::Record::times(self.state().shown()?.header)
    }

    fn state(&self) -> &State<S, C> {
        &self.state
    }

    fn state_mut(&mut self) -> &mut State<S, C> {
        &mut self.state
    }

    fn parts(&mut self) -> (&Sessions<S, C, K>, &mut State<S, C>) {
        (self.home.sessions(), &mut self.state)
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

fn system_time(unix_millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_millis)
}
