//! A signed cookie, written by hand: 32 random bytes and their HMAC-SHA256.

use data_encoding::BASE64URL_NOPAD;
use http::HeaderMap;
use http::header::COOKIE;
use ring::hmac::{self, HMAC_SHA256, Key};

/// A session's id.
pub type Id = [u8; 32];

/// The length of 32 bytes in base64.
const ENCODED: usize = 43;

/// Signs ids and verifies them.
pub struct SignedIds {
    key: Key,
}

impl SignedIds {
    pub fn new() -> Self {
        Self { key: Key::new(HMAC_SHA256, &random()) }
    }

    /// The id of the first cookie that verifies.
    pub fn id(&self, headers: &HeaderMap) -> Option<Id> {
        headers.get_all(COOKIE).iter().find_map(|header| {
            let mut pairs = header.as_bytes().split(|&byte| byte == b';');
            pairs.find_map(|pair| self.verified(pair.trim_ascii().strip_prefix(b"id=")?))
        })
    }

    fn verified(&self, value: &[u8]) -> Option<Id> {
        let (id, tag) = value.split_at_checked(ENCODED)?;
        let (id, tag) = (decoded(id)?, decoded(tag.strip_prefix(b".")?)?);
        hmac::verify(&self.key, &id, &tag).ok()?;
        Some(id)
    }

    /// A new id, and the header that gives it to the browser.
    pub fn issue(&self) -> (Id, String) {
        let id = random();
        let tag = hmac::sign(&self.key, &id);
        let [id_text, tag] = [&id, tag.as_ref()].map(|bytes| BASE64URL_NOPAD.encode(bytes));
        (id, format!("id={id_text}.{tag}; Path=/; Secure; HttpOnly; SameSite=Lax"))
    }
}

impl Default for SignedIds {
    fn default() -> Self {
        Self::new()
    }
}

fn decoded(text: &[u8]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != ENCODED {
        return None;
    }
    BASE64URL_NOPAD.decode_mut(text, &mut bytes).ok()?;
    Some(bytes)
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}
