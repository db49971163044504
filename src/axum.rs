//! The axum adapter: [`Session`] as an extractor, and [`Error`] as a response.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;

use crate::codec::Codec;
use crate::error::Error;
use crate::middleware::{SessionFailed, is_mistake, log};
use crate::session::Session;
use crate::signer::Signer;
use crate::store::Store;

/// A handler takes `Session<..>` as an argument. The session layer has to be there,
/// and no middleware and no argument further to the left may hold the session. Otherwise the
/// rejection is [`Error::MissingLayer`] or [`Error::InUse`], which say so.
impl<A, S, C, K> FromRequestParts<A> for Session<S, C, K>
where
    A: Send + Sync,
    S: Store,
    C: Codec,
    K: Signer,
{
    type Rejection = Error;

    fn from_request_parts(
        parts: &mut Parts,
        _: &A,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send {
        Self::of_request(parts)
    }
}

/// An empty response with the error's [`status`](Error::status). Mistakes in the
/// wiring are explained in the body, all else only in the log. The extensions hold
/// [`SessionFailed`].
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        log(&self);
        let mut response = match is_mistake(&self) {
            true => self.to_string().into_response(),
            false => ().into_response(),
        };
        SessionFailed::mark(&mut response, self.status());
        response
    }
}
