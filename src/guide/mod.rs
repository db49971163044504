//! Guides: longer pages, on questions that no single type answers.
//!
//! There is no code here.

pub mod stores;
