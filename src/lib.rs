//! Typed server-side web sessions.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// Floors: a file imports only from floors below its own. `tests/floors.rs`
// holds the code to it.

// Floor 0
mod clock;
mod cookie;
mod id;
mod secret;
mod ttl;

// Floor 1, and 2 for what lies in the folders
pub mod codec;
pub mod signer;
pub mod store;

// Floor 2
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
pub mod axum;

pub use self::clock::Clock;
#[cfg(feature = "json")]
pub use self::codec::Json;
#[cfg(feature = "messagepack")]
pub use self::codec::MessagePack;
#[cfg(feature = "postcard")]
pub use self::codec::Postcard;
pub use self::codec::{Codec, SessionData};
pub use self::config::{
    Config, InvalidPercent, Percent, Renewal, Sessions, Versions, WantsData, WantsSecretKey,
    WantsStore,
};
pub use self::cookie::{
    Cookie, CookieDomain, CookieName, CookiePath, Host, HttpsOnly, Insecure, InvalidCookieDomain,
    InvalidCookieName, InvalidCookiePath, SameSite, Scoped, Secure,
};
pub use self::error::{Error, SessionError};
pub use self::id::{IdError, IdLength, InvalidIdLength, SessionId};
pub use self::secret::{SecretKey, SecretKeyError};
pub use self::session::Session;
pub use self::signer::{HmacSha256, Signer, Unsigned};
#[cfg(feature = "memory")]
pub use self::store::Memory;
#[cfg(feature = "null")]
pub use self::store::Null;
pub use self::store::{InvalidKeyPrefix, Keep, Key, KeyPrefix, Store, Sweep};
pub use self::ttl::{InvalidTtl, Ttl};
