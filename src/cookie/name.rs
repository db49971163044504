//! The parts of a cookie that a configuration names.

use std::borrow::Cow;
use std::fmt;

/// The longest accepted name, in bytes.
const MAX_NAME: usize = 64;
/// The longest accepted domain, in bytes (RFC 1035, section 2.3.4).
const MAX_DOMAIN: usize = 253;
/// The longest accepted path, in bytes: browsers ignore longer ones (RFC
/// 6265bis, section 5.6).
const MAX_PATH: usize = 1_024;

/// A cookie's name: 1 to 64 characters of an HTTP token (RFC 6265, section
/// 4.1.1).
///
/// Names that begin with `__Host-`, `__Secure-` or `__Http-`, in any case of
/// letters, are refused: [`Cookie::host`](super::Cookie::host) writes `__Host-`
/// itself, [`Cookie::secure_prefixed`](super::Cookie::secure_prefixed) writes
/// `__Secure-`, and `__Http-` is not supported.
///
/// A literal is checked by the compiler through [`cookie_name!`](crate::cookie_name),
/// a value of run time by [`new`](Self::new).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieName {
    text: Cow<'static, str>,
}

impl CookieName {
    /// Checks a name that is only known at run time.
    ///
    /// # Errors
    ///
    /// [`InvalidCookieName`] when it is empty, longer than 64 characters, has a
    /// character that a token cannot have, or starts with a prefix that
    /// browsers treat specially.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidCookieName> {
        let name = name.into();
        match is_name(&name) {
            true => Ok(Self { text: Cow::Owned(name) }),
            false => Err(InvalidCookieName),
        }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn checked_literal(name: &'static str) -> Self {
        assert!(
            is_name(name),
            "a cookie name has 1 to 64 letters, digits or any of !#$%&'*+-.^_`|~, and no `__Host-`, `__Secure-` or `__Http-` in front: `Cookie::host` and `Cookie::secure_prefixed` write the first two"
        );
        Self { text: Cow::Borrowed(name) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A [`CookieName`](crate::CookieName) from a literal, which the compiler
/// checks.
///
/// ```
/// use cloakroom::{Cookie, cookie_name};
///
/// let cookie = Cookie::host(cookie_name!("cart"));
/// assert_eq!(cookie.name(), "__Host-cart");
/// ```
///
/// ```compile_fail
/// let name = cloakroom::cookie_name!("not a name");
/// ```
#[macro_export]
macro_rules! cookie_name {
    ($name:literal) => {{
        // An item, unlike a `const` block, is also evaluated by `cargo check`.
        const NAME: $crate::CookieName = $crate::CookieName::checked_literal($name);
        NAME
    }};
}

/// The text cannot name a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a cookie name has 1 to 64 letters, digits or any of !#$%&'*+-.^_`|~, and no `__Host-`, `__Secure-` or `__Http-` in front: `Cookie::host` and `Cookie::secure_prefixed` write the first two"
)]
#[non_exhaustive]
pub struct InvalidCookieName;

const fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_NAME {
        return false;
    }
    let mut i = 0;
    while i < bytes.len() {
        if !is_token(bytes[i]) {
            return false;
        }
        i += 1;
    }
    !starts_with(bytes, b"__host-")
        && !starts_with(bytes, b"__secure-")
        && !starts_with(bytes, b"__http-")
}

/// RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    matches!(byte,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*'
        | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

/// Without regard to case, as browsers compare the prefixes.
const fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    match bytes.split_at_checked(prefix.len()) {
        Some((start, _)) => start.eq_ignore_ascii_case(prefix),
        None => false,
    }
}

/// A cookie's `Domain` attribute: a host name such as `example.org`, without
/// the dot in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieDomain {
    text: String,
}

impl CookieDomain {
    /// Checks a domain.
    ///
    /// # Errors
    ///
    /// [`InvalidCookieDomain`] unless it is a host name of letters, digits and
    /// hyphens in labels of 1 to 63 characters (RFC 1123, section 2.1). Other
    /// scripts are written in their ASCII form (`xn--..`).
    pub fn new(domain: impl Into<String>) -> Result<Self, InvalidCookieDomain> {
        let text = domain.into();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() > MAX_DOMAIN || !text.split('.').all(is_label) {
            return Err(InvalidCookieDomain);
        }
        Ok(Self { text })
    }
}

impl fmt::Display for CookieDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text is not a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cookie domain is a host name such as `example.org`, without a dot in front")]
#[non_exhaustive]
pub struct InvalidCookieDomain;

/// A cookie's `Path` attribute, such as `/shop`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookiePath {
    text: String,
}

impl CookiePath {
    /// Checks a path.
    ///
    /// # Errors
    ///
    /// [`InvalidCookiePath`] unless it starts with `/`, has at most 1,024
    /// characters, all visible ASCII, and no `;`.
    pub fn new(path: impl Into<String>) -> Result<Self, InvalidCookiePath> {
        let text = path.into();
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b';');
        if !text.starts_with('/') || text.len() > MAX_PATH || !is_plain {
            return Err(InvalidCookiePath);
        }
        Ok(Self { text })
    }
}

impl Default for CookiePath {
    /// The whole site, `/`.
    fn default() -> Self {
        Self { text: "/".to_owned() }
    }
}

impl fmt::Display for CookiePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text is not a path that a cookie can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cookie path starts with `/` and has at most 1024 visible ASCII characters without `;`")]
#[non_exhaustive]
pub struct InvalidCookiePath;
