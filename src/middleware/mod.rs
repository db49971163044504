//! The tower middleware: a layer that opens the session when a handler asks for
//! it, and saves it when the response is ready.
//!
//! A request whose handler does not ask costs no store call and adds no header.
//! The layer does not read the cookie; the `Session` extractor does.
//!
//! # Example
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "postcard"))] {
//! use cloakroom::{Config, Memory, Postcard, Session, Unsigned};
//! use http::{Request, Response};
//! use std::convert::Infallible;
//! use tower::{Layer, Service, ServiceExt, service_fn};
//!
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! struct Visits {
//!     count: u32,
//! }
//!
//! async fn visit(request: Request<String>) -> Result<Response<String>, Infallible> {
//!     let opened = Session::<Memory, Postcard<Visits>, Unsigned>::of_request(&request).await;
//!     let Ok(mut session) = opened else { return Ok(Response::default()) };
//!     session.count += 1;
//!     Ok(Response::new(format!("visit {}", session.count)))
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let sessions = Config::new().store(Memory::new()).data::<Visits>().build();
//! let mut service = sessions.layer().layer(service_fn(visit));
//!
//! let response = service.ready().await?.call(Request::default()).await?;
//! assert_eq!(response.body(), "visit 1");
//! assert!(response.headers().contains_key("set-cookie"));
//! # Ok::<(), Infallible>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod future;

use std::fmt;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "axum")]
pub(crate) use self::future::log;
pub use self::future::{ResponseFuture, SessionFailed};
use crate::codec::Codec;
use crate::config::{ChosenStore, Config, Sessions};
use crate::error::Error;
use crate::session::Session;
use crate::session::peg::Peg;
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    /// The layer that gives handlers their sessions. Add it to a router after
    /// the routes: `Router::new().route(..).layer(sessions.layer())`.
    #[must_use]
    pub fn layer(&self) -> SessionLayer<S, C, K> {
        SessionLayer { sessions: self.clone() }
    }
}

impl<S, C, K> Config<S, C, K> {
    /// The layer of the finished configuration; short for `.build().layer()`.
    #[must_use]
    pub fn layer(self) -> SessionLayer<S, C, K>
    where
        S: ChosenStore,
        C: Codec,
        K: Signer,
    {
        self.build().layer()
    }
}

/// Gives every request of a service a session. Made by [`Sessions::layer`].
pub struct SessionLayer<S: Store, C: Codec, K: Signer> {
    sessions: Sessions<S, C, K>,
}

impl<I, S: Store, C: Codec, K: Signer> Layer<I> for SessionLayer<S, C, K> {
    type Service = SessionService<I, S, C, K>;

    fn layer(&self, inner: I) -> Self::Service {
        SessionService { inner, sessions: self.sessions.clone() }
    }
}

impl<S: Store, C: Codec, K: Signer> Clone for SessionLayer<S, C, K> {
    fn clone(&self) -> Self {
        Self { sessions: self.sessions.clone() }
    }
}

impl<S: Store, C: Codec, K: Signer> fmt::Debug for SessionLayer<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").finish_non_exhaustive()
    }
}

/// A service whose requests have a session. Made by [`SessionLayer`].
///
/// The response's body has to be `Default`: an empty one stands in the error
/// when the session cannot be saved. That response has none of the headers which
/// were set inside this service; a layer that adds headers to all responses, such
/// as one for CORS, belongs outside. [`SessionFailed`] tells it from others.
pub struct SessionService<I, S: Store, C: Codec, K: Signer> {
    inner: I,
    sessions: Sessions<S, C, K>,
}

impl<I, S, C, K, ReqBody, ResBody> Service<Request<ReqBody>> for SessionService<I, S, C, K>
where
    I: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S: Store,
    C: Codec,
    K: Signer,
    ResBody: Default,
{
    type Response = Response<ResBody>;
    type Error = I::Error;
    type Future = ResponseFuture<I::Future, ResBody, S, C, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), I::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), Peg::new(self.sessions.clone()))
    }
}

impl<I: Clone, S: Store, C: Codec, K: Signer> Clone for SessionService<I, S, C, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), sessions: self.sessions.clone() }
    }
}

impl<I, S: Store, C: Codec, K: Signer> fmt::Debug for SessionService<I, S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").finish_non_exhaustive()
    }
}

impl<S: Store, C: Codec, K: Signer> Session<S, C, K> {
    /// The session of a request that came through the layer, for services that
    /// are no axum handlers. The layer saves it once it was dropped.
    ///
    /// It is the session of the request that the layer is handling: another
    /// request's headers, such as those of one that the handler made up, must not
    /// be given here.
    ///
    /// It has to be taken in the task that polls the layer: before spawning, and
    /// before handing futures to a combinator with wakers of its own, such as
    /// `FuturesUnordered`.
    ///
    /// # Errors
    ///
    /// [`Error::MissingLayer`](crate::Error::MissingLayer) without the layer and
    /// in a spawned task, [`Error::OtherRequest`](crate::Error::OtherRequest) where
    /// another task is being polled,
    /// [`Error::InUse`](crate::Error::InUse) while another `Session` of the same
    /// request lives, and [`Error::Store`](crate::Error::Store) when the store
    /// fails.
    pub fn of_request<B>(request: &Request<B>) -> impl Future<Output = Result<Self, Error>> + Send {
        Self::of_headers(request.headers())
    }
}
