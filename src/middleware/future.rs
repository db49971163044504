//! The future of a response: first the handler's, then the session's.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Response, StatusCode};
use pin_project::pin_project;

use crate::cause::cause_of;
use crate::codec::Codec;
use crate::error::Error;
use crate::session::peg::{Peg, Returned, with_peg};
use crate::session::{Parts, Step, vary_by_cookie};
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
        peg: Option<Peg>,
    },
    Saving {
        response: Response<B>,
        saving: Saving<S, C, K>,
    },
}

type Saving<S, C, K> = Pin<Box<dyn Future<Output = Saved<S, C, K>> + Send>>;
/// Comes back with the session in any case: a ticket may be due all the same.
type Saved<S, C, K> = (Parts<S, C, K>, Result<(), Error>);

impl<F, B, S: Store, C: Codec, K: Signer> ResponseFuture<F, B, S, C, K> {
    pub(super) const fn new(future: F, peg: Peg) -> Self {
        Self { stage: Stage::Handling { future, peg: Some(peg) } }
    }
}

impl<F, B, E, S, C, K> Future for ResponseFuture<F, B, S, C, K>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
    S: Store,
    C: Codec,
    K: Signer,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut stage = self.project().stage;
        loop {
            match stage.as_mut().project() {
                StageProjection::Handling { future, peg } => {
                    let mut response = ready!(with_peg(peg, cx, |cx| future.poll(cx)))?;
                    let Some(saving) = close(peg.take(), &mut response) else {
                        return Poll::Ready(Ok(response));
                    };
                    stage.set(Stage::Saving { response, saving });
                }
                StageProjection::Saving { response, saving } => {
                    let (parts, saved) = ready!(saving.as_mut().poll(cx));
                    let mut response = std::mem::take(response);
                    end(parts, saved, &mut response);
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

/// Closes the session of a response; hands out the future that saves it, where
/// the store is needed.
fn close<B, S, C, K>(peg: Option<Peg>, response: &mut Response<B>) -> Option<Saving<S, C, K>>
where
    B: Default,
    S: Store,
    C: Codec,
    K: Signer,
{
    let Parts { sessions, mut state } = match peg?.close::<S, C, K>() {
        Returned::Untouched => return None,
        Returned::Hung(parts) => parts,
        Returned::Lent => {
            tracing::warn!(
                "a `Session` outlives its response, for example in a task or a body: what it changes is saved only by calling `save`"
            );
            let written = vary_by_cookie(response.headers_mut());
            refuse_on_error(response, written);
            return None;
        }
    };
    match state.plan_end(sessions.settings(), response.status().is_server_error()) {
        Ok(plan) if plan.step == Step::Nothing => {
            end(Parts { sessions, state }, Ok(()), response);
            None
        }
        Ok(plan) => Some(Box::pin(async move {
            let saved = state.carry_out(&sessions, plan).await;
            (Parts { sessions, state }, saved)
        })),
        Err(error) => {
            end(Parts { sessions, state }, Err(error), response);
            None
        }
    }
}

/// Writes the ticket. On an error, the response is replaced, and gets the ticket
/// that was due before.
fn end<B, S, C, K>(
    Parts { sessions, state }: Parts<S, C, K>,
    saved: Result<(), Error>,
    response: &mut Response<B>,
) where
    B: Default,
    S: Store,
    C: Codec,
    K: Signer,
{
    let written = saved.and_then(|()| state.write_ticket(&sessions, response.headers_mut()));
    if written.is_ok() {
        state.put_aside();
        return;
    }
    refuse_on_error(response, written);
    // The error stays what it is, whether or not there is room for a ticket.
    let _ = state.write_due_ticket(&sessions, response.headers_mut());
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

/// Turns the response into an error, where there is one.
fn refuse_on_error<B: Default>(response: &mut Response<B>, result: Result<(), Error>) {
    if let Err(error) = result {
        log(&error);
        *response = Response::default();
        SessionFailed::mark(response, error.status());
    }
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
