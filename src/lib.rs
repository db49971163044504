//! Typed, server-side web sessions.
//!
//! The browser holds a session id, in a cookie. The server holds the session data, a
//! struct of the application, in a [`Store`]. The browser never sees the data. A
//! configuration that is incomplete does not compile.
//!
//! # How the pieces fit
//!
//! | piece | what it is |
//! |---|---|
//! | [`Config`] | puts a configuration together; incomplete ones do not compile |
//! | [`Sessions`] | the finished configuration: opens sessions, and is the layer |
//! | [`Session`] | one open session in one request; dereferences to the struct |
//! | [`Store`] | keeps bytes under a key for a time: [`Memory`], [`File`], [`Null`]; those for a server are [crates of their own](store#stores-in-other-crates) |
//! | [`Codec`] | turns the struct into bytes: [`MessagePack`], [`Json`], [`Postcard`]; [`Strict`] and [`Flask`] around one of them |
//! | [`Signer`] | protects the session cookie: [`HmacSha256`], [`Unsigned`], [`Itsdangerous`] |
//! | [`Cookie`] | the name and the attributes of the session cookie |
//! | [`Error`] | what can go wrong, with every store and codec |
//!
//! A session's type names the three that it is made with, for example
//! `Session<Memory, MessagePack<Cart>, HmacSha256>`. They are called without dynamic
//! dispatch, and the compiler has checked that they fit.
//!
//! # Five minutes
//!
//! Say what a session holds, configure, add the layer, and take the session as
//! an argument:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "memory", feature = "messagepack"))] {
//! use axum::Router;
//! use axum::routing::{get, post};
//! use cloakroom::{
//!     Config, HmacSha256, Memory, MessagePack, SecretKey, Session, Sessions, Ttl,
//! };
//!
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! struct Cart {
//!     items: Vec<u32>,
//!     user: Option<String>,
//! }
//!
//! type CartSession = Session<Memory, MessagePack<Cart>, HmacSha256>;
//! type CartSessions = Sessions<Memory, MessagePack<Cart>, HmacSha256>;
//!
//! // Only reads: nothing is stored, and no cookie is set.
//! async fn show(session: CartSession) -> String {
//!     format!("{} items", session.items.len())
//! }
//!
//! // The new value depends on the old one: reads, changes and writes in one atomic
//! // step.
//! async fn add(mut session: CartSession) -> Result<String, cloakroom::Error> {
//!     let items = session
//!         .update(|cart| {
//!             cart.items.push(7);
//!             cart.items.len()
//!         })
//!         .await?;
//!     Ok(format!("{items} items"))
//! }
//!
//! // After a password was checked: a fresh id, and a new absolute end. The layer saves
//! // the changed field when the response is ready.
//! async fn sign_in(mut session: CartSession) {
//!     session.user = Some("ann".to_owned());
//!     session.sign_in();
//! }
//!
//! // Ends the session, and tells the browser to forget the cookie.
//! async fn sign_out(mut session: CartSession) {
//!     session.destroy();
//! }
//!
//! // The type is written down, so that a configuration for other sessions than those
//! // that the handlers take does not compile.
//! let sessions: CartSessions = Config::new()
//!     .store(Memory::new())
//!     .data::<Cart>()
//!     .signed()
//!     .secret_key(SecretKey::generate()?)
//!     .idle_timeout(Ttl::hours(2))
//!     .absolute_timeout(Ttl::days(30))
//!     .build();
//!
//! let app: Router = Router::new()
//!     .route("/", get(show))
//!     .route("/add", post(add))
//!     .route("/sign-in", post(sign_in))
//!     .route("/sign-out", post(sign_out))
//!     .layer(sessions.clone());
//! # use tower::ServiceExt as _;
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! #     let request = |method, path| http::Request::builder().method(method).uri(path);
//! #     let read = request("GET", "/").body(axum::body::Body::empty())?;
//! #     assert!(!app.clone().oneshot(read).await?.headers().contains_key("set-cookie"));
//! #     let write = request("POST", "/add").body(axum::body::Body::empty())?;
//! #     assert!(app.oneshot(write).await?.headers().contains_key("set-cookie"));
//! #     Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! When several requests change a session at the same time, changes to different fields
//! are merged. Of two changes to one field, the later one wins, even if both push to one
//! list. Where a new value depends on the old one, [`Session::update`] makes the change
//! in one atomic step.
//!
//! The compiler does not see which layer a router will get. A handler that takes another
//! `Session` type than the layer's compiles; its response is a 500, for
//! [`Error::MissingLayer`]. The two aliases side by side, and the annotated `sessions`,
//! keep that from happening.
//!
//! Without a framework, a program opens a session with the headers of the request, and
//! closes it with those of the response:
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "messagepack"))] {
//! # #[derive(Default, serde::Serialize, serde::Deserialize)]
//! # struct Cart { items: Vec<u32> }
//! use cloakroom::{Config, Memory};
//! use http::HeaderMap;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let sessions = Config::new().store(Memory::new()).data::<Cart>().build();
//!
//! let request_headers = HeaderMap::new();
//! let mut response_headers = HeaderMap::new();
//! let mut session = sessions.open(&request_headers).await?;
//! session.items.push(7);
//! session.close(&mut response_headers).await?;
//!
//! assert!(response_headers.contains_key("set-cookie"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which method
//!
//! | what the handler does | what it calls |
//! |---|---|
//! | has checked a password or another credential | [`Session::sign_in`]: a fresh id, and a new absolute end |
//! | has given a signed-in user more rights, such as after a second factor | [`Session::rotate`]: a fresh id, the same session |
//! | signs the user out | [`Session::destroy`]: ends the session and removes the cookie |
//! | signs the user out and leaves a message for the next page | [`Session::restart`]: ends the session and begins a new one |
//! | changes a field | `session.field = ..`; the layer saves it |
//! | changes a field by what it was | [`Session::update`] |
//! | needs what other requests have saved meanwhile | [`Session::reload`] |
//! | answers now and goes on later, in a socket, a stream or a job | [`Session::detach`] |
//! | is an extractor that needs a field | [`Session::read`] |
//!
//! # What holds
//!
//! - A record is replaced only while it is the version that the request saw.
//!   Otherwise the changes are merged field by field, or refused where the
//!   configuration says so. Of two changes to one field, the later one wins.
//! - A session that was logged out never comes back, whatever other requests are
//!   under way.
//! - An id that a client presents is never adopted. Only the generator makes
//!   ids. The store sees their SHA-256.
//! - A record says itself when it is over. A changed timeout ends no session and
//!   lengthens none; [`Config::not_before`] ends all that began before a time.
//! - A record that this program cannot read belongs to another version of it. It is not
//!   overwritten; see [`Session::is_unreadable`].
//! - A handler that does not take the session costs no store call, and its
//!   response gets no header.
//! - A store that fails is an error, 503 by default, and never an empty session
//!   that overwrites the real one.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `memory` | yes | [`Memory`]: sessions in this process |
//! | `file` | | [`File`]: sessions in a directory; Unix only |
//! | `null` | | [`Null`]: keeps nothing |
//! | `messagepack` | yes | [`MessagePack`]: compact, with named fields; and [`Config::data`] |
//! | `json` | | [`Json`]: readable, with named fields |
//! | `postcard` | | [`Postcard`]: the smallest records; every change of the struct ends the sessions |
//! | `flask` | | [`Flask`] and [`Itsdangerous`]: live sessions shared with a Flask application, see the [guide](guide::flask) |
//! | `tower` | with `axum` | [`SessionLayer`](middleware::SessionLayer): the layer |
//! | `axum` | yes | [`Session`] as an extractor, [`Error`] as a response |
//! | `sweeper` | with `file` | [`Sessions::sweep_every`]: a task that removes expired records |
//! | `contract` | | [`store_contract!`]: the rules of a [`Store`] as tests, for stores of other crates |
//!
//! # Crates in the public interface
//!
//! Types and traits of these crates are part of this crate's interface, so another
//! major version of one of them is a breaking change of this one too.
//!
//! | crate | for |
//! |---|---|
//! | `http` 1 | headers, requests and responses |
//! | `serde` 1 | session data |
//! | `tower-layer` 0.3, `tower-service` 0.3 | the layer, with the feature `tower` |
//! | `axum-core` 0.5 | the extractor and the response, with the feature `axum` |
//! | `postcard-schema` 0.2 | the schema of session data, with the feature `postcard` |
//! | `time` 0.3 | dates as Flask writes them, with the feature `flask` |
//!
//! The crate of a store lists its own.
//!
//! # Where to go on
//!
//! - [`Config`] has a method for each setting, with its default.
//! - [`Session`] has all that can be done with a session.
//! - [`guide`] has longer pages: [recipes](guide::recipes), such as ending all sessions
//!   of a user; [changing a program while sessions live](guide::deployments);
//!   [testing](guide::testing) handlers; [choosing a store](guide::stores), and what to
//!   expect where one machine is not enough; coming from
//!   [tower-sessions](guide::tower_sessions) or from [Flask-Session](guide::flask).
//! - [`Store`], [`Codec`] and [`Signer`] are traits that an application may implement.
//!   [`Store`] has an example.
//! - `examples/quickstart.rs` is an axum application with pages to click through,
//!   `examples/framework_free.rs` needs no framework, and
//!   `dev/together/examples/any_store.rs` in the repository runs with each store.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Pages link to what a feature brings.
#![cfg_attr(
    not(all(
        unix,
        feature = "axum",
        feature = "contract",
        feature = "file",
        feature = "flask",
        feature = "json",
        feature = "memory",
        feature = "null",
        feature = "postcard",
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![forbid(unsafe_code)]

// The layers of the code, from the bottom up: a file imports only from layers below its
// own. `tests/layers.rs` has the whole table and holds the code to it.

// Values
mod clock;
pub mod cookie;
#[cfg(feature = "flask")]
pub mod flask;
mod id;
mod renewal;
mod secret;
mod ttl;

// The three traits, and in the folders what implements them
pub mod codec;
pub mod signer;
pub mod store;

// What the log and the errors say, and what a record holds
#[cfg(any(feature = "sweeper", feature = "tower"))]
mod cause;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod record;

// The configuration
mod config;

// The session
mod session;

// The tower middleware
#[cfg(feature = "tower")]
pub mod middleware;

// The frameworks, and pages of documentation
#[cfg(feature = "axum")]
mod axum;
pub mod guide;

pub use self::clock::Clock;
#[cfg(feature = "flask")]
#[doc(inline)]
pub use self::codec::Flask;
#[cfg(feature = "json")]
#[doc(inline)]
pub use self::codec::Json;
#[cfg(feature = "messagepack")]
#[doc(inline)]
pub use self::codec::MessagePack;
#[doc(inline)]
pub use self::codec::{Codec, NamedFields, SessionData, Strict};
#[cfg(feature = "postcard")]
#[doc(inline)]
pub use self::codec::{Postcard, PostcardData};
#[cfg(feature = "sweeper")]
pub use self::config::Sweeper;
#[cfg(feature = "flask")]
pub use self::config::WantsFlaskData;
pub use self::config::{
    AwaitsSecretKey, ChosenStore, Config, SaysTimes, Sessions, Versions, WantsData, WantsSecretKey,
    WantsStore,
};
#[doc(inline)]
pub use self::cookie::{Cookie, CookieDomain, CookieName, CookiePath, SameSite};
pub use self::error::Error;
pub use self::id::{IdError, IdLength, InvalidIdLength, SessionId};
#[cfg(feature = "flask")]
pub use self::record::FlaskRecord;
pub use self::record::{NativeRecord, RecordFormat};
pub use self::renewal::{InvalidPercent, Percent, Renewal};
pub use self::secret::{SecretKey, SecretKeyError};
pub use self::session::{Detached, HasSlot, Immediate, Session, SessionsOf};
#[cfg(feature = "flask")]
#[doc(inline)]
pub use self::signer::Itsdangerous;
#[doc(inline)]
pub use self::signer::{HmacSha256, Signer, Unsigned};
#[cfg(all(unix, feature = "file"))]
#[doc(inline)]
pub use self::store::File;
#[cfg(feature = "memory")]
#[doc(inline)]
pub use self::store::Memory;
#[cfg(feature = "null")]
#[doc(inline)]
pub use self::store::Null;
#[doc(inline)]
pub use self::store::{InvalidKeyPrefix, Key, KeyPrefix, Store, Sweep, Writable};
pub use self::ttl::{InvalidTtl, Ttl};
