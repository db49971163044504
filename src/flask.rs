//! Values in the form that Flask-Session gives them, for the fields of a struct
//! that a Flask application shares.
//!
//! Most values need nothing: numbers, text, lists, maps and structs have the form
//! that Python gives them.
//!
//! | Python | in the record | field in Rust |
//! |---|---|---|
//! | `bool`, `str`, `None` | the same | `bool`, `String`, `Option` |
//! | `int` | integer; in MessagePack from -2⁶³ to 2⁶⁴ - 1 | `i64`, `u64` and smaller; in JSON `i128` and `u128`, too |
//! | `float` | 64 bits | `f64` |
//! | `list`, `tuple`, `set` | array | `Vec`, tuples, `HashSet` |
//! | `dict` | map | a struct, `HashMap`, `BTreeMap` |
//! | `datetime` with a time zone | timestamp, or text in JSON | [`timestamp`], [`timestamp::option`] |
//! | `datetime`, `date`, `time` without one | text | [`datetime`], [`date`], [`time`] |
//! | `bytes` | binary, or base64 in JSON | [`bytes`], [`bytes::option`] |
//! | `UUID`, `Decimal`, `timedelta` | text | `String` |
//! | `flash(..)` | list of pairs in `_flashes` | [`Flashes`] |
//!
//! A field whose value Flask wrote, and which this program did not change, stays
//! as Flask wrote it.
//!
//! # Example
//!
//! ```
//! use cloakroom::flask::{self, Flashes};
//! use serde::{Deserialize, Serialize};
//! use time::OffsetDateTime;
//!
//! #[derive(Default, Serialize, Deserialize)]
//! #[serde(default)]
//! struct Account {
//!     #[serde(skip_serializing_if = "Option::is_none")]
//!     user_id: Option<u64>,
//!     #[serde(with = "flask::timestamp::option", skip_serializing_if = "Option::is_none")]
//!     signed_in_at: Option<OffsetDateTime>,
//!     #[serde(with = "flask::bytes", skip_serializing_if = "Vec::is_empty")]
//!     token: Vec<u8>,
//!     #[serde(rename = "_flashes", skip_serializing_if = "Flashes::is_empty")]
//!     flashes: Flashes,
//! }
//!
//! let mut account = Account::default();
//! account.flashes.push("info", "Welcome back");
//! ```

pub mod bytes;
pub mod date;
pub mod datetime;
mod flashes;
mod form;
pub mod time;
pub mod timestamp;

pub use self::flashes::Flashes;
