//! Typed server-side web sessions: hand over your coat, keep the ticket.
//!
//! The browser holds a ticket, the session's id in a cookie. The server holds
//! the coat: a struct of yours, in a [`Store`]. What the browser sees never
//! contains session data, and a configuration that is incomplete does not compile.
//!
//! # How the pieces fit
//!
//! | piece | what it is |
//! |---|---|
//! | [`Config`] | puts a configuration together; incomplete ones do not compile |
//! | [`Sessions`] | the finished configuration: opens sessions, makes the layer |
//! | [`Session`] | one open session in one request; dereferences to your struct |
//! | [`Store`] | keeps bytes under a key for a time: [`Memory`](store), [`File`](store), [`Null`](store), [`Memcached`](store), [`Redis`](store), [`Postgres`](store), [`MySql`](store), [`Sqlite`](store), [`MongoDb`](store) |
//! | [`Codec`] | turns the struct into bytes: [`Postcard`](codec), [`MessagePack`](codec), [`Json`](codec), [`Flask`](codec) |
//! | [`Signer`] | protects the ticket: [`HmacSha256`], [`Unsigned`], [`Itsdangerous`](signer) |
//! | [`Cookie`] | the ticket's name and attributes in the browser |
//!
//! A session's type names the three that it is made with, for example
//! `Session<Memory, Postcard<Cart>, HmacSha256>`. They are called without dynamic
//! dispatch, and the compiler has checked that they fit.
//!
//! # Five minutes
//!
//! Say what a session holds, configure, add the layer, and take the session as
//! an argument:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "memory", feature = "postcard"))] {
//! use axum::Router;
//! use axum::routing::{get, post};
//! use cloakroom::{
//!     Config, HmacSha256, Memory, Postcard, SecretKey, Session, Sessions, Ttl,
//! };
//!
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! struct Cart {
//!     items: Vec<u32>,
//!     user: Option<String>,
//! }
//!
//! type CartSession = Session<Memory, Postcard<Cart>, HmacSha256>;
//! type CartSessions = Sessions<Memory, Postcard<Cart>, HmacSha256>;
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
//! // A changed field is saved when the response is ready; with a fresh id, as
//! // whenever a user signs in or gains rights.
//! async fn sign_in(mut session: CartSession) {
//!     session.user = Some("ann".to_owned());
//!     session.rotate();
//! }
//!
//! // The record is removed, and the browser forgets the ticket.
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
//!     .layer(sessions.layer());
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
//! Of the changes that several requests make at the same time, those to different
//! fields of the struct are merged; of two to the same field, the later one wins, even
//! if both push to one list. Where a new value depends on the old one,
//! [`Session::update`] makes the change in one atomic step.
//!
//! A handler that takes another `Session` type than that of the layer compiles, and is
//! answered with a 500, [`Error::MissingLayer`]: the compiler does not see which layer a
//! router will get. The two aliases side by side, and the annotated `sessions`, are the
//! habit that keeps it from happening.
//!
//! Without a framework, the headers of the request and of the response are all
//! that is needed:
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "postcard"))] {
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
//! # What holds
//!
//! - A record is replaced only while it is the version that the request saw.
//!   Otherwise the changes are merged field by field, or refused where the
//!   configuration says so; of two changes to one field, the later one wins.
//! - A session that was logged out never comes back, whatever other requests are
//!   under way.
//! - An id that a client presents is never adopted; only the generator makes
//!   ids. The store sees their SHA-256.
//! - A handler that does not take the session costs no store call, and its
//!   response gets no header.
//! - A store that fails is an error, 503 by default, and never an empty session
//!   that overwrites the real one.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `memory` | yes | [`Memory`](store): sessions in this process |
//! | `file` | | [`File`](store): sessions in a directory; Unix only |
//! | `mongodb` | | [`MongoDb`](store): sessions in MongoDB |
//! | `null` | | [`Null`](store): keeps nothing |
//! | `memcached` | | [`Memcached`](store): sessions in Memcached |
//! | `redis` | | [`Redis`](store): sessions in Redis or Valkey, on one server or in a cluster; [`NearCache`](store) in front of it |
//! | `postgres` | | [`Postgres`](store): sessions in PostgreSQL |
//! | `mysql` | | [`MySql`](store): sessions in MySQL or MariaDB |
//! | `sqlite` | | [`Sqlite`](store): sessions in a file of SQLite |
//! | `postcard` | yes | [`Postcard`](codec): the most compact codec, and `Config::data` |
//! | `messagepack` | | [`MessagePack`](codec): compact, with named fields |
//! | `json` | | [`Json`](codec): readable |
//! | `flask` | | [`Flask`](codec) and [`Itsdangerous`](signer): live sessions shared with a Flask application, see the [`guide`] |
//! | `tower` | with `axum` | `cloakroom::middleware`: the layer |
//! | `axum` | yes | [`Session`] as an extractor, [`Error`] as a response |
//! | `sweeper` | with `file`, `mysql`, `postgres`, `sqlite` | `Sessions::sweep_every`: a task that removes expired records |
//! | `contract` | | the rules of a [`Store`] as tests, for stores of your own |
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
//! | `time` 0.3 | dates as Flask writes them, with the feature `flask` |
//!
//! Those of the stores are listed in [`store`].
//!
//! # Where to go on
//!
//! - [`Config`] has a method for each setting, with its default.
//! - [`Session`] has all that can be done with a session.
//! - [`guide`] has longer pages: [recipes](guide::recipes), such as ending all sessions
//!   of a user; [testing](guide::testing) your handlers;
//!   [choosing a store](guide::stores), and what to expect where one machine is not
//!   enough; coming from [tower-sessions](guide::tower_sessions) or from Flask-Session.
//! - [`store`], [`codec`] and [`signer`] are there to be implemented; [`Store`] has an
//!   example.
//! - `examples/quickstart.rs` is an axum application with pages to click
//!   through, `examples/any_store.rs` runs with each store, and
//!   `examples/framework_free.rs` needs no framework.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// Floors: a file imports only from floors below its own. `tests/floors.rs`
// holds the code to it.

// Floor 0
mod clock;
pub mod cookie;
#[cfg(feature = "flask")]
pub mod flask;
mod id;
mod secret;
mod ttl;

// Floor 1, and 2 for what lies in the folders
pub mod codec;
pub mod signer;
pub mod store;

// Floor 2
#[cfg(any(feature = "sweeper", feature = "tower"))]
mod cause;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod record;

// Floor 3
mod config;

// Floor 4
mod session;

// Floor 5
#[cfg(feature = "tower")]
pub mod middleware;

// Floor 6
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
#[cfg(feature = "postcard")]
#[doc(inline)]
pub use self::codec::Postcard;
#[doc(inline)]
pub use self::codec::{Codec, NamedFields, SessionData};
#[cfg(feature = "sweeper")]
pub use self::config::Sweeper;
#[cfg(feature = "flask")]
pub use self::config::WantsFlaskData;
pub use self::config::{
    AwaitsSecretKey, ChosenStore, Config, InvalidPercent, Percent, Renewal, Sessions, Versions,
    WantsData, WantsSecretKey, WantsStore,
};
#[doc(inline)]
pub use self::cookie::{Cookie, CookieDomain, CookieName, CookiePath, SameSite};
pub use self::error::Error;
pub use self::id::{IdError, IdLength, InvalidIdLength, SessionId};
pub use self::secret::{SecretKey, SecretKeyError};
pub use self::session::{Immediate, Session};
#[cfg(feature = "flask")]
#[doc(inline)]
pub use self::signer::Itsdangerous;
#[doc(inline)]
pub use self::signer::{HmacSha256, Signer, Unsigned};
#[cfg(all(unix, feature = "file"))]
#[doc(inline)]
pub use self::store::File;
#[cfg(feature = "memcached")]
#[doc(inline)]
pub use self::store::Memcached;
#[cfg(feature = "memory")]
#[doc(inline)]
pub use self::store::Memory;
#[cfg(feature = "mongodb")]
#[doc(inline)]
pub use self::store::MongoDb;
#[cfg(feature = "mysql")]
#[doc(inline)]
pub use self::store::MySql;
#[cfg(feature = "null")]
#[doc(inline)]
pub use self::store::Null;
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use self::store::Postgres;
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use self::store::Sqlite;
#[doc(inline)]
pub use self::store::{InvalidKeyPrefix, Key, KeyPrefix, Store, Sweep, Writable};
#[cfg(feature = "redis")]
#[doc(inline)]
pub use self::store::{NearCache, Redis};
pub use self::ttl::{InvalidTtl, Ttl};

/// Compiles and runs the examples in the README.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "flask",
    feature = "memory",
    feature = "postcard",
    feature = "redis"
))]
#[doc = include_str!("../README.md")]
struct Readme;
