//! What can go wrong with a session.

use http::StatusCode;

use crate::codec::Codec;
use crate::id::IdError;
use crate::store::Store;

/// The [`Error`] of a session with store `S` and codec `C`.
pub type SessionError<S, C> = Error<<S as Store>::Error, <C as Codec>::Error>;

/// What can go wrong with a session, with the store's and the codec's own
/// errors as sources.
///
/// No message names an id, a key or session data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error<S, C> {
    /// The store failed. A record that could not be read is not overwritten; a
    /// change whose acknowledgement was lost may have been stored.
    #[error("the session store failed")]
    Store(#[source] S),
    /// The codec cannot represent the session data, or cannot read back what it
    /// wrote. Nothing was saved.
    #[error("the session data cannot be represented")]
    Codec(#[source] C),
    /// No session id could be made.
    #[error(transparent)]
    Id(#[from] IdError),
    /// Another request changed the session at the same time, and the
    /// configuration rejects conflicts, or its own merge function made data that
    /// cannot be represented. Nothing was saved.
    #[error("another request changed the session at the same time")]
    Conflict,
    /// So many requests change the session at the same time that this one
    /// gave up. Nothing was saved.
    #[error("too many requests change the session at the same time")]
    Contended,
    /// The session was destroyed, rotated or expired while it was open, or its
    /// ticket had just been exchanged for a fresh one when it was opened. Nothing
    /// was saved.
    #[error("the session ended, or was given a fresh id, before it could be saved")]
    Ended,
    /// A second extractor asked for the session while the first one still holds
    /// it: most often another argument of the same handler, since arguments are
    /// taken in their order and kept. Extractors that borrow the session and let it
    /// go come before the one that keeps it. A middleware drops its `Session`
    /// before it calls what is inside.
    #[error(
        "the session is already open in this request: among a handler's arguments, extractors that borrow the session and let it go come before the one that keeps it; a middleware drops its `Session` before calling `next.run(request)`, and takes it again afterwards"
    )]
    InUse,
    /// The request did not come through the session layer.
    #[error(
        "no session layer for this session type: add `.layer(sessions.layer())` to the router, after its routes, with the same store, codec and signer as the handler's `Session`"
    )]
    MissingLayer,
    /// The session was asked for by another task than the one that polls the
    /// session layer, or below a combinator that wakes its futures in its own
    /// way, such as `FuturesUnordered` or `Shared`.
    #[error(
        "another task than the session layer's asked for the session: take it before spawning, and before handing futures to a combinator such as `FuturesUnordered`"
    )]
    ForeignTask,
    /// The cookie could not be written into the response's headers.
    #[error("the session cookie could not be written")]
    Cookie,
}

impl<S, C> Error<S, C> {
    /// The status of the response that stands for this error: 503 when the
    /// store failed or gave up, 409 for a conflict or a session that ended,
    /// otherwise 500.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Store(_) | Self::Contended => StatusCode::SERVICE_UNAVAILABLE,
            Self::Conflict | Self::Ended => StatusCode::CONFLICT,
            Self::Codec(_)
            | Self::Id(_)
            | Self::InUse
            | Self::MissingLayer
            | Self::ForeignTask
            | Self::Cookie => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
