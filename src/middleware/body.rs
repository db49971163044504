//! The body of a response that came through the layer: [`SessionBody`].

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

/// The handler's body as it is, or nothing, where the session could not be saved and an
/// empty response stands for the handler's.
///
/// It is a body of its own so that the handler's does not have to be `Default`: those of
/// many layers, such as `TraceLayer`, are not.
///
/// # Default
///
/// Empty.
///
/// # Example
///
/// ```
/// use cloakroom::middleware::SessionBody;
///
/// assert_eq!(SessionBody::new("a page").into_inner(), Some("a page"));
/// assert_eq!(SessionBody::<&str>::default().into_inner(), None);
/// ```
#[derive(Clone, Debug)]
#[pin_project]
pub struct SessionBody<B> {
    #[pin]
    body: Option<B>,
}

impl<B> SessionBody<B> {
    /// A body that is `body`.
    #[must_use]
    pub const fn new(body: B) -> Self {
        Self { body: Some(body) }
    }

    /// The handler's body; `None` where it was dropped.
    #[must_use]
    pub const fn get(&self) -> Option<&B> {
        self.body.as_ref()
    }

    /// The handler's body; `None` where it was dropped.
    #[must_use]
    pub fn into_inner(self) -> Option<B> {
        self.body
    }
}

impl<B> Default for SessionBody<B> {
    fn default() -> Self {
        Self { body: None }
    }
}

impl<B: Body> Body for SessionBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().body.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(B::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), B::size_hint)
    }
}
