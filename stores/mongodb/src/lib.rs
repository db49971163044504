//! Sessions of `cloakroom` in MongoDB: [`MongoDb`] is the store.
//!
//! The guide of `cloakroom` says [what to expect](cloakroom::guide::stores) from it where
//! one machine is not enough.
//!
//! # Crates in the public interface
//!
//! Types and traits of `cloakroom` 0.1, `mongodb` 3 and `bytes` 1 are part of this crate's
//! interface. Another major version of one of them is a breaking change of this crate too.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod background;
mod collection;
mod documents;
mod error;
mod mongodb;
mod names;

pub use self::error::MongoDbError;
pub use self::mongodb::{MongoDb, MongoDbRevision};
pub use self::names::InvalidMongoDbName;

/// Compiles the program in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
