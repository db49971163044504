//! The key that signs cookies.

use std::ffi::OsString;
use std::fmt;

use data_encoding::{
    BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding, HEXLOWER_PERMISSIVE,
};
use getrandom::SysRng;
use rand_core::TryRng;
use zeroize::{Zeroize, Zeroizing};

/// A secret of at least 32 bytes that signs cookies.
///
/// Dropping it wipes it from memory. `Debug` does not show it, and there is no
/// `Display`. A clone is a copy of its own, which is wiped when it is dropped: with a
/// clone, an application signs two kinds of sessions with one key. A tag covers the
/// cookie's name, so a value of one cookie does not verify as that of another.
///
/// # Example
///
/// ```
/// use cloakroom::SecretKey;
///
/// let generated = SecretKey::generate()?;
/// let from_hex = SecretKey::from_hex(&"5f".repeat(32))?;
/// assert!(SecretKey::from_hex("5f").is_err());
/// # Ok::<(), cloakroom::SecretKeyError>(())
/// ```
///
/// A literal that is too short does not compile:
///
/// ```compile_fail
/// let key = cloakroom::SecretKey::new(*b"too short");
/// ```
#[derive(Clone)]
pub struct SecretKey {
    bytes: Zeroizing<Vec<u8>>,
}

impl SecretKey {
    /// The fewest bytes of a key: 32, the output of SHA-256 (RFC 2104, section
    /// 3: shorter keys weaken the tag).
    pub const MIN_BYTES: usize = 32;

    /// A key of a length that the compiler knows. Fewer than 32 bytes do not
    /// compile.
    #[must_use]
    pub fn new<const N: usize>(mut bytes: [u8; N]) -> Self {
        const { assert!(N >= Self::MIN_BYTES, "a secret key has at least 32 bytes") };
        let key = Self { bytes: Zeroizing::new(bytes.to_vec()) };
        bytes.zeroize();
        key
    }

    /// A key of 32 bytes from the operating system's randomness.
    ///
    /// Cookies signed with it end with the process, which suits development.
    ///
    /// # Errors
    ///
    /// [`SecretKeyError::NoRandomness`] when the operating system gives none.
    pub fn generate() -> Result<Self, SecretKeyError> {
        let mut bytes = Zeroizing::new(vec![0; Self::MIN_BYTES]);
        SysRng.try_fill_bytes(&mut bytes).map_err(|_| SecretKeyError::NoRandomness)?;
        Ok(Self { bytes })
    }

    /// A key from bytes.
    ///
    /// # Errors
    ///
    /// [`SecretKeyError::TooShort`] for fewer than 32 bytes.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretKeyError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < Self::MIN_BYTES {
            return Err(SecretKeyError::TooShort { bytes: bytes.len() });
        }
        Ok(Self { bytes })
    }

    /// A key from base64 (RFC 4648), in the standard or the URL-safe alphabet,
    /// padded or not.
    ///
    /// # Errors
    ///
    /// [`SecretKeyError::NotBase64`] for other text, and
    /// [`SecretKeyError::TooShort`] for fewer than 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, SecretKeyError> {
        [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
            .iter()
            .find_map(|encoding| decode(encoding, text))
            .ok_or(SecretKeyError::NotBase64)
            .and_then(Self::from_bytes)
    }

    /// A key from hexadecimal digits of either case.
    ///
    /// # Errors
    ///
    /// [`SecretKeyError::NotHex`] for other text, and
    /// [`SecretKeyError::TooShort`] for fewer than 32 bytes.
    pub fn from_hex(text: &str) -> Result<Self, SecretKeyError> {
        decode(&HEXLOWER_PERMISSIVE, text).ok_or(SecretKeyError::NotHex).and_then(Self::from_bytes)
    }

    /// A key from the environment variable `name`, in hexadecimal or base64.
    ///
    /// Text made of hexadecimal digits only is read as such. White space at
    /// either end is ignored. `openssl rand -base64 32` makes a suitable value.
    ///
    /// # Errors
    ///
    /// [`SecretKeyError::NotSet`] when there is no such variable, and
    /// [`SecretKeyError::Variable`], with the reason, when its value is no key. Both
    /// name the variable, and neither repeats its value.
    pub fn from_env(name: &str) -> Result<Self, SecretKeyError> {
        let variable = || name.to_owned();
        let value = std::env::var_os(name)
            .ok_or_else(|| SecretKeyError::NotSet { variable: variable() })?;
        Self::from_os_text(value).map_err(|reason| SecretKeyError::Variable {
            variable: variable(),
            reason: Box::new(reason),
        })
    }

    fn from_os_text(value: OsString) -> Result<Self, SecretKeyError> {
        let text = Zeroizing::new(value.into_string().map_err(|_| SecretKeyError::NotBase64)?);
        let text = text.trim();
        match Self::from_hex(text) {
            Err(SecretKeyError::NotHex) => Self::from_base64(text),
            key => key,
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// Why a [`SecretKey`] could not be made. No message repeats the secret.
///
/// `Debug` holds the message too, which is what a `main` that fails prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// The key has fewer than 32 bytes.
    #[error("a secret key has at least 32 bytes, this one has {bytes}")]
    TooShort {
        /// How many it has.
        bytes: usize,
    },
    /// The text is not base64.
    #[error("the text is not base64")]
    NotBase64,
    /// The text is not hexadecimal.
    #[error("the text is not hexadecimal")]
    NotHex,
    /// The environment variable is not set.
    #[error(
        "the environment variable `{variable}` is not set; `openssl rand -base64 32` makes a key"
    )]
    NotSet {
        /// Its name.
        variable: String,
    },
    /// The environment variable's value is no key.
    #[error(
        "the environment variable `{variable}` holds no secret key: {reason}; `openssl rand -base64 32` makes one"
    )]
    Variable {
        /// Its name.
        variable: String,
        /// What is wrong with its value.
        reason: Box<Self>,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for a secret key")]
    NoRandomness,
}

impl fmt::Debug for SecretKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKeyError({self})")
    }
}

fn decode(encoding: &Encoding, text: &str) -> Option<Vec<u8>> {
    encoding.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_hex_and_from_every_form_of_base64() {
        let bytes = [0xfb; 32];
        for text in [
            BASE64.encode(&bytes),
            BASE64_NOPAD.encode(&bytes),
            BASE64URL.encode(&bytes),
            BASE64URL_NOPAD.encode(&bytes),
            HEXLOWER_PERMISSIVE.encode(&bytes),
            HEXLOWER_PERMISSIVE.encode(&bytes).to_uppercase(),
            format!(" {}\n", BASE64.encode(&bytes)),
        ] {
            let key = SecretKey::from_os_text(text.clone().into()).expect(&text);
            assert_eq!(key.expose(), bytes, "{text}");
        }
    }

    #[test]
    fn a_short_key_is_refused_with_its_length() {
        let refused = SecretKey::from_bytes([1; 31]).expect_err("31 bytes are too few");
        assert_eq!(refused.to_string(), "a secret key has at least 32 bytes, this one has 31");
        assert!(SecretKey::from_bytes([1; 32]).is_ok());
    }

    #[test]
    fn a_missing_variable_is_named() {
        let refused = SecretKey::from_env("CLOAKROOM_NO_SUCH_VARIABLE").expect_err("not set");
        assert!(refused.to_string().contains("CLOAKROOM_NO_SUCH_VARIABLE"));
    }

    #[test]
    fn a_variable_whose_value_is_no_key_is_named_and_its_value_is_not() {
        // Cargo sets it for every test: dots are neither base64 nor hexadecimal, wherever
        // the project lies.
        let refused = SecretKey::from_env("CARGO_PKG_VERSION").expect_err("a version");
        assert_eq!(
            refused.to_string(),
            "the environment variable `CARGO_PKG_VERSION` holds no secret key: \
             the text is not base64; \
             `openssl rand -base64 32` makes one"
        );
        assert!(matches!(
            &refused,
            SecretKeyError::Variable { variable, reason }
                if variable == "CARGO_PKG_VERSION" && matches!(**reason, SecretKeyError::NotBase64)
        ));
        let refused = SecretKey::from_env("CARGO_PKG_NAME").expect_err("a short word");
        assert!(refused.to_string().contains("`CARGO_PKG_NAME`"), "{refused}");
        assert!(!format!("{refused:?}").contains(env!("CARGO_PKG_NAME")), "{refused:?}");
    }

    #[test]
    fn a_main_that_fails_prints_the_message() {
        let refused = SecretKey::from_env("CLOAKROOM_NO_SUCH_VARIABLE").expect_err("not set");
        assert_eq!(format!("{refused:?}"), format!("SecretKeyError({refused})"));
        assert!(format!("{refused:?}").contains("openssl rand -base64 32"));
    }

    #[test]
    fn two_generated_keys_differ() {
        let [a, b] = [SecretKey::generate(), SecretKey::generate()].map(|key| key.expect("a key"));
        assert_ne!(a.expose(), b.expose());
    }

    #[test]
    fn a_clone_is_the_same_key_and_is_not_printed_either() {
        let key = SecretKey::generate().expect("a key");
        let clone = key.clone();
        assert_eq!(clone.expose(), key.expose());
        assert_ne!(clone.expose().as_ptr(), key.expose().as_ptr(), "each wipes its own");
        assert_eq!(format!("{clone:?}"), "SecretKey(..)");
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", SecretKey::new([7; 32])), "SecretKey(..)");
    }
}
