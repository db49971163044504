//! Where the session of a request is kept between the layer, the extractors and the
//! response: one slot per request.
//!
//! The layer makes the slot and leaves it in the request; extractors find it there and
//! take the session out. A [`Session`](super::Session) returns to its slot when it is dropped, in
//! whatever task. The layer closes the slot when the response is there.
//!
//! Under the lock, the place changes and nothing else happens: session data are dropped,
//! and wakers called or dropped, after the lock was released.

use std::any::Any;
use std::future::poll_fn;
use std::iter;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use http::HeaderValue;

use super::finish::{End, Parts};
use super::state::State;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::cookie::Credentials;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::Store;

/// The slot of one request and one configuration.
pub(crate) struct Slot<S: Store, C: Codec, K: Signer> {
    sessions: Sessions<S, C, K>,
    /// The credentials of the request that the slot was made for.
    credentials: Credentials,
    /// The slots of the layers outside, the innermost first.
    outer: Option<Slots>,
    place: Mutex<Place<S, C>>,
}

/// Where the session is.
enum Place<S: Store, C: Codec> {
    /// Nothing has asked for it.
    Untouched,
    /// It is being opened, and these are to be woken afterwards.
    Opening(Vec<Waker>),
    /// A `Session` has it.
    Taken,
    /// It was opened, and is here.
    Returned(Box<State<S, C>>),
    /// A `Detached` has it. The response gets the cookie, where there is one.
    Detached(Option<HeaderValue>),
    /// The response is ready.
    Closed,
}

/// What a taker finds.
enum Found<S: Store, C: Codec> {
    /// The request has no cookie, so there is nothing to open.
    New,
    /// The taker opens the session.
    Untouched,
    Returned(Box<State<S, C>>),
    /// Another taker opens the session: wait.
    Opening,
}

impl<S: Store, C: Codec, K: Signer> Slot<S, C, K> {
    /// Makes the slot of a request that came to a layer. `outer` is what the request
    /// holds already.
    ///
    /// `None` where a layer outside has made a slot of the same configuration for the
    /// same credentials: the request goes on with that one.
    pub(crate) fn enter(
        sessions: &Sessions<S, C, K>,
        credentials: Credentials,
        outer: Option<&Slots>,
    ) -> Result<Option<Arc<Self>>, Error> {
        for slot in outer.into_iter().flat_map(Slots::iter) {
            // A request that a handler has made from a clone of its own is another one.
            if *slot.credentials() != credentials {
                continue;
            }
            if slot.as_slot::<S, C, K>().is_some_and(|slot| slot.sessions.is_same(sessions)) {
                return Ok(None);
            }
            if slot.cookie_name() == &*sessions.settings().cookie.name {
                return Err(Error::SameCookieName);
            }
        }
        Ok(Some(Arc::new(Self {
            sessions: sessions.clone(),
            credentials,
            outer: outer.cloned(),
            place: Mutex::new(Place::Untouched),
        })))
    }

    pub(super) const fn sessions(&self) -> &Sessions<S, C, K> {
        &self.sessions
    }

    /// Takes the session out, and opens it where that is yet to be done.
    pub(super) async fn take(&self) -> Result<Box<State<S, C>>, Error> {
        loop {
            match self.begin()? {
                Found::New => return Ok(Box::new(State::new(self.sessions.settings()))),
                Found::Untouched => return self.open().await,
                Found::Returned(state) => return Ok(state),
                Found::Opening => poll_fn(|cx| self.poll_opened(cx)).await,
            }
        }
    }

    fn begin(&self) -> Result<Found<S, C>, Error> {
        let mut place = self.place();
        match mem::replace(&mut *place, Place::Taken) {
            Place::Untouched if !self.credentials.has_cookies() => Ok(Found::New),
            Place::Untouched => {
                *place = Place::Opening(Vec::new());
                Ok(Found::Untouched)
            }
            Place::Returned(state) => Ok(Found::Returned(state)),
            opening @ Place::Opening(_) => {
                *place = opening;
                Ok(Found::Opening)
            }
            taken @ (Place::Taken | Place::Detached(_)) => {
                *place = taken;
                Err(Error::InUse)
            }
            Place::Closed => {
                *place = Place::Closed;
                Err(Error::Closed)
            }
        }
    }

    /// Opens the session, which nothing else does meanwhile.
    async fn open(&self) -> Result<Box<State<S, C>>, Error> {
        let opening = Opening { slot: self };
        let state = State::open(&self.sessions, &self.credentials).await?;
        match opening.finish() {
            true => Ok(state),
            false => Err(Error::Closed),
        }
    }

    /// Waits until the session is not being opened any more.
    fn poll_opened(&self, cx: &Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut place = self.place();
        let Place::Opening(wakers) = &mut *place else {
            drop(place);
            return Poll::Ready(());
        };
        let known = wakers.iter().any(|known| known.will_wake(&waker));
        if !known {
            wakers.push(waker);
        }
        Poll::Pending
    }

    /// Replaces the place where the session is being opened; says whether it is.
    fn opened(&self, next: Place<S, C>) -> bool {
        let mut place = self.place();
        if !matches!(*place, Place::Opening(_)) {
            return false;
        }
        let opening = mem::replace(&mut *place, next);
        drop(place);
        opening.wake();
        true
    }

    /// Takes the session back, unless the response is there.
    pub(super) fn put_back(&self, state: Box<State<S, C>>) {
        self.replace_taken(Place::Returned(state));
    }

    /// A `Detached` takes the session over, and the response the cookie. Says whether
    /// it still can.
    pub(super) fn detach(&self, cookie: Option<HeaderValue>) -> bool {
        let has_cookie = cookie.is_some();
        self.replace_taken(Place::Detached(cookie)) || !has_cookie
    }

    /// The session was closed by hand: the response gets nothing more.
    pub(super) fn closed_by_hand(&self) {
        self.replace_taken(Place::Closed);
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(*self.place(), Place::Closed)
    }

    fn replace_taken(&self, mut next: Place<S, C>) -> bool {
        let mut place = self.place();
        let is_taken = matches!(*place, Place::Taken);
        if is_taken {
            mem::swap(&mut *place, &mut next);
        }
        drop(place);
        is_taken
    }

    /// Closes the slot for good, and says what is left to be done for the response.
    fn close(&self, failed: bool) -> End<S, C, K> {
        let place = mem::replace(&mut *self.place(), Place::Closed);
        match place {
            Place::Untouched | Place::Closed => End::Nothing,
            opening @ Place::Opening(_) => {
                opening.wake();
                End::Nothing
            }
            Place::Returned(state) => {
                End::of(Parts { sessions: self.sessions.clone(), state }, failed)
            }
            Place::Detached(cookie) => End::of_detached(cookie),
            Place::Taken => {
                tracing::warn!(
                    "a `Session` outlives its response, for example in a task or a body: what it changes is saved only by calling `save`. `Session::detach` is made for this"
                );
                End::of_detached(None)
            }
        }
    }

    fn place(&self) -> MutexGuard<'_, Place<S, C>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store, C: Codec> Place<S, C> {
    fn wake(self) {
        if let Self::Opening(wakers) = self {
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}

/// One taker opens the session. When this is dropped, because opening failed or was
/// given up, another one may.
struct Opening<'a, S: Store, C: Codec, K: Signer> {
    slot: &'a Slot<S, C, K>,
}

impl<S: Store, C: Codec, K: Signer> Opening<'_, S, C, K> {
    /// Says whether the session still was waited for.
    fn finish(self) -> bool {
        let slot = self.slot;
        // What its drop would do is done here.
        mem::forget(self);
        slot.opened(Place::Taken)
    }
}

impl<S: Store, C: Codec, K: Signer> Drop for Opening<'_, S, C, K> {
    fn drop(&mut self) {
        self.slot.opened(Place::Untouched);
    }
}

/// The layer's hold on the slot that it has made. However the request ends, the slot is
/// closed.
pub(crate) struct Owner<S: Store, C: Codec, K: Signer>(Arc<Slot<S, C, K>>);

impl<S: Store, C: Codec, K: Signer> Owner<S, C, K> {
    pub(crate) const fn new(slot: Arc<Slot<S, C, K>>) -> Self {
        Self(slot)
    }

    /// The response is there: see [`End`].
    pub(crate) fn end(self, failed: bool) -> End<S, C, K> {
        self.0.close(failed)
    }
}

impl<S: Store, C: Codec, K: Signer> Drop for Owner<S, C, K> {
    fn drop(&mut self) {
        // Mostly, `end` has closed it.
        if !self.0.is_closed() {
            let place = mem::replace(&mut *self.0.place(), Place::Closed);
            place.wake();
        }
    }
}

/// The slots of a request, the innermost first. One entry of whatever a framework keeps
/// with a request.
#[derive(Clone)]
pub(crate) struct Slots(Arc<dyn AnySlot>);

impl Slots {
    pub(crate) fn new<S: Store, C: Codec, K: Signer>(slot: &Arc<Slot<S, C, K>>) -> Self {
        Self(slot.clone())
    }

    /// The innermost slot of this type that was made for the request's credentials.
    pub(super) fn find<S: Store, C: Codec, K: Signer>(
        &self,
        are_of_request: impl Fn(&Credentials) -> bool,
    ) -> Result<Arc<Slot<S, C, K>>, Error> {
        let mut error = Error::MissingLayer;
        for slot in self.iter().filter(|slot| slot.as_slot::<S, C, K>().is_some()) {
            if are_of_request(slot.credentials()) {
                let slot: Arc<dyn Any + Send + Sync> = slot.clone();
                return slot.downcast().map_err(|_| Error::MissingLayer);
            }
            error = Error::OtherRequest;
        }
        Err(error)
    }

    fn iter(&self) -> impl Iterator<Item = &Arc<dyn AnySlot>> {
        iter::successors(Some(self), |slots| slots.0.outer()).map(|slots| &slots.0)
    }
}

/// A slot of whatever configuration.
trait AnySlot: Any + Send + Sync {
    fn credentials(&self) -> &Credentials;

    fn outer(&self) -> Option<&Slots>;

    fn cookie_name(&self) -> &str;
}

impl dyn AnySlot {
    fn as_slot<S: Store, C: Codec, K: Signer>(&self) -> Option<&Slot<S, C, K>> {
        let slot: &dyn Any = self;
        slot.downcast_ref()
    }
}

impl<S: Store, C: Codec, K: Signer> AnySlot for Slot<S, C, K> {
    fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn outer(&self) -> Option<&Slots> {
        self.outer.as_ref()
    }

    fn cookie_name(&self) -> &str {
        &self.sessions.settings().cookie.name
    }
}
