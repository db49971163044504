//! Where a session hangs between the handler and the response.
//!
//! The future of a response owns the peg. While that future is polled, and only
//! then, its peg can be reached through this thread, as with a task-local
//! variable: the handler's `Session` is taken from it when the handler asks, and
//! hung back when it is dropped. A request whose handler does not ask pays for
//! two moves of the peg, and for no allocation. A place in the request's
//! extensions would cost a box, and mostly a larger table.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http::HeaderMap;

use super::present::Present;
use super::{Parts, Session, State};
use crate::codec::Codec;
use crate::config::{AnySessions, Sessions};
use crate::error::Error;
use crate::signer::Signer;
use crate::store::Store;

thread_local! {
    /// The pegs of the futures that are being polled, the innermost last.
    static PEGS: RefCell<Vec<Peg>> = const { RefCell::new(Vec::new()) };
}

/// The peg of one request.
pub(crate) struct Peg {
    /// The type of the configuration, which tells the peg of one layer from that of
    /// another.
    layer: TypeId,
    place: Place,
    /// Whom the poll wakes. A future that another request has made, and that is
    /// polled from here, wakes somebody else, and must not get this session.
    waker: Option<WakerId>,
}

/// The configuration goes from hand to hand with the session, so that nobody has
/// to count its owners.
enum Place {
    /// Nobody has asked for the session.
    Untouched(AnySessions),
    /// It is being opened.
    Opening(Loan),
    /// A `Session` has it.
    Lent(Loan),
    /// It hangs here, a `State<S, C>`.
    Hung(AnySessions, Box<dyn Any + Send>),
}

/// What became of a session, when the response is ready.
pub(crate) enum Returned<S: Store, C: Codec, K: Signer> {
    /// Nobody asked for it.
    Untouched,
    /// A `Session` still has it.
    Lent,
    Hung(Parts<S, C, K>),
}

impl Peg {
    pub(crate) fn new<S: Store, C: Codec, K: Signer>(sessions: Sessions<S, C, K>) -> Self {
        let layer = TypeId::of::<Sessions<S, C, K>>();
        Self { layer, place: Place::Untouched(sessions.into_any()), waker: None }
    }

    /// Takes the session down for good.
    pub(crate) fn close<S: Store, C: Codec, K: Signer>(self) -> Returned<S, C, K> {
        match self.place {
            Place::Untouched(_) => Returned::Untouched,
            Place::Opening(_) | Place::Lent(_) => Returned::Lent,
            Place::Hung(sessions, state) => match (Sessions::of_any(sessions), state.downcast()) {
                (Some(sessions), Ok(state)) => Returned::Hung(Parts { sessions, state }),
                _ => Returned::Lent,
            },
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
    pub(crate) fn of_headers(
        headers: &HeaderMap,
    ) -> impl Future<Output = Result<Self, Error>> + Send {
        take(headers)
    }
}

/// Opens the session of the request whose future is being polled, or takes it
/// up where it was hung. Of several pegs of this type, the innermost counts.
async fn take<S: Store, C: Codec, K: Signer>(
    headers: &HeaderMap,
) -> Result<Session<S, C, K>, Error> {
    let waker = poll_fn(|cx| Poll::Ready(WakerId::of(cx))).await;
    let loan = Loan::new();
    let begun = pegs(|pegs| {
        let layer = TypeId::of::<Sessions<S, C, K>>();
        let peg = pegs.iter_mut().rev().find(|peg| peg.layer == layer)?;
        if peg.waker != Some(waker) {
            return Some(Err(Error::OtherRequest));
        }
        Some(match mem::replace(&mut peg.place, Place::Opening(loan)) {
            Place::Untouched(sessions) => Ok((sessions, None)),
            Place::Hung(sessions, state) => Ok((sessions, state.downcast().ok())),
            taken @ (Place::Opening(_) | Place::Lent(_)) => {
                peg.place = taken;
                Err(Error::InUse)
            }
        })
    });
    let (sessions, hung) = begun.flatten().unwrap_or(Err(Error::MissingLayer))?;
    let mut opening = Opening { sessions: Sessions::of_any(sessions), loan };
    let sessions = opening.sessions.as_ref().ok_or(Error::MissingLayer)?;
    let state = match hung {
        Some(state) => state,
        None => State::open(sessions, headers).await?,
    };
    let sessions = opening.sessions.take().ok_or(Error::MissingLayer)?;
    replace(|place| matches!(place, Place::Opening(of) if *of == loan), Place::Lent(loan));
    Ok(Session { parts: Present::new(Parts { sessions, state }), loan: Some(loan) })
}

/// Hangs a session back, if its request is still being handled.
pub(super) fn give_back<S: Store, C: Codec, K: Signer>(parts: Parts<S, C, K>, loan: Loan) {
    let hung = Place::Hung(parts.sessions.into_any(), parts.state);
    replace(|place| matches!(place, Place::Lent(of) if *of == loan), hung);
}

/// A session was closed by hand: nobody has to wait for it.
pub(super) fn forget<S: Store, C: Codec, K: Signer>(sessions: Sessions<S, C, K>, loan: Loan) {
    let untouched = Place::Untouched(sessions.into_any());
    replace(|place| matches!(place, Place::Lent(of) if *of == loan), untouched);
}

/// Frees the peg again when opening fails or is cancelled.
struct Opening<S: Store, C: Codec, K: Signer> {
    /// To be given back to the peg; taken out when the session was opened.
    sessions: Option<Sessions<S, C, K>>,
    loan: Loan,
}

impl<S: Store, C: Codec, K: Signer> Drop for Opening<S, C, K> {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.take() {
            let untouched = Place::Untouched(sessions.into_any());
            replace(|place| matches!(place, Place::Opening(of) if *of == self.loan), untouched);
        }
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
        /// So many at a time, so that threads seldom meet.
        const TAKEN_AT_ONCE: u64 = 1 << 16;
        static TAKEN: AtomicU64 = AtomicU64::new(0);
        thread_local! {
            static NEXT: Cell<u64> = const { Cell::new(0) };
        }
        let number = match NEXT.get() {
            // All were given out, or none was taken yet.
            end if end % TAKEN_AT_ONCE == 0 => TAKEN.fetch_add(TAKEN_AT_ONCE, Ordering::Relaxed),
            number => number,
        };
        NEXT.set(number + 1);
        Self(number)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_two_loans_are_the_same_whichever_threads_make_them() {
        /// More than a thread takes at once.
        const LOANS: usize = 70_000;
        let make = || (0..LOANS).map(|_| Loan::new().0).collect::<Vec<_>>();
        let threads = [(); 3].map(|()| thread::spawn(make));
        let loans = threads.map(|thread| thread.join().expect("no panic")).concat();
        assert_eq!(loans.iter().collect::<HashSet<_>>().len(), 3 * LOANS);
    }
}
