//! Where a request keeps its slot, and how its session is taken out: [`HasSlot`].

use std::sync::Arc;

use http::Request;
use http::request::Parts;

use self::sealed::View;
use super::session::{Home, Session};
use super::slot::{Slot, Slots};
use crate::codec::Codec;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::Store;

/// A request, or its head, in which the session layer keeps the session's slot.
///
/// [`Session::read`] and [`Session::of_request`] take it. It is implemented for
/// [`http::Request`] and [`http::request::Parts`], and cannot be implemented elsewhere.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no request that keeps a session",
    label = "a request or its head is expected",
    note = "`http::Request<B>` and `http::request::Parts` keep the session of a request"
)]
pub trait HasSlot: sealed::Request {}

#[expect(unnameable_types, reason = "sealed: the slots of a request are no public type")]
pub(crate) mod sealed {
    use std::fmt;

    use http::HeaderMap;

    use super::Slots;

    pub trait Request {
        #[doc(hidden)]
        fn view(&self) -> View<'_>;
    }

    /// What the slot of a request is found by.
    #[derive(Clone, Copy)]
    pub struct View<'r> {
        pub(super) slots: Option<&'r Slots>,
        pub(super) headers: &'r HeaderMap,
    }

    impl fmt::Debug for View<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("View").finish_non_exhaustive()
        }
    }
}

impl HasSlot for Parts {}

impl sealed::Request for Parts {
    fn view(&self) -> View<'_> {
        View { slots: self.extensions.get(), headers: &self.headers }
    }
}

impl<B> HasSlot for Request<B> {}

impl<B> sealed::Request for Request<B> {
    fn view(&self) -> View<'_> {
        View { slots: self.extensions().get(), headers: self.headers() }
    }
}

impl<S: Store, C: Codec, K: Signer> Session<S, C, K> {
    /// The session of a request that came through the layer, for services that
    /// are no axum handlers. The layer saves it once it was dropped.
    ///
    /// While another taker opens the session, this waits for it. A future that is neither
    /// polled nor dropped keeps those behind it waiting.
    ///
    /// The future borrows nothing from the request, and may be polled in any task. A
    /// clone of the request has the same session, as long as its `Cookie` and
    /// `Authorization` headers are the same.
    ///
    /// # Errors
    ///
    /// [`Error::MissingLayer`](crate::Error::MissingLayer) where the request did not come
    /// through a layer of this type,
    /// [`Error::OtherRequest`](crate::Error::OtherRequest) where its cookies are not
    /// those that the layer has seen,
    /// [`Error::InUse`](crate::Error::InUse) while another `Session` of the same
    /// request lives, [`Error::Closed`](crate::Error::Closed) when the response is
    /// ready, and [`Error::Store`](crate::Error::Store) when the store fails.
    pub fn of_request<Q: HasSlot>(
        request: &Q,
    ) -> impl Future<Output = Result<Self, Error>> + Send + use<S, C, K, Q> {
        take(slot_of(request))
    }

    /// Calls `read` on the session data of a request, and lets the session go at once.
    ///
    /// For an extractor or a middleware of your own that needs something from the
    /// session, such as the user's name. An argument of a handler that keeps the
    /// session stands to the right of it.
    ///
    /// Nothing holds the session across an await.
    ///
    /// # Errors
    ///
    /// As [`of_request`](Self::of_request).
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "axum", feature = "memory", feature = "messagepack"))] {
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Account { user: Option<String>, visits: u32 }
    /// use axum::extract::FromRequestParts;
    /// use axum::response::{IntoResponse, Response};
    /// use cloakroom::{HmacSha256, Memory, MessagePack, Session};
    /// use http::StatusCode;
    /// use http::request::Parts;
    ///
    /// type AccountSession = Session<Memory, MessagePack<Account>, HmacSha256>;
    ///
    /// /// The name of the user who has signed in.
    /// struct User(String);
    ///
    /// impl<A: Send + Sync> FromRequestParts<A> for User {
    ///     type Rejection = Response;
    ///
    ///     async fn from_request_parts(parts: &mut Parts, _: &A) -> Result<Self, Response> {
    ///         let name = AccountSession::read(parts, |account| account.user.clone()).await;
    ///         let name = name.map_err(IntoResponse::into_response)?;
    ///         name.map(User).ok_or_else(|| StatusCode::UNAUTHORIZED.into_response())
    ///     }
    /// }
    ///
    /// // `User` before `AccountSession`: the other way round, it would find it in use.
    /// async fn greet(User(name): User, mut session: AccountSession) -> String {
    ///     session.visits += 1;
    ///     format!("{name} was here {} times", session.visits)
    /// }
    /// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(greet));
    /// # }
    /// ```
    pub fn read<Q, R, F>(
        request: &Q,
        read: F,
    ) -> impl Future<Output = Result<R, Error>> + Send + use<S, C, K, Q, R, F>
    where
        Q: HasSlot,
        F: FnOnce(&C::Data) -> R + Send,
    {
        let session = take(slot_of::<S, C, K>(request));
        async { Ok(read(&*session.await?)) }
    }
}

/// Takes the session out of its slot.
async fn take<S: Store, C: Codec, K: Signer>(
    slot: Result<Arc<Slot<S, C, K>>, Error>,
) -> Result<Session<S, C, K>, Error> {
    let slot = slot?;
    let state = slot.take().await?;
    Ok(Session::new(Home::Slot(slot), state))
}

fn slot_of<S: Store, C: Codec, K: Signer>(
    request: &impl HasSlot,
) -> Result<Arc<Slot<S, C, K>>, Error> {
    let View { slots, headers } = request.view();
    let slots = slots.ok_or(Error::MissingLayer)?;
    slots.find(|credentials| credentials.are_of(headers))
}
