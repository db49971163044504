//! The tag in a cookie's value: an HMAC in base64url.

use constant_time_eq::constant_time_eq;
use data_encoding::BASE64URL_NOPAD;
use ring::hmac::{Key, sign};

use super::Verified;

/// The characters of a tag by HMAC-SHA256, the longest here.
const MAX_CHARACTERS: usize = 43;

/// Keys of one algorithm: one that signs, and others that count besides.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) newest: Key,
    /// Those that are going to sign.
    next: Vec<Key>,
    older: Vec<Key>,
}

impl Keys {
    pub(super) const fn new(newest: Key) -> Self {
        Self { newest, next: Vec::new(), older: Vec::new() }
    }

    pub(super) fn accept_next(&mut self, key: Key) {
        self.next.push(key);
    }

    pub(super) fn accept_older(&mut self, key: Key) {
        self.older.push(key);
    }

    /// The id, if `tag` is that of `message` under one of the keys. The right tag is
    /// encoded, which takes less time than decoding `tag`; comparing them takes the
    /// same time wherever they differ.
    pub(super) fn verify<'v>(
        &self,
        id: &'v str,
        message: &[u8],
        tag: &str,
    ) -> Option<Verified<'v>> {
        let has_signed = |key: &Key| {
            let right = sign(key, message);
            let mut text = [0; MAX_CHARACTERS];
            let text = &mut text[..BASE64URL_NOPAD.encode_len(right.as_ref().len())];
            BASE64URL_NOPAD.encode_mut(right.as_ref(), text);
            constant_time_eq(text, tag.as_bytes())
        };
        if has_signed(&self.newest) || self.next.iter().any(has_signed) {
            return Some(Verified::new(id));
        }
        self.older.iter().any(has_signed).then(|| Verified::by_older_key(id))
    }
}
