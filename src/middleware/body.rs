//! The body of a response that came through the layer: [`SessionBody`].

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

/// The handler's body as it is. Nothing, where the session could not be saved and another
/// response stands for the handler's; a sentence, where the layer is wired up wrongly.
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
    content: Content<B>,
}

#[derive(Clone, Debug)]
#[pin_project(project = ContentProjection)]
enum Content<B> {
    Handlers(#[pin] B),
    /// Empty, once it was sent.
    Own(Vec<u8>),
}

impl<B> SessionBody<B> {
    /// A body that is `body`.
    #[must_use]
    pub const fn new(body: B) -> Self {
        Self { content: Content::Handlers(body) }
    }

    pub(super) const fn of_text(text: String) -> Self {
        Self { content: Content::Own(text.into_bytes()) }
    }

    /// The handler's body; `None` where it was dropped.
    #[must_use]
    pub const fn get(&self) -> Option<&B> {
        match &self.content {
            Content::Handlers(body) => Some(body),
            Content::Own(_) => None,
        }
    }

    /// The handler's body; `None` where it was dropped.
    #[must_use]
    pub fn into_inner(self) -> Option<B> {
        match self.content {
            Content::Handlers(body) => Some(body),
            Content::Own(_) => None,
        }
    }
}

impl<B> Default for SessionBody<B> {
    fn default() -> Self {
        Self { content: Content::Own(Vec::new()) }
    }
}

impl<B> Body for SessionBody<B>
where
    B: Body,
    B::Data: From<Vec<u8>>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match self.project().content.project() {
            ContentProjection::Handlers(body) => body.poll_frame(cx),
            ContentProjection::Own(text) if text.is_empty() => Poll::Ready(None),
            ContentProjection::Own(text) => {
                Poll::Ready(Some(Ok(Frame::data(B::Data::from(mem::take(text))))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Handlers(body) => body.is_end_stream(),
            Content::Own(text) => text.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Handlers(body) => body.size_hint(),
            Content::Own(text) => SizeHint::with_exact(text.len() as u64),
        }
    }
}
