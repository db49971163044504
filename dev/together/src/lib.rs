//! Programs of the documentation that name more than one crate. There is nothing to use
//! here: the pages are those of `cloakroom`, which cannot depend on its stores.

/// The README of the repository.
#[cfg(all(doctest, feature = "redis"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The guide's page on Flask-Session.
#[cfg(all(doctest, feature = "redis"))]
#[doc = include_str!("../../../docs/flask.md")]
struct Flask;
