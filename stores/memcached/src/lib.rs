//! Sessions of `cloakroom` in Memcached.
//!
//! | type | what it is |
//! |---|---|
//! | [`Memcached`] | the store |
//! | [`MemcachedDial`] | connections of your own: TLS, a password, a socket |
//! | [`MemcachedOptions`] | timeouts, the size of the pool, the longest value |
//!
//! The guide of `cloakroom` says [what to expect](cloakroom::guide::stores) from it where
//! one machine is not enough.
//!
//! # Crates in the public interface
//!
//! Types and traits of `cloakroom` 0.1 and `tokio` 1 (`AsyncRead`, `AsyncWrite`) are part of
//! this crate's interface. Another major version of one of them is a breaking change of this
//! crate too.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod connection;
mod error;
mod expiry;
mod extend;
mod memcached;
mod options;
mod pool;
mod reply;
mod server;

pub use self::error::MemcachedError;
pub use self::memcached::{Memcached, MemcachedRevision};
pub use self::options::MemcachedOptions;
pub use self::server::{MemcachedDial, MemcachedServer};

/// Compiles the program in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
