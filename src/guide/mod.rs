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

#[cfg(feature = "flask")]
pub mod flask;
pub mod performance;
pub mod recipes;
pub mod stores;
pub mod testing;
pub mod tower_sessions;
