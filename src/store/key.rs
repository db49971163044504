//! The key of a record: [`Key`].

use std::fmt;
use std::hash::{Hash, Hasher};

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use crate::cookie::{MAX_PAIR, pair};
use crate::id::{IdLength, SessionId};

/// The characters of a SHA-256 in base64url without padding.
const HASH_CHARACTERS: usize = 43;

/// What stands in front of every id in the store: up to 64 visible ASCII
/// characters, so that one server can serve several applications.
///
/// # Default
///
/// `session:`, as in Flask-Session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix {
    text: String,
}

impl KeyPrefix {
    /// The longest prefix, in characters.
    pub const MAX: usize = 64;

    /// Checks a prefix, which may be empty.
    ///
    /// # Errors
    ///
    /// [`InvalidKeyPrefix`] for more than 64 characters, and for any that is
    /// not visible ASCII.
    pub fn new(prefix: impl Into<String>) -> Result<Self, InvalidKeyPrefix> {
        let text = prefix.into();
        if text.len() > Self::MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(InvalidKeyPrefix);
        }
        Ok(Self { text })
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self { text: "session:".to_owned() }
    }
}

/// The text cannot stand in front of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key prefix has at most 64 visible ASCII characters")]
#[non_exhaustive]
pub struct InvalidKeyPrefix;

/// What a record is kept under: a prefix, and the SHA-256 (FIPS 180-4) of the
/// cookie's name, `=` and the session id, in base64url without padding.
///
/// A stolen database therefore holds no id that a browser could send. An id that a
/// browser sends under the name of another cookie leads to no session. Where another
/// program reads the store and needs the id itself, the key holds the id instead.
///
/// A key has at most 150 bytes of visible ASCII.
#[derive(Clone)]
pub struct Key {
    /// Bytes behind the length may be left over from an earlier key. No code reads
    /// or compares them.
    text: [u8; Self::MAX],
    len: u8,
}

impl Key {
    /// The longest key, in bytes.
    pub const MAX: usize = KeyPrefix::MAX + (IdLength::MAX.bytes() * 4).div_ceil(3);

    /// No key yet.
    pub(crate) const BLANK: Self = Self { text: [0; _], len: 0 };

    /// The key of an id that came in the cookie of this name, such as `__Host-id`.
    /// It keeps the id out of the store.
    #[must_use]
    pub fn hashed(prefix: &KeyPrefix, cookie: &str, id: &SessionId) -> Self {
        let mut key = Self::BLANK;
        key.set_hashed(prefix, cookie, id);
        key
    }

    /// The key of an id that holds the id itself.
    #[must_use]
    pub fn plain(prefix: &KeyPrefix, id: &SessionId) -> Self {
        let mut key = Self::BLANK;
        key.set_plain(prefix, id);
        key
    }

    /// Becomes the [`hashed`](Self::hashed) key, where it stands.
    pub(crate) fn set_hashed(&mut self, prefix: &KeyPrefix, cookie: &str, id: &SessionId) {
        let hash = match pair(&mut [0; MAX_PAIR], cookie, id.as_bytes()) {
            Some(pair) => digest(&SHA256, pair),
            // Only names that no cookie has: a `CookieName` fits.
            None => digest(&SHA256, &[cookie.as_bytes(), b"=", id.as_bytes()].concat()),
        };
        let text = self.set_prefix(prefix, HASH_CHARACTERS);
        BASE64URL_NOPAD.encode_mut(hash.as_ref(), text);
    }

    /// Becomes the [`plain`](Self::plain) key, where it stands.
    pub(crate) fn set_plain(&mut self, prefix: &KeyPrefix, id: &SessionId) {
        self.set_prefix(prefix, id.as_bytes().len()).copy_from_slice(id.as_bytes());
    }

    /// Reads a key back from text that [`as_str`](Self::as_str) wrote.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        if text.len() > Self::MAX || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut key = Self::BLANK;
        key.text[..text.len()].copy_from_slice(text);
        key.len = text.len() as u8;
        Some(key)
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Both parts are ASCII, so the fallback is never taken.
        str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The bytes of [`as_str`](Self::as_str), without a look at whether they are text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// The place for the characters behind the prefix.
    fn set_prefix(&mut self, prefix: &KeyPrefix, characters: usize) -> &mut [u8] {
        let start = prefix.text.len();
        let len = start + characters;
        self.len = len as u8;
        self.text[..start].copy_from_slice(prefix.text.as_bytes());
        &mut self.text[start..len]
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}
