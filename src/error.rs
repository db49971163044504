//! What can go wrong with a session: [`Error`].

use std::error::Error as StdError;
use std::iter;

use http::StatusCode;

use crate::id::IdError;

/// The error of a store or a codec, of any type.
type Source = Box<dyn StdError + Send + Sync>;

/// What can go wrong with a session.
///
/// One type serves every store and codec: a handler returns
/// `Result<_, cloakroom::Error>`. The error of the store or the codec is the
/// [`source`](StdError::source), and [`find`](Self::find) hands it out by its type.
///
/// No message names an id, a key or session data.
///
/// # Example
///
/// ```
/// use cloakroom::Error;
///
/// fn should_try_again(error: &Error) -> bool {
///     matches!(error, Error::Conflict | Error::Contended)
///         || error.find::<std::io::Error>().is_some()
/// }
/// # assert!(should_try_again(&Error::Conflict) && !should_try_again(&Error::Ended));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store failed. A record that could not be read is not overwritten. A
    /// change whose acknowledgement was lost may have been stored.
    #[error("the session store failed")]
    Store(#[source] Source),
    /// The codec cannot represent the session data, or cannot read back what it
    /// wrote. Nothing was saved.
    #[error("the session data cannot be represented")]
    Codec(#[source] Source),
    /// No session id could be made.
    #[error("no session id could be made")]
    Id(#[source] IdError),
    /// Another request changed the session at the same time, and the
    /// configuration rejects conflicts, or its own merge function made data that
    /// cannot be represented. Nothing was saved.
    #[error("another request changed the session at the same time")]
    Conflict,
    /// So many requests change the session at the same time that this one
    /// gave up. Nothing was saved.
    #[error("too many requests change the session at the same time")]
    Contended,
    /// The session ended before it could be saved: it was destroyed, expired or was
    /// given a fresh id, by this request or by another one. Nothing was saved.
    #[error("the session ended, or was given a fresh id, before it could be saved")]
    Ended,
    /// The stored record belongs to another version of this program, which alone can
    /// read it. Nothing was saved, and the record was left as it is.
    /// [`Session::sign_in`](crate::Session::sign_in),
    /// [`restart`](crate::Session::restart) and
    /// [`destroy`](crate::Session::destroy) end such a session.
    #[error(
        "this program cannot read the session's record, so it does not replace it: `sign_in`, `restart` and `destroy` end such a session, and `Config::replace_unreadable` begins a new one everywhere"
    )]
    Unreadable,
    /// A second extractor asked for the session while the first one still holds
    /// it: most often another argument of the same handler.
    #[error(
        "the session is already taken in this request: a handler takes one `Session` argument; an extractor of your own reads it with `Session::read(&request, |data| ..)` and stands left of that argument; a middleware drops its `Session` before it calls `next.run(request)`, and takes it again afterwards"
    )]
    InUse,
    /// The session was asked for when the response was ready already, or is to be saved
    /// then under an id that no response can bring to the browser any more.
    #[error(
        "the response is ready, so its session is closed: take the session before the handler returns, and call `detach` for what goes on afterwards"
    )]
    Closed,
    /// The request did not come through the session layer.
    #[error(
        "no session layer for this session type: add `.layer(sessions.layer())` to the router, after its routes, with the same store, codec and signer as the handler's `Session`"
    )]
    MissingLayer,
    /// The cookies of the request are not those that the session layer has seen: a
    /// handler or a middleware has changed them, or made a request of its own from a
    /// clone of this one.
    #[error(
        "the request's cookies are not those that the session layer has seen: a request that a handler makes itself goes through a session layer of its own"
    )]
    OtherRequest,
    /// Two configurations with the same cookie name apply to one request, so each
    /// would overwrite the cookie of the other.
    #[error(
        "two session layers of one request have the same cookie name: give each a name of its own with `.cookie(Cookie::host(cookie_name!(\"..\")))`"
    )]
    SameCookieName,
    /// The cookie could not be written into the response's headers.
    #[error("the session cookie could not be written")]
    Cookie,
}

impl Error {
    /// The status of the response that stands for this error: 503 when the
    /// store failed or gave up, 409 for a conflict, for a session that ended and for
    /// one that cannot be read, otherwise 500.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Store(_) | Self::Contended => StatusCode::SERVICE_UNAVAILABLE,
            Self::Conflict | Self::Ended | Self::Unreadable => StatusCode::CONFLICT,
            Self::Codec(_)
            | Self::Id(_)
            | Self::InUse
            | Self::Closed
            | Self::MissingLayer
            | Self::OtherRequest
            | Self::SameCookieName
            | Self::Cookie => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The first error of type `E` among this error's sources, such as the error
    /// of the store.
    #[must_use]
    pub fn find<E: StdError + 'static>(&self) -> Option<&E> {
        iter::successors(self.source(), |&error| error.source())
            .find_map(<dyn StdError>::downcast_ref)
    }

    #[cold]
    pub(crate) fn store(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Store(Box::new(source))
    }

    #[cold]
    pub(crate) fn codec(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Codec(Box::new(source))
    }
}

impl From<IdError> for Error {
    fn from(error: IdError) -> Self {
        Self::Id(error)
    }
}
