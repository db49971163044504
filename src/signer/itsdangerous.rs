//! The signatures of Python's `itsdangerous`, as Flask-Session uses it.

use std::ffi::OsString;
use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use zeroize::Zeroizing;

use super::tag::Keys;
use super::{Signer, Verified};

/// What keeps a signature for one purpose from being one for another.
const SALT: &[u8] = b"flask-session";

/// Signs cookies as Flask-Session does where `SESSION_USE_SIGNER` is on, with
/// the `SECRET_KEY` of the Flask application.
///
/// The cookie's value is `id.tag`. The tag is the HMAC-SHA1 (RFC 2104) of the id
/// in base64url, and the key is the HMAC-SHA1 of `flask-session` with the secret:
/// `Signer(secret, salt="flask-session", key_derivation="hmac")` in Python.
///
/// # SHA-1
///
/// Collisions in SHA-1 are known (two texts with one digest, both chosen by the
/// attacker), and they make no signature: HMAC hides the inner state behind the
/// key, so that its proof asks only for a pseudorandom compression function, not
/// for one without collisions (Bellare, 2006; RFC 6194, section 3.3). No attack on
/// HMAC-SHA1 is known that would be better than guessing 160 bits. Nothing else in
/// this crate uses SHA-1. For sessions that no Flask application shares, use
/// [`HmacSha256`](super::HmacSha256), whose tag covers the cookie's name as well:
/// here, the value of one cookie also verifies as that of any other cookie that the same
/// secret signs.
///
/// # Example
///
/// ```
/// use cloakroom::{Itsdangerous, Signer};
///
/// let signer = Itsdangerous::new("dev-secret-key")?.accept_older("the key before")?;
/// assert!(signer.verify("session", "forged.EZpzwDXbKU-tShDwbxxGrS8asEg").is_none());
/// # Ok::<(), cloakroom::signer::ItsdangerousError>(())
/// ```
#[derive(Debug)]
pub struct Itsdangerous {
    keys: Keys,
}

impl Itsdangerous {
    /// Signs with `secret`, the bytes or the text of Flask's `SECRET_KEY`.
    ///
    /// Flask takes a secret of any length; 32 random bytes cannot be guessed.
    ///
    /// # Errors
    ///
    /// [`ItsdangerousError::Empty`] for a secret of no bytes.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, ItsdangerousError> {
        Ok(Self { keys: Keys::new(derived_key(secret.as_ref())?) })
    }

    /// Signs with the value of the environment variable `name`, taken as it is:
    /// not decoded, and with any white space.
    ///
    /// # Errors
    ///
    /// [`ItsdangerousError::NotSet`] when there is no such variable, and
    /// [`ItsdangerousError::EmptyVariable`] when it has no value.
    pub fn from_env(name: &str) -> Result<Self, ItsdangerousError> {
        Self::from_variable(name, std::env::var_os(name))
    }

    fn from_variable(name: &str, value: Option<OsString>) -> Result<Self, ItsdangerousError> {
        let variable = name.to_owned();
        let Some(value) = value else { return Err(ItsdangerousError::NotSet { variable }) };
        if value.is_empty() {
            return Err(ItsdangerousError::EmptyVariable { variable });
        }
        Self::new(Zeroizing::new(value.into_encoded_bytes()).as_slice())
    }

    /// Also accepts values that `secret` signs elsewhere already, and does not sign with it
    /// yet: the first step of replacing a secret. May be called several times.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn accept_next(mut self, secret: impl AsRef<[u8]>) -> Result<Self, ItsdangerousError> {
        self.keys.accept_next(derived_key(secret.as_ref())?);
        Ok(self)
    }

    /// Also accepts values that `secret` has signed. The response then sends the cookie of a
    /// live session again, signed by the newest secret. May be called several times.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn accept_older(mut self, secret: impl AsRef<[u8]>) -> Result<Self, ItsdangerousError> {
        self.keys.accept_older(derived_key(secret.as_ref())?);
        Ok(self)
    }
}

/// Why an [`Itsdangerous`] could not be made. No message repeats the secret.
///
/// `Debug` holds the message too, which is what a `main` that fails prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ItsdangerousError {
    /// The secret has no bytes, so that any client could sign.
    #[error("the secret key is empty")]
    Empty,
    /// The environment variable is not set.
    #[error(
        "the environment variable `{variable}` is not set; it holds the `SECRET_KEY` of the Flask application"
    )]
    NotSet {
        /// Its name.
        variable: String,
    },
    /// The environment variable has no value.
    #[error(
        "the environment variable `{variable}` is empty; it holds the `SECRET_KEY` of the Flask application"
    )]
    EmptyVariable {
        /// Its name.
        variable: String,
    },
}

impl fmt::Debug for ItsdangerousError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItsdangerousError({self})")
    }
}

#[diagnostic::do_not_recommend]
impl Signer for Itsdangerous {
    fn sign(&self, _: &str, id: &str, value: &mut String) {
        value.push('.');
        let tag = sign(&self.keys.newest, id.as_bytes());
        BASE64URL_NOPAD.encode_append(tag.as_ref(), value);
    }

    fn verify<'v>(&self, _: &str, value: &'v str) -> Option<Verified<'v>> {
        let (id, tag) = value.rsplit_once('.')?;
        let tag = tag.strip_suffix('=').unwrap_or(tag);
        self.keys.verify(id, id.as_bytes(), tag)
    }
}

/// The key for Flask-Session's cookies.
fn derived_key(secret: &[u8]) -> Result<Key, ItsdangerousError> {
    if secret.is_empty() {
        return Err(ItsdangerousError::Empty);
    }
    let secret = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    Ok(Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, sign(&secret, SALT).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    const OLD_SID: &str = "4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c11";

    /// Values that Python made: `Signer(secret, salt="flask-session",
    /// key_derivation="hmac").sign(id)`, with itsdangerous 2.2.0.
    const SIGNED: [(&[u8], &str, &str); 4] = [
        (b"dev-secret-key", SID, "EZpzwDXbKU-tShDwbxxGrS8asEg"),
        ("ключ".as_bytes(), SID, "-EGBNnNiC0Amy_1Tgd5DfgjYiBA"),
        (&[0x00, 0x01, 0xff], SID, "1J75pvKULsEPTUjKrPvOjtBKxCc"),
        (b"dev-secret-key", OLD_SID, "nkgxdG0KsHexRV8xFv5vPu3VXC0"),
    ];

    fn signer(secret: impl AsRef<[u8]>) -> Itsdangerous {
        Itsdangerous::new(secret).expect("a secret")
    }

    /// The id of a value that is accepted.
    fn id_in<'v>(signer: &Itsdangerous, value: &'v str) -> Option<&'v str> {
        signer.verify("session", value).map(Verified::id)
    }

    fn signed(signer: &Itsdangerous, id: &str) -> String {
        let mut value = id.to_owned();
        signer.sign("session", id, &mut value);
        value
    }

    #[test]
    fn signatures_are_those_that_python_makes() {
        for (secret, id, tag) in SIGNED {
            let value = format!("{id}.{tag}");
            assert_eq!(signed(&signer(secret), id), value);
            assert_eq!(id_in(&signer(secret), &value), Some(id));
            assert_eq!(id_in(&signer(secret), &format!("{value}=")), Some(id));
            assert_eq!(id_in(&signer("another"), &value), None);
        }
    }

    #[test]
    fn the_last_dot_divides() {
        let value = signed(&signer("key"), "a.b");
        assert_eq!(id_in(&signer("key"), &value), Some("a.b"));
        assert_eq!(id_in(&signer("key"), &format!("{value}.")), None);
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let value = signed(&signer("key"), "abc");
        for at in 0..value.len() {
            for replacement in ["A", "b", ".", "=", " ", "é"] {
                let mut changed = value.clone();
                changed.replace_range(at..=at, replacement);
                if changed != value {
                    assert_eq!(id_in(&signer("key"), &changed), None, "{changed}");
                }
            }
        }
        assert_eq!(id_in(&signer("key"), &format!("{value}==")), None);
    }

    #[test]
    fn a_value_of_any_length_is_refused_without_harm() {
        let long = "x".repeat(100_000);
        for value in ["", ".", "..", "abc", "abc.", "abc.=", &long, &format!("a.{long}")] {
            assert_eq!(id_in(&signer("key"), value), None);
        }
        let value = signed(&signer("key"), &long);
        assert_eq!(id_in(&signer("key"), &value), Some(&*long));
    }

    #[test]
    fn older_secrets_are_accepted_and_the_newest_signs() {
        let old = signed(&signer("old"), "abc");
        let rotated = signer("new").accept_older("older").expect("a secret");
        assert_eq!(id_in(&rotated, &old), None);

        let rotated = rotated.accept_older("old").expect("a secret");
        assert_eq!(id_in(&rotated, &old), Some("abc"));
        let is_old = |value: &str| rotated.verify("session", value).map(Verified::is_by_older_key);
        assert_eq!(is_old(&old), Some(true));
        assert_eq!(is_old(&signed(&rotated, "abc")), Some(false));
        assert_eq!(signed(&rotated, "abc"), signed(&signer("new"), "abc"));
    }

    #[test]
    fn a_secret_that_is_going_to_sign_is_accepted_and_replaced_by_no_other() {
        let before = signer("old").accept_next("new").expect("a secret");
        let value = signed(&signer("new"), "abc");
        let verified = before.verify("session", &value).expect("accepted");
        assert_eq!((verified.id(), verified.is_by_older_key()), ("abc", false));
        assert_eq!(signed(&before, "abc"), signed(&signer("old"), "abc"));
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(matches!(Itsdangerous::new(""), Err(ItsdangerousError::Empty)));
        assert!(matches!(signer("key").accept_older([]), Err(ItsdangerousError::Empty)));
        assert!(matches!(signer("key").accept_next([]), Err(ItsdangerousError::Empty)));
        let refused = Itsdangerous::from_env("CLOAKROOM_NO_SUCH_VARIABLE").expect_err("not set");
        assert!(refused.to_string().contains("CLOAKROOM_NO_SUCH_VARIABLE"));
        // A `main` that fails prints it so.
        assert_eq!(format!("{refused:?}"), format!("ItsdangerousError({refused})"));
    }

    #[test]
    fn an_empty_variable_is_named() {
        let refused = Itsdangerous::from_variable("SECRET_KEY", Some(OsString::new()));
        let refused = refused.expect_err("empty").to_string();
        assert!(refused.contains("`SECRET_KEY` is empty"), "{refused}");
        assert!(Itsdangerous::from_variable("SECRET_KEY", Some("key".into())).is_ok());
    }

    #[test]
    fn a_secret_is_not_printed() {
        let text = format!("{:?}", signer("dev-secret-key"));
        assert!(!text.contains("dev-secret-key") && !text.contains("17b84c8b"), "{text}");
    }
}
