//! HMAC-SHA256 (RFC 2104, FIPS 180-4).

use data_encoding::BASE64URL_NOPAD;
use ring::hmac::{Context, HMAC_SHA256, Key};

use super::tag::Keys;
use super::{Signer, Verified};
use crate::cookie::{MAX_PAIR, pair};
use crate::secret::SecretKey;

/// The characters of a tag: 32 bytes in base64url without padding.
const TAG_CHARACTERS: usize = 43;

/// The cookie's value is `id.tag`. The tag is the HMAC-SHA256 of the cookie's
/// name, `=` and the id, so that the value of one cookie does not verify as that of
/// another.
///
/// It signs with one key and accepts older ones, so that replacing a key ends no
/// session.
#[derive(Debug)]
pub struct HmacSha256 {
    keys: Keys,
}

impl HmacSha256 {
    /// Signs with `key`. `Config::secret_key` makes one.
    #[must_use]
    pub fn new(key: &SecretKey) -> Self {
        Self { keys: Keys::new(ring_key(key)) }
    }

    /// Accepts what `key` signs elsewhere already, and does not sign with it yet.
    /// `Config::accept_next_key` does it.
    pub fn accept_next(&mut self, key: &SecretKey) {
        self.keys.accept_next(ring_key(key));
    }

    /// Accepts what `key` has signed, too. `Config::accept_older_key` does it.
    pub fn accept_older(&mut self, key: &SecretKey) {
        self.keys.accept_older(ring_key(key));
    }
}

#[diagnostic::do_not_recommend]
impl Signer for HmacSha256 {
    fn sign(&self, name: &str, id: &str, value: &mut String) {
        let mut context = Context::with_key(&self.keys.newest);
        for part in [name, "=", id] {
            context.update(part.as_bytes());
        }
        value.push('.');
        BASE64URL_NOPAD.encode_append(context.sign().as_ref(), value);
    }

    fn verify<'v>(&self, name: &str, value: &'v str) -> Option<Verified<'v>> {
        let (id, tag) = value.split_at_checked(value.len().checked_sub(1 + TAG_CHARACTERS)?)?;
        let tag = tag.strip_prefix('.')?;
        self.keys.verify(id, pair(&mut [0; MAX_PAIR], name, id.as_bytes())?, tag)
    }
}

fn ring_key(key: &SecretKey) -> Key {
    Key::new(HMAC_SHA256, key.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(fill: u8) -> HmacSha256 {
        HmacSha256::new(&SecretKey::new([fill; 32]))
    }

    /// The id of a value that is accepted.
    fn id_in<'v>(signer: &HmacSha256, name: &str, value: &'v str) -> Option<&'v str> {
        signer.verify(name, value).map(Verified::id)
    }

    fn signed(signer: &HmacSha256, name: &str, id: &str) -> String {
        let mut value = id.to_owned();
        signer.sign(name, id, &mut value);
        value
    }

    #[test]
    fn the_tag_is_hmac_sha256_of_name_and_id() {
        // python3 -c 'import hmac,base64; print(base64.urlsafe_b64encode(
        //     hmac.digest(b"\x07"*32, b"__Host-id=abc", "sha256")).rstrip(b"="))'
        let expected = "abc.FfvSqzauu04ZCgQpMA3Zq3dOzJcUeaxRVNkbDUZykzA";
        assert_eq!(signed(&signer(7), "__Host-id", "abc"), expected);
    }

    #[test]
    fn a_tag_for_one_cookie_is_not_one_for_another() {
        let value = signed(&signer(7), "id", "abc");
        assert_eq!(id_in(&signer(7), "id", &value), Some("abc"));
        assert_eq!(id_in(&signer(7), "other", &value), None);
    }

    #[test]
    fn the_longest_name_with_the_longest_id_is_verified() {
        let (name, id) = (format!("__Secure-{}", "n".repeat(64)), "i".repeat(86));
        let value = signed(&signer(7), &name, &id);
        assert_eq!(id_in(&signer(7), &name, &value), Some(&*id));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let value = signed(&signer(7), "id", "abc");
        for at in 0..value.len() {
            for replacement in ["A", "b", ".", "=", " "] {
                let mut changed = value.clone();
                changed.replace_range(at..=at, replacement);
                if changed != value {
                    assert_eq!(id_in(&signer(7), "id", &changed), None, "{changed}");
                }
            }
        }
    }

    #[test]
    fn a_value_of_any_length_is_refused_without_harm() {
        let signer = signer(7);
        for value in ["", ".", "..", "abc", "abc.", &"x".repeat(100_000)] {
            assert_eq!(id_in(&signer, "id", value), None);
        }
        let long = signed(&signer, "id", &"x".repeat(1_000));
        assert_eq!(id_in(&signer, "id", &long), None);
    }

    #[test]
    fn a_verified_id_is_not_printed() {
        let text = format!("{:?}", [Verified::new("abc"), Verified::by_older_key("abc")]);
        assert!(!text.contains("abc"), "{text}");
    }

    #[test]
    fn older_keys_are_accepted_and_the_newest_signs() {
        let old = signed(&signer(1), "id", "abc");
        let mut rotated = signer(2);
        assert_eq!(id_in(&rotated, "id", &old), None);

        rotated.accept_older(&SecretKey::new([1; 32]));
        assert_eq!(id_in(&rotated, "id", &old), Some("abc"));
        let is_old = |value: &str| rotated.verify("id", value).map(Verified::is_by_older_key);
        assert_eq!(is_old(&old), Some(true));
        assert_eq!(is_old(&signed(&rotated, "id", "abc")), Some(false));
        assert_eq!(signed(&rotated, "id", "abc"), signed(&signer(2), "id", "abc"));
    }

    #[test]
    fn a_key_that_is_going_to_sign_is_accepted_and_replaced_by_no_other() {
        let mut before = signer(1);
        before.accept_next(&SecretKey::new([2; 32]));
        let value = signed(&signer(2), "id", "abc");
        let verified = before.verify("id", &value).expect("accepted");
        assert_eq!((verified.id(), verified.is_by_older_key()), ("abc", false));
        assert_eq!(signed(&before, "id", "abc"), signed(&signer(1), "id", "abc"));
        assert_eq!(id_in(&before, "id", &signed(&signer(3), "id", "abc")), None);
    }
}
