//! Where a session hangs between the handler and the response.
//!
//! The future of a response owns the peg. While that future is polled, and only
//! then, its peg can be reached through this thread, as with a task-local
//! variable: the handler's `Session` is taken from it when the handler asks, and
//! hung back when it is dropped. A request whose handler does not ask pays for
//! two moves of the peg, and for no allocation. A place in the request's
//! extensions would cost a box, and mostly a larger table.

use std::any::Any;
use std::cell::RefCell;
use std::future::poll_fn;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http::HeaderMap;

use super::{Session, State};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::{Error, SessionError};
use crate::signer::Signer;
use crate::store::Store;

thread_local! {
    /// The pegs of the futures that are being polled, the innermost last.
    static PEGS: RefCell<Vec<Peg>> = const { RefCell::new(Vec::new()) };
}

/// The peg of one request.
pub(crate) struct Peg {
    /// The configuration, `Sessions<S, C, K>`, which also tells the peg of one
    /// layer from that of another.
    sessions: Arc<dyn Any + Send + Sync>,
    place: Place,
    /// Whom the poll wakes. A future that another request has made, and that is
    /// polled from here, wakes somebody else, and must not get this session.
    waker: Option<WakerId>,
}

enum Place {
    /// Nobody has asked for the session.
    Untouched,
    /// It is being opened.
    Opening(Loan),
    /// A `Session` has it.
    Lent(Loan),
    /// It hangs here, a `State<S, C>`.
    Hung(Box<dyn Any + Send>),
}

/// What became of a session, when the response is ready.
pub(crate) enum Returned<S: Store, C: Codec> {
    /// Nobody asked for it.
    Untouched,
    /// A `Session` still has it.
    Lent,
    Hung(Box<State<S, C>>),
}

impl Peg {
    pub(crate) const fn new(sessions: Arc<dyn Any + Send + Sync>) -> Self {
        Self { sessions, place: Place::Untouched, waker: None }
    }

    pub(crate) fn sessions<S: Store, C: Codec, K: Signer>(&self) -> Option<&Sessions<S, C, K>> {
        self.sessions.downcast_ref()
    }

    /// Takes the session down for good.
    pub(crate) fn close<S: Store, C: Codec>(&mut self) -> Returned<S, C> {
        match mem::replace(&mut self.place, Place::Untouched) {
            Place::Untouched => Returned::Untouched,
            Place::Opening(_) | Place::Lent(_) => Returned::Lent,
            Place::Hung(state) => state.downcast().map_or(Returned::Lent, Returned::Hung),
        }
    }
}

/// Polls with the peg within reach, and puts it back afterwards, also when the
/// poll panics.
pub(crate) fn with_peg<T>(
    peg: &mut Option<Peg>,
    cx: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> T,
) -> T {
    struct PutBack<'a>(&'a mut Option<Peg>);

    impl Drop for PutBack<'_> {
        fn drop(&mut self) {
            *self.0 = pegs(Vec::pop).flatten();
        }
    }

    let Some(mut taken) = peg.take() else { return poll(cx) };
    taken.waker = Some(WakerId::of(cx));
    pegs(|pegs| pegs.push(taken));
    let _put_back = PutBack(peg);
    poll(cx)
}

impl<S: Store, C: Codec, K: Signer> Session<S, C, K> {
    /// The session of the request that is being handled, and has these headers.
    pub(crate) async fn of_headers(headers: &HeaderMap) -> Result<Self, SessionError<S, C>> {
        take(headers).await
    }
}

/// Opens the session of the request whose future is being polled, or takes it
/// up where it was hung. Of several pegs of this type, the innermost counts.
async fn take<S: Store, C: Codec, K: Signer>(
    headers: &HeaderMap,
) -> Result<Session<S, C, K>, SessionError<S, C>> {
    let waker = poll_fn(|cx| Poll::Ready(WakerId::of(cx))).await;
    let loan = Loan::new();
    let begun = pegs(|pegs| {
        let (peg, sessions) = pegs.iter_mut().rev().find_map(|peg| {
            let sessions = peg.sessions::<S, C, K>()?.clone();
            Some((peg, sessions))
        })?;
        if peg.waker != Some(waker) {
            return Some(Err(Error::ForeignTask));
        }
        Some(match mem::replace(&mut peg.place, Place::Opening(loan)) {
            Place::Untouched => Ok((sessions, None)),
            Place::Hung(state) => Ok((sessions, state.downcast().ok())),
            taken @ (Place::Opening(_) | Place::Lent(_)) => {
                peg.place = taken;
                Err(Error::InUse)
            }
        })
    });
    let (sessions, hung) = begun.flatten().unwrap_or(Err(Error::MissingLayer))?;
    let state = match hung {
        Some(state) => state,
        None => {
            let opening = Opening(loan);
            let state = State::open(&sessions, headers).await?;
            mem::forget(opening);
            state
        }
    };
    replace(|place| matches!(place, Place::Opening(of) if *of == loan), Place::Lent(loan));
    Ok(Session { state: Some(state), sessions, loan: Some(loan) })
}

/// Hangs a session back, if its request is still being handled.
pub(super) fn give_back<S: Store, C: Codec>(state: Box<State<S, C>>, loan: Loan) {
    replace(|place| matches!(place, Place::Lent(of) if *of == loan), Place::Hung(state));
}

/// A session was closed by hand: nobody has to wait for it.
pub(super) fn forget(loan: Loan) {
    replace(|place| matches!(place, Place::Lent(of) if *of == loan), Place::Untouched);
}

/// Frees the peg again when opening fails or is cancelled.
struct Opening(Loan);

impl Drop for Opening {
    fn drop(&mut self) {
        replace(|place| matches!(place, Place::Opening(of) if *of == self.0), Place::Untouched);
    }
}

/// Hangs `next` where `is_it`, if that is anywhere; otherwise drops it, after the
/// pegs were let go.
fn replace(is_it: impl Fn(&Place) -> bool, mut next: Place) {
    pegs(|pegs| {
        if let Some(peg) = pegs.iter_mut().rev().find(|peg| is_it(&peg.place)) {
            mem::swap(&mut peg.place, &mut next);
        }
    });
}

/// `None` only while the thread ends.
fn pegs<T>(act: impl FnOnce(&mut Vec<Peg>) -> T) -> Option<T> {
    PEGS.try_with(|pegs| pegs.try_borrow_mut().ok().map(|mut pegs| act(&mut pegs))).ok()?
}

/// What tells one opening of a session from every other in this process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Loan(u64);

impl Loan {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Whom a poll wakes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct WakerId {
    data: usize,
    vtable: usize,
}

impl WakerId {
    fn of(cx: &Context<'_>) -> Self {
        let waker = cx.waker();
        Self { data: waker.data().addr(), vtable: std::ptr::from_ref(waker.vtable()).addr() }
    }
}
