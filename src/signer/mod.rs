//! How a ticket is protected: the [`Signer`] trait, and the signers.

mod hmac;
#[cfg(feature = "flask")]
mod itsdangerous;
mod tag;
mod unsigned;

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

    /// The id in the value of the cookie called `name`; `None` unless it is
    /// protected by [`sign`](Self::sign) with an accepted key.
    ///
    /// The value comes from the client. Checking takes the same time wherever
    /// a wrong tag differs from the right one.
    fn verify<'v>(&self, name: &str, value: &'v str) -> Option<&'v str>;
}
