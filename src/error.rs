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
    /// The store failed. Nothing was overwritten.
    #[error("the session store failed")]
    Store(#[source] S),
    /// The codec cannot represent the session data, or cannot read back what it
    /// wrote. Nothing was saved.
    #[error("the session data cannot be represented")]
    Codec(#[source] C),
    /// No session id could be made.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The configuration rejects conflicts, and another request changed the
    /// session at the same time. Nothing was saved.
    #[error("another request changed the session at the same time")]
    Conflict,
    /// So many requests change the session at the same time that this one
    /// gave up. Nothing was saved.
    #[error("too many requests change the session at the same time")]
    Contended,
    /// The session was destroyed, rotated or expired while it was open. Nothing
    /// was saved.
    #[error("the session ended while it was open")]
    Ended,
    /// A second extractor asked for the session while the first one still holds
    /// it.
    #[error(
        "the session is already open in this request: drop the first `Session`, for example before calling `next.run(request)`, and take it again afterwards"
    )]
    InUse,
    /// The request did not come through the session layer, or is handled in
    /// another task than the layer.
    #[error(
        "no session layer for this session type: add `.layer(sessions.layer())` to the router, after its routes, with the same store, codec and signer as the handler's `Session`; a task of its own cannot take the session, so take it before spawning"
    )]
    MissingLayer,
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
            Self::Codec(_) | Self::Id(_) | Self::InUse | Self::MissingLayer | Self::Cookie => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}
