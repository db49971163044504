//! The cookie holds the id alone, without a tag.

use super::{Signer, Verified};

/// The cookie's value is the session id alone.
///
/// An id has 256 random bits by default, so an attacker cannot guess a live one. Signing
/// adds two things: the server refuses forged ids without asking the store, and a leaked
/// store of plain ids gives no valid cookie.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Unsigned;

#[diagnostic::do_not_recommend]
impl Signer for Unsigned {
    fn sign(&self, _: &str, _: &str, _: &mut String) {}

    fn verify<'v>(&self, _: &str, value: &'v str) -> Option<Verified<'v>> {
        Some(Verified::new(value))
    }
}
