//! Guides: longer pages, on questions that no single type answers.
//!
//! - [Recipes](recipes): ending all sessions of a user, several sessions in one
//!   application, flash messages.
//! - [Testing](testing) an application that has sessions.
//! - [Choosing a store](stores), and what to expect where one machine is not enough.
//! - [Performance](performance): what a session costs a request.
//! - [Coming from tower-sessions](tower_sessions).
//! - Moving from Flask-Session: the page `flask`, with the feature of that name.
//!
//! There is no code here.

// Pages in Markdown are in `docs`. `dev/together` compiles the programs that name the crate
// of a store.

#[cfg(feature = "flask")]
#[cfg_attr(not(doctest), doc = include_str!("../../docs/flask.md"))]
pub mod flask {}
pub mod performance;
pub mod recipes;
#[doc = include_str!("../../docs/stores.md")]
pub mod stores {}
pub mod testing;
pub mod tower_sessions;
