//! Sessions of `cloakroom` in an SQL database.
//!
//! | type | feature | what it is |
//! |---|---|---|
//! | [`Postgres`] | `postgres` | the store in PostgreSQL |
//! | [`MySql`] | `mysql` | the store in MySQL or MariaDB |
//! | [`Sqlite`] | `sqlite` | the store in a file of SQLite |
//! | [`SqlOptions`] | | names in the database, and timeouts |
//!
//! They keep the table of Flask-Session. It has no column for a version, so a version is
//! its bytes: an update names the bytes that were seen, and the server compares them.
//!
//! The guide of `cloakroom` says [what to expect](cloakroom::guide::stores) from them where
//! one machine is not enough.
//!
//! # Crates in the public interface
//!
//! Types and traits of `cloakroom` 0.1 and `sqlx` 0.9 are part of this crate's interface.
//! Another version of one of them that breaks is a breaking change of this crate too.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// Pages link to what a feature brings.
#![cfg_attr(
    not(all(feature = "mysql", feature = "postgres", feature = "sqlite")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg_attr(
    not(any(feature = "mysql", feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "without a database there is no store")
)]

mod answer;
mod columns;
mod error;
mod lease;
mod limits;
#[cfg(feature = "mysql")]
mod mysql;
mod name;
#[cfg(not(feature = "mysql"))]
mod no_mysql;
mod options;
#[cfg(feature = "postgres")]
mod postgres;
mod revision;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod url;

pub use self::error::SqlError;
#[cfg(feature = "mysql")]
pub use self::mysql::MySql;
#[cfg(feature = "mysql")]
use self::mysql::number;
pub use self::name::{InvalidSqlName, SqlName};
#[cfg(not(feature = "mysql"))]
use self::no_mysql::number;
pub use self::options::SqlOptions;
#[cfg(feature = "postgres")]
pub use self::postgres::Postgres;
pub use self::revision::SqlRevision;
#[cfg(feature = "sqlite")]
pub use self::sqlite::Sqlite;

/// Compiles the program in the README.
#[cfg(all(doctest, feature = "postgres"))]
#[doc = include_str!("../README.md")]
struct Readme;
