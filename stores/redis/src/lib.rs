//! Sessions of `cloakroom` in Redis or Valkey.
//!
//! | type | what it is |
//! |---|---|
//! | [`Redis`] | the store, on one server or in a cluster |
//! | [`NearCache`] | keeps in this process what was read from Redis, and hears from the server when it changes |
//! | [`RedisOptions`], [`NearCacheOptions`] | timeouts and sizes |
//!
//! The guide of `cloakroom` says [what to expect](cloakroom::guide::stores) from it where
//! one machine is not enough.
//!
//! # Crates in the public interface
//!
//! Types and traits of `cloakroom` 0.1, `redis` 1 and `bytes` 1 are part of this crate's
//! interface. Another major version of one of them is a breaking change of this crate too.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod address;
mod cluster;
mod command;
mod error;
mod extend;
mod heard;
mod near_cache;
mod options;
mod redis;
mod script;
mod sentinels;
mod server;
mod swap;

pub use self::cluster::RedisCluster;
pub use self::error::RedisError;
pub use self::near_cache::{NearCache, NearCacheOptions};
pub use self::options::RedisOptions;
pub use self::redis::{Redis, RedisRevision};
pub use self::server::RedisServer;

/// Compiles the program in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
