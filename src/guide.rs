//! Guides: longer pages, on questions that no single type answers.
//!
//! - [Recipes](recipes): ending all sessions of a user, several sessions in one
//!   application, flash messages, sockets and jobs.
//! - [Changing a program while sessions live](deployments): deployments, settings, keys.
//! - [Testing](testing) an application that has sessions.
//! - [Choosing a store](stores), and what to expect where one machine is not enough.
//! - [Performance](performance): what a session costs a request.
//! - [Coming from tower-sessions](tower_sessions).
//! - Moving from Flask-Session: the page `flask`, with the feature of that name.
//!
//! There is no code here.

// The pages are in `docs`. Their links lead to files there, for readers of the repository.
// Here `links.md` stands in front: of two definitions of a link, the first counts.
//
// A program of a page needs features that may be off, so that a page is left out of the
// tests of the documentation then. `dev/together` compiles the programs that name the crate
// of a store.

#[cfg_attr(
    any(not(doctest), all(feature = "json", feature = "memory", feature = "messagepack")),
    doc = include_str!("guide/links.md"),
    doc = "",
    doc = include_str!("../docs/deployments.md")
)]
pub mod deployments {}
#[cfg(feature = "flask")]
#[cfg_attr(
    not(doctest),
    doc = include_str!("guide/links.md"),
    doc = "",
    doc = include_str!("../docs/flask.md")
)]
pub mod flask {}
#[doc = include_str!("guide/links.md")]
#[doc = ""]
#[doc = include_str!("../docs/performance.md")]
pub mod performance {}
#[cfg_attr(
    any(not(doctest), all(feature = "axum", feature = "memory", feature = "messagepack")),
    doc = include_str!("guide/links.md"),
    doc = "",
    doc = include_str!("../docs/recipes.md")
)]
pub mod recipes {}
#[doc = include_str!("guide/links.md")]
#[doc = ""]
#[doc = include_str!("../docs/stores.md")]
pub mod stores {}
#[cfg_attr(
    any(
        not(doctest),
        all(unix, feature = "axum", feature = "file", feature = "memory", feature = "messagepack")
    ),
    doc = include_str!("guide/links.md"),
    doc = "",
    doc = include_str!("../docs/testing.md")
)]
pub mod testing {}
#[cfg_attr(
    any(not(doctest), all(feature = "memory", feature = "messagepack")),
    doc = include_str!("guide/links.md"),
    doc = "",
    doc = include_str!("../docs/tower_sessions.md")
)]
pub mod tower_sessions {}
