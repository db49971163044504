//! Sessions in Flask-Session's format, without a Flask application: what is in
//! the store, what the browser gets, and what happens when Flask is in the way.
//! The records and values that stand here as bytes were made by Flask-Session
//! 0.8 with msgspec 0.22.

mod cookies;
mod errors;
mod records;
mod rotation;
#[path = "../races/schedule.rs"]
mod schedule;
#[path = "../support/secret.rs"]
mod secret;
mod shelf;
mod values;
mod versions;
