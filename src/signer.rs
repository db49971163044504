//! How the session id in a cookie is protected: the [`Signer`] trait, and the signers.

mod hmac;
#[cfg(feature = "flask")]
mod itsdangerous;
mod tag;
mod unsigned;

use std::fmt;

pub use self::hmac::HmacSha256;
#[cfg(feature = "flask")]
pub use self::itsdangerous::{Itsdangerous, ItsdangerousError};
pub use self::unsigned::Unsigned;

/// Writes and checks the tag behind the session id in a cookie's value.
#[diagnostic::on_unimplemented(
    message = "signing is on, but no secret key was given",
    label = "`{Self}` is not a `Signer`",
    note = "call `.secret_key(...)` after `.signed()`, or call `.unsigned()`"
)]
pub trait Signer: Send + Sync + 'static {
    /// Appends to `value`, which holds the id, what protects it in the cookie
    /// called `name`.
    fn sign(&self, name: &str, id: &str, value: &mut String);

    /// What the value of the cookie called `name` says; `None` unless it is
    /// protected by [`sign`](Self::sign) with an accepted key. A signer with one
    /// key answers [`Verified::new`], and one with several
    /// [`Verified::by_older_key`] where the key is not the one that signs.
    ///
    /// The value comes from the client. Checking takes the same time wherever
    /// a wrong tag differs from the right one.
    fn verify<'v>(&self, name: &str, value: &'v str) -> Option<Verified<'v>>;
}

/// The id in a cookie's value, which a [`Signer`] has found to be its own.
///
/// `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct Verified<'v> {
    id: &'v str,
    is_by_older_key: bool,
}

impl<'v> Verified<'v> {
    /// An id that is protected as [`Signer::sign`] would do it now.
    #[must_use]
    pub const fn new(id: &'v str) -> Self {
        Self { id, is_by_older_key: false }
    }

    /// An id that is protected by a key which is accepted, but signs no more.
    ///
    /// If it leads to a live session, the response sends the cookie again, signed by the
    /// newest key.
    #[must_use]
    pub const fn by_older_key(id: &'v str) -> Self {
        Self { id, is_by_older_key: true }
    }

    /// The id. It is a secret like a password: keep it out of logs.
    #[must_use]
    pub const fn id(self) -> &'v str {
        self.id
    }

    /// Whether the key that matched signs no more.
    #[must_use]
    pub const fn is_by_older_key(self) -> bool {
        self.is_by_older_key
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Verified");
        text.field("is_by_older_key", &self.is_by_older_key).finish_non_exhaustive()
    }
}
