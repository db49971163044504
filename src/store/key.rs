//! What a record is kept under: [`Key`].

use std::fmt;
use std::hash::{Hash, Hasher};

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

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

/// What a record is kept under: a prefix, and the SHA-256 of the session id
/// (FIPS 180-4), in base64url without padding.
///
/// A stolen database therefore holds no ticket that a browser could present.
/// Where the id itself has to be in the store, because another program reads
/// it, the key holds the id instead.
///
/// A key has at most 150 bytes of visible ASCII.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    text: [u8; Self::MAX],
    len: u8,
}

impl Key {
    /// The longest key, in bytes.
    pub const MAX: usize = KeyPrefix::MAX + (IdLength::MAX.bytes() * 4).div_ceil(3);

    /// The key of an id, which keeps the id out of the store.
    #[must_use]
    pub fn hashed(prefix: &KeyPrefix, id: &SessionId) -> Self {
        let hash = digest(&SHA256, id.as_bytes());
        Self::with_prefix(prefix, HASH_CHARACTERS, |text| {
            BASE64URL_NOPAD.encode_mut(hash.as_ref(), text);
        })
    }

    /// The key of an id that holds the id itself.
    #[must_use]
    pub fn plain(prefix: &KeyPrefix, id: &SessionId) -> Self {
        Self::of_parts(prefix, id.as_bytes())
    }

    /// Reads a key back from text that [`as_str`](Self::as_str) wrote.
    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        if text.len() > Self::MAX || !text.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        Some(Self::of_parts(&KeyPrefix { text: String::new() }, text))
    }

    /// The key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Both parts are ASCII, so the fallback is never taken.
        str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The key as bytes, for stores that need no text.
    #[cfg_attr(
        not(any(feature = "memory", feature = "redis")),
        expect(dead_code, reason = "only `Memory` and `Redis` need no text")
    )]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    fn of_parts(prefix: &KeyPrefix, rest: &[u8]) -> Self {
        Self::with_prefix(prefix, rest.len(), |text| text.copy_from_slice(rest))
    }

    /// `write` fills in the characters behind the prefix.
    fn with_prefix(prefix: &KeyPrefix, characters: usize, write: impl FnOnce(&mut [u8])) -> Self {
        let start = prefix.text.len();
        let len = start + characters;
        let mut key = Self { text: [0; _], len: len as u8 };
        key.text[..start].copy_from_slice(prefix.text.as_bytes());
        write(&mut key.text[start..len]);
        key
    }
}

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
