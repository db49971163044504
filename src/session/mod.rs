//! One open session in one request: [`Session`].

mod address;
mod draft;
mod end;
mod handle;
mod immediate;
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

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;

pub(crate) use self::handle::Parts;
pub use self::immediate::Immediate;
pub(crate) use self::open::State;
use self::open::Stored;
use self::present::Present;
use self::state::Fate;
#[cfg(feature = "tower")]
pub(crate) use self::{state::Step, ticket::vary_by_cookie};
use crate::codec::Codec;
use crate::error::Error;
use crate::id::SessionId;
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
/// A request has one session, which is held by one at a time; to ask for it
/// meanwhile is [`Error::InUse`](crate::Error::InUse). It may be taken again once it
/// was dropped, with the changes made so far, and the store is asked once in all.
///
/// - A middleware that takes it drops it before it calls the handler, and takes it
///   again afterwards.
/// - axum takes a handler's arguments in their order. An extractor that borrows the
///   session and lets it go, as the one below, comes before the argument that
///   keeps it.
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
///
/// An axum extractor of one's own takes what it needs, and lets the session go:
///
/// ```
/// # #[cfg(all(feature = "axum", feature = "memory", feature = "postcard"))] {
/// # #[derive(Default, serde::Serialize, serde::Deserialize)]
/// # struct Account { user: Option<String>, visits: u32 }
/// use axum::extract::FromRequestParts;
/// use axum::response::{IntoResponse, Response};
/// use cloakroom::{HmacSha256, Memory, Postcard, Session};
/// use http::StatusCode;
/// use http::request::Parts;
///
/// type AccountSession = Session<Memory, Postcard<Account>, HmacSha256>;
///
/// /// The name of the user who has signed in.
/// struct User(String);
///
/// impl<A: Send + Sync> FromRequestParts<A> for User {
///     type Rejection = Response;
///
///     async fn from_request_parts(parts: &mut Parts, app: &A) -> Result<Self, Response> {
///         let session = AccountSession::from_request_parts(parts, app).await;
///         let session = session.map_err(IntoResponse::into_response)?;
///         let name = session.user.clone();
///         name.map(User).ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())
///     }
/// }
///
/// // `User` before `AccountSession`: the other way round, it would find it in use.
/// async fn greet(User(name): User, mut session: AccountSession) -> String {
///     session.visits += 1;
///     format!("{name} was here {} times", session.visits)
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(greet));
/// # }
/// ```
#[must_use = "a session that is dropped without `close` saves nothing, unless a layer holds it"]
pub struct Session<S: Store, C: Codec, K: Signer> {
    /// Absent only once it was closed or given back.
    parts: Present<Parts<S, C, K>>,
    /// How the layer knows it, which takes it back.
    loan: Option<peg::Loan>,
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
    ///
    /// It is carried out when the session is saved, together with the changes, also
    /// with those that are made afterwards. A new session gets a fresh id anyway, and
    /// one that was destroyed stays so. [`created_at`](Self::created_at) does not
    /// change, so the absolute timeout goes on.
    #[doc(alias("cycle_id", "login", "regenerate", "renew", "sign_in"))]
    pub fn rotate(&mut self)
    where
        S: Writable,
    {
        let state = self.state_mut();
        if matches!(state.fate, Fate::Keep | Fate::Late) {
            state.fate = Fate::Rotate;
        }
    }

    /// Ends the session: when it is saved, its record is removed, and the browser is
    /// told to forget the ticket. Also when the response is a server error.
    ///
    /// Changes made before or afterwards are not saved. The data themselves stay as
    /// they are until the handler ends, so it can still say who has signed out.
    ///
    /// # Example
    ///
    /// Where something has to outlive the sign-out, such as a message for the next
    /// page, begin anew under a fresh id instead:
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "postcard"))] {
    /// # use cloakroom::{Config, Memory, Postcard, Session, Unsigned};
    /// # use http::{HeaderMap, HeaderValue, header::{COOKIE, SET_COOKIE}};
    /// # type AccountSession = Session<Memory, Postcard<Account>, Unsigned>;
    /// #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// struct Account {
    ///     user: Option<String>,
    ///     flash: Option<String>,
    /// }
    ///
    /// async fn sign_out(mut session: AccountSession) {
    ///     session.destroy();
    ///     session.flash = Some("never shown".to_owned());
    ///     assert!(session.user.is_some());
    /// #   session.close(&mut HeaderMap::new()).await.unwrap_or_else(|error| panic!("{error}"));
    /// }
    ///
    /// async fn sign_out_with_a_message(mut session: AccountSession) {
    ///     *session = Account::default();
    ///     session.flash = Some("Goodbye.".to_owned());
    ///     session.rotate();
    /// #   let mut response = HeaderMap::new();
    /// #   session.close(&mut response).await.unwrap_or_else(|error| panic!("{error}"));
    /// #   SENT.with_borrow_mut(|sent| *sent = response);
    /// }
    /// # thread_local!(static SENT: std::cell::RefCell<HeaderMap> = std::cell::RefCell::default());
    /// # let cookie_of = |response: &HeaderMap| {
    /// #     let set = response[SET_COOKIE].to_str().unwrap_or_default().to_owned();
    /// #     let pair = set.split(';').next().unwrap_or_default().to_owned();
    /// #     Ok::<_, http::Error>(HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(pair)?)]))
    /// # };
    /// # let sessions = Config::new().store(Memory::new()).data::<Account>().build();
    /// # let signed_in = async || {
    /// #     let mut response = HeaderMap::new();
    /// #     let mut session = sessions.open(&HeaderMap::new()).await?;
    /// #     session.user = Some("ann".to_owned());
    /// #     session.close(&mut response).await?;
    /// #     Ok::<_, Box<dyn std::error::Error>>(cookie_of(&response)?)
    /// # };
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// #     let ann = signed_in().await?;
    /// #     sign_out(sessions.open(&ann).await?).await;
    /// #     let after = sessions.open(&ann).await?;
    /// #     assert!(after.is_new() && after.user.is_none() && after.flash.is_none());
    /// #     assert!(sessions.store().is_empty());
    /// #     let ann = signed_in().await?;
    /// #     sign_out_with_a_message(sessions.open(&ann).await?).await;
    /// #     let old = sessions.open(&ann).await?;
    /// #     assert!(old.is_new() && old.user.is_none() && old.flash.is_none());
    /// #     let fresh = SENT.with_borrow(|sent| cookie_of(sent))?;
    /// #     let after = sessions.open(&fresh).await?;
    /// #     assert_eq!((&after.user, after.flash.as_deref()), (&None, Some("Goodbye.")));
    /// #     Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The [recipes](crate::guide::recipes#flash-messages) say what differs then.
    #[doc(alias("clear", "flush", "log out", "logout", "purge", "sign_out"))]
    pub fn destroy(&mut self) {
        self.state_mut().fate = Fate::Destroy;
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

    /// Saves what was changed so far, and sends the ticket with the response.
    /// Not needed under the layer or before [`close`](Self::close), which save.
    ///
    /// Of the requests of this process that change one session at once, those
    /// which have met a conflict go one after the other. The last of many on a slow
    /// store waits as long as all before it take, until its future is dropped.
    ///
    /// When this future is dropped, the changes are saved or not, and the
    /// session remains usable. One that is neither polled nor dropped keeps those
    /// behind it waiting.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of the store, the codec and the generator of
    /// ids; [`Error::Ended`](crate::Error::Ended) when the session was destroyed,
    /// rotated or expired meanwhile, or was opened with a ticket that `rotate` has
    /// just replaced; a conflict where the configuration rejects them. Nothing was
    /// saved then.
    pub async fn save(&mut self) -> Result<(), Error>
    where
        S: Writable,
    {
        let Parts { sessions, state } = &mut *self.parts;
        state.save(sessions).await
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
    /// # #[cfg(all(feature = "memory", feature = "postcard"))] {
    /// # use cloakroom::{Codec, Error, Memory, Session, Signer, Writable};
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Visits { count: u64 }
    /// # async fn visit<C: Codec<Data = Visits>, K: Signer>(session: &mut Session<Memory, C, K>) -> Result<(), Error> {
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
    /// meanwhile is no error. After an error, the headers get the ticket that an
    /// earlier [`save`](Self::save) or [`update`](Self::update) has made due, and
    /// nothing else: send them with the error, or a rotated session is lost.
    pub async fn close(mut self, response_headers: &mut HeaderMap) -> Result<(), Error> {
        let Some(Parts { sessions, mut state }) = self.parts.take() else { return Ok(()) };
        if let Some(loan) = self.loan {
            peg::forget(sessions.clone(), loan);
        }
        let saved = match state.plan_end(sessions.settings(), false) {
            Ok(plan) => state.carry_out(&sessions, plan).await,
            Err(error) => Err(error),
        };
        if let Err(error) = saved {
            // The first error says more.
            let _ = state.write_due_ticket(&sessions, response_headers);
            return Err(error);
        }
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

fn system_time(unix_millis: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(unix_millis)
}
