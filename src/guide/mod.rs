//! Guides: longer pages, on questions that no single type answers.
//!
//! There is no code here.

#[cfg(feature = "flask")]
pub mod flask;
pub mod performance;
pub mod stores;
