//! The future of a response: first the handler's, then the session's.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Response, StatusCode};
use pin_project::pin_project;

use super::SessionBody;
use crate::cause::cause_of;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::{End, Ended, Owner, is_failure};
use crate::signer::Signer;
use crate::store::Store;

/// The future of a [`SessionService`](super::SessionService).
///
/// Where the inner service fails, and so gives no response, nothing is saved, and
/// a session is not destroyed either.
///
/// Where the session cannot be saved, another response stands in the place of the
/// handler's: empty, with the [`status`](Error::status) of the error, and without
/// the headers and extensions that the handler and the layers inside this one have
/// set. Its extensions hold [`SessionFailed`], and the log says what went wrong.
///
/// A response whose session has to be written waits for the store; its future is
/// then boxed, since a store's futures have no names. No other response boxes
/// anything.
///
/// When this future is dropped, nothing is saved.
#[pin_project]
pub struct ResponseFuture<F, B, S: Store, C: Codec, K: Signer> {
    #[pin]
    stage: Stage<F, B, S, C, K>,
}

#[pin_project(project = StageProjection)]
enum Stage<F, B, S: Store, C: Codec, K: Signer> {
    Handling {
        #[pin]
        future: F,
        /// None where the slot is that of a layer outside.
        slot: Option<Owner<S, C, K>>,
    },
    Saving {
        response: Option<Response<B>>,
        saving: Saving,
    },
    Refused(Option<Error>),
}

type Saving = Pin<Box<dyn Future<Output = Ended> + Send>>;

impl<F, B, S: Store, C: Codec, K: Signer> ResponseFuture<F, B, S, C, K> {
    pub(super) const fn new(future: F, slot: Option<Owner<S, C, K>>) -> Self {
        Self { stage: Stage::Handling { future, slot } }
    }

    pub(super) const fn refused(error: Error) -> Self {
        Self { stage: Stage::Refused(Some(error)) }
    }
}

impl<F, B, E, S, C, K> Future for ResponseFuture<F, B, S, C, K>
where
    F: Future<Output = Result<Response<B>, E>>,
    S: Store,
    C: Codec,
    K: Signer,
{
    type Output = Result<Response<SessionBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                StageProjection::Handling { future, slot } => {
                    let response = ready!(future.poll(cx))?;
                    let failed = is_failure(response.status());
                    match slot.take().map_or(End::Nothing, |slot| slot.end(failed)) {
                        End::Nothing => return Poll::Ready(Ok(response.map(SessionBody::new))),
                        End::Headers(ended) => return Poll::Ready(Ok(answer(response, ended))),
                        End::Save(unsaved) => {
                            let saving = Box::pin(unsaved.save());
                            stage.set(Stage::Saving { response: Some(response), saving });
                        }
                    }
                }
                StageProjection::Saving { response, saving } => {
                    let ended = ready!(saving.as_mut().poll(cx));
                    let response = response.take().map(|response| answer(response, ended));
                    return Poll::Ready(Ok(response.unwrap_or_default()));
                }
                StageProjection::Refused(error) => {
                    let response = error.take().map(|error| refusal(&error));
                    return Poll::Ready(Ok(response.unwrap_or_default()));
                }
            }
        }
    }
}

/// The handler's response with the session's headers, or the one that stands for an
/// error.
fn answer<B>(mut response: Response<B>, ended: Ended) -> Response<SessionBody<B>> {
    let Err(refused) = ended.write(response.headers_mut()) else {
        return response.map(SessionBody::new);
    };
    let mut headers = HeaderMap::new();
    let error = refused.write(&mut headers);
    let mut response = refusal(&error);
    *response.headers_mut() = headers;
    response
}

fn refusal<B>(error: &Error) -> Response<SessionBody<B>> {
    log(error);
    let mut response = Response::<SessionBody<B>>::default();
    // Its developer has to see a mistake at once.
    if is_mistake(error) {
        *response.body_mut() = SessionBody::of_text(error.to_string());
    }
    SessionFailed::mark(&mut response, error.status());
    response
}

/// In the extensions of a response that stands for an [`Error`]: the session could
/// not be saved, or an extractor of axum did not get it. By this, an outer middleware
/// tells such a response from one of the application, and can shape it.
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "axum", feature = "memory", feature = "postcard"))] {
/// use axum::Router;
/// use axum::body::Body;
/// use axum::middleware::map_response;
/// use axum::response::Response;
/// use cloakroom::middleware::SessionFailed;
/// # use cloakroom::{Config, Memory};
///
/// async fn apologize(response: Response) -> Response {
///     match response.extensions().get::<SessionFailed>() {
///         // Its headers stay: a cookie may be among them.
///         Some(_) => response.map(|_| Body::from("Please try again.")),
///         None => response,
///     }
/// }
///
/// # let sessions = Config::new().store(Memory::new()).data::<u8>().build();
/// let app: Router = Router::new()
///     // The routes.
///     .layer(sessions.layer())
///     .layer(map_response(apologize)); // added later, so it is outside
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionFailed {
    status: StatusCode,
}

impl SessionFailed {
    /// The [`status`](Error::status) of the error.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        self.status
    }

    pub(crate) fn mark<B>(response: &mut Response<B>, status: StatusCode) {
        *response.status_mut() = status;
        response.extensions_mut().insert(Self { status });
    }
}

/// Whether the application is wired up wrongly, which its developer has to see at
/// once.
pub(crate) const fn is_mistake(error: &Error) -> bool {
    matches!(
        error,
        Error::InUse
            | Error::Closed
            | Error::MissingLayer
            | Error::OtherRequest
            | Error::SameCookieName
    )
}

/// Tells the log what the response does not say. The codec's own message may
/// repeat session data, so it is left out, and its cause only named where it is
/// one of those that are fixed.
pub(crate) fn log(error: &Error) {
    let cause = cause_of(error).map(tracing::field::display);
    match error {
        Error::Store(source) => tracing::error!(%source, cause, "{error}"),
        _ => tracing::error!(cause, "{error}"),
    }
}

impl<F, B, S: Store, C: Codec, K: Signer> fmt::Debug for ResponseFuture<F, B, S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
