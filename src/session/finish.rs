//! The end of a request, whatever the framework: what the store and the response's
//! headers get.
//!
//! 1. [`End::of`] decides, without the store. Mostly nothing has to be written.
//! 2. [`Unsaved::save`] asks the store, where that was decided.
//! 3. [`Ended::write`] writes the headers of the handler's response. On an error, another
//!    response stands in its place, and [`Refusal::write`] writes the headers of that.

use http::{HeaderMap, HeaderValue, StatusCode};

use super::cookies::write_cookie;
use super::decide::Step;
use super::state::State;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::Store;

/// How many headers a session adds: `Set-Cookie`, `Cache-Control` and `Vary`.
const MOST_HEADERS: usize = 3;

/// What an open session consists of.
pub(super) struct Parts<S: Store, C: Codec, K: Signer> {
    pub(super) sessions: Sessions<S, C, K>,
    pub(super) state: Box<State<S, C>>,
}

/// What is left to be done for a response.
pub(crate) enum End<S: Store, C: Codec, K: Signer> {
    /// Nothing: the session was not asked for.
    Nothing,
    /// The headers have to be written.
    Headers(Ended),
    /// The store has to be asked first.
    Save(Unsaved<S, C, K>),
}

/// A session that has to be written.
pub(crate) struct Unsaved<S: Store, C: Codec, K: Signer> {
    parts: Parts<S, C, K>,
    step: Step,
}

/// A session for which nothing but the headers is left to be written.
#[must_use]
pub(crate) struct Ended {
    result: Result<Option<HeaderValue>, Refusal>,
}

/// The session could not be saved, so another response stands for the handler's.
pub(crate) struct Refusal {
    pub(crate) error: Error,
    /// The cookie that is due in spite of the error: the browser's own leads to no
    /// session any more.
    due: Option<HeaderValue>,
}

/// Whether a response says that the handler failed, so that its changes are not saved:
/// a server error, or 408, by which a timeout inside the layer cut the handler off.
pub(crate) fn is_failure(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}

impl<S: Store, C: Codec, K: Signer> End<S, C, K> {
    /// Decides what becomes of a session; `failed` says that the handler has failed.
    pub(super) fn of(Parts { sessions, mut state }: Parts<S, C, K>, failed: bool) -> Self {
        match state.plan_end(sessions.settings(), failed) {
            Ok(Step::Nothing) => Self::Headers(Ended::of(&sessions, &state, Ok(()))),
            Ok(step) => Self::Save(Unsaved { parts: Parts { sessions, state }, step }),
            Err(error) => Self::Headers(Ended::of(&sessions, &state, Err(error))),
        }
    }

    /// The session was saved before, and lives on elsewhere.
    pub(super) const fn of_detached(cookie: Option<HeaderValue>) -> Self {
        Self::Headers(Ended { result: Ok(cookie) })
    }
}

impl<S: Store, C: Codec, K: Signer> Unsaved<S, C, K> {
    pub(crate) async fn save(self) -> Ended {
        let Self { parts: Parts { sessions, mut state }, step } = self;
        let saved = state.carry_out(&sessions, step).await;
        Ended::of(&sessions, &state, saved)
    }
}

impl Ended {
    fn of<S: Store, C: Codec, K: Signer>(
        sessions: &Sessions<S, C, K>,
        state: &State<S, C>,
        saved: Result<(), Error>,
    ) -> Self {
        let result = saved.and_then(|()| state.cookie(sessions)).map_err(|error| {
            // The error stays what it is, whether or not the cookie can be written.
            Refusal { error, due: state.due_cookie(sessions).unwrap_or_default() }
        });
        Self { result }
    }

    /// Writes the headers of the handler's response.
    pub(crate) fn write(self, headers: &mut HeaderMap) -> Result<(), Refusal> {
        let cookie = self.result?;
        // Where there is no room, the response to the error gets the cookie.
        if cookie.is_some() && headers.try_reserve(MOST_HEADERS).is_err() {
            return Err(Refusal { error: Error::Cookie, due: cookie });
        }
        write_cookie(headers, cookie).map_err(|error| Refusal { error, due: None })
    }
}

impl Refusal {
    /// Writes the headers of the response that stands for the error.
    pub(crate) fn write(self, headers: &mut HeaderMap) -> Error {
        if self.due.is_some() {
            // The error stays what it is, whether or not there is room for a cookie.
            let _ = write_cookie(headers, self.due);
        }
        self.error
    }
}

impl<S: Store, C: Codec, K: Signer> Parts<S, C, K> {
    /// All of it at once, where the response's headers are there already.
    pub(super) async fn finish(self, failed: bool, headers: &mut HeaderMap) -> Result<(), Error> {
        let ended = match End::of(self, failed) {
            End::Nothing => return Ok(()),
            End::Headers(ended) => ended,
            End::Save(unsaved) => unsaved.save().await,
        };
        ended.write(headers).map_err(|refusal| refusal.write(headers))
    }
}
