//! Session ids: what the browser holds.

use std::cell::RefCell;
use std::fmt;

use constant_time_eq::constant_time_eq;
use data_encoding::BASE64URL_NOPAD;
use getrandom::SysRng;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryRng};

/// How many ids a thread makes before it asks the operating system for a new
/// seed.
const IDS_PER_SEED: u32 = 4_096;

/// How many random bytes a session id has: 16 to 64.
///
/// # Default
///
/// 32 bytes, as in Flask-Session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdLength {
    bytes: usize,
}

impl IdLength {
    /// The shortest, 16 bytes: 128 bits, what OWASP asks of a session id.
    pub const MIN: Self = Self { bytes: 16 };

    /// The longest, 64 bytes.
    pub const MAX: Self = Self { bytes: 64 };

    /// A length in bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidIdLength`] when it is not from 16 to 64.
    pub const fn new(bytes: usize) -> Result<Self, InvalidIdLength> {
        if bytes < Self::MIN.bytes || bytes > Self::MAX.bytes {
            return Err(InvalidIdLength);
        }
        Ok(Self { bytes })
    }

    /// The length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.bytes
    }

    /// The characters of an id of this length: base64url without padding.
    pub(crate) const fn characters(self) -> usize {
        (self.bytes * 4).div_ceil(3)
    }

    /// Whether a text of this length is in the alphabet, and the last character's
    /// unused bits are zero. Nothing asks for the bytes, so they are not decoded.
    fn is_canonical(self, text: &[u8]) -> bool {
        let in_alphabet = |b: u8| b.is_ascii_alphanumeric() | (b == b'-') | (b == b'_');
        // No early way out, so that the processor takes many characters at once.
        let all_are = text.iter().fold(true, |all, &b| all & in_alphabet(b));
        let ends: &[u8] = match self.bytes % 3 {
            0 => return all_are,
            1 => b"AQgw",
            _ => b"AEIMQUYcgkosw048",
        };
        all_are && text.last().is_some_and(|b| ends.contains(b))
    }
}

impl Default for IdLength {
    fn default() -> Self {
        Self { bytes: 32 }
    }
}

/// The length is not from 16 to 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id has 16 to 64 random bytes")]
#[non_exhaustive]
pub struct InvalidIdLength;

/// A session id: random bytes, written in base64url without padding (RFC 4648,
/// section 5).
///
/// An id is a secret like a password, since a browser that sends a live id is signed in.
/// `Debug` does not show it, and a comparison takes the same time wherever two ids
/// differ. Only the generator makes ids. There is no conversion from a string, so the
/// server never adopts an id that a client made up.
#[derive(Clone)]
pub struct SessionId {
    /// Bytes behind the characters may be left over from an earlier id. No code reads or
    /// compares them.
    text: [u8; IdLength::MAX.characters()],
    characters: u8,
}

impl SessionId {
    /// No id yet: ids and keys are written where they stay, since copying them takes
    /// longer than reading them.
    pub(crate) const BLANK: Self = Self { text: [0; _], characters: 0 };

    /// Makes an id with a ChaCha20 generator that the operating system seeded.
    ///
    /// # Errors
    ///
    /// [`IdError`] when the operating system gives no randomness. There is no
    /// weaker source to fall back on.
    pub fn generate(length: IdLength) -> Result<Self, IdError> {
        thread_local! {
            static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
        }
        GENERATOR.with_borrow_mut(|generator| Self::generate_with(generator, &mut SysRng, length))
    }

    fn generate_with(
        generator: &mut Option<Generator>,
        seed: &mut impl TryRng<Error = getrandom::Error>,
        length: IdLength,
    ) -> Result<Self, IdError> {
        let generator = match generator {
            Some(ready) if ready.is_fresh() => ready,
            stale => {
                // A generator that could not be renewed must not be used again.
                *stale = None;
                stale.insert(Generator::seeded(seed)?)
            }
        };
        let mut bytes = [0; IdLength::MAX.bytes];
        let bytes = &mut bytes[..length.bytes];
        generator.ids_left -= 1;
        generator.rng.fill_bytes(bytes);

        let mut id = Self::BLANK;
        BASE64URL_NOPAD.encode_mut(bytes, &mut id.text[..length.characters()]);
        id.characters = length.characters() as u8;
        Ok(id)
    }

    /// Reads an id from a cookie, and says whether there is one. Only the text that
    /// [`generate`](Self::generate) would write for this length is one: right
    /// length, right alphabet, unused bits zero.
    pub(crate) fn read(&mut self, value: &str, length: IdLength) -> bool {
        let is_id = value.len() == length.characters() && length.is_canonical(value.as_bytes());
        if is_id {
            self.set(value);
        }
        is_id
    }

    /// Reads an id that Flask-Session made before 0.6: a UUID (RFC 9562, section 4),
    /// in the one notation that Python writes.
    pub(crate) fn read_uuid(&mut self, value: &str) -> bool {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let groups = value.as_bytes().split(|&byte| byte == b'-');
        let lengths = groups.map(|group| (group.len(), group.iter().all(is_digit)));
        let is_id = lengths.eq([8, 4, 4, 4, 12].map(|len| (len, true)));
        if is_id {
            self.set(value);
        }
        is_id
    }

    fn set(&mut self, text: &str) {
        self.text[..text.len()].copy_from_slice(text.as_bytes());
        self.characters = text.len() as u8;
    }

    /// The id as it stands in the cookie. Keep it out of logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The text is base64url, so the fallback is never taken.
        str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.characters)]
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.as_bytes(), other.as_bytes())
    }
}

impl Eq for SessionId {}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

/// The operating system gave no randomness, so no session id can be made.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no randomness for a session id")]
pub struct IdError(#[source] getrandom::Error);

struct Generator {
    rng: ChaCha20Rng,
    ids_left: u32,
    /// A forked child must not repeat its parent's ids.
    process: u32,
}

impl Generator {
    fn seeded(seed: &mut impl TryRng<Error = getrandom::Error>) -> Result<Self, IdError> {
        let rng = ChaCha20Rng::try_from_rng(seed).map_err(IdError)?;
        Ok(Self { rng, ids_left: IDS_PER_SEED, process: std::process::id() })
    }

    fn is_fresh(&self) -> bool {
        self.ids_left > 0 && self.process == std::process::id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl TryRng for Broken {
        type Error = getrandom::Error;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Err(getrandom::Error::UNSUPPORTED)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Err(getrandom::Error::UNSUPPORTED)
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            Err(getrandom::Error::UNSUPPORTED)
        }
    }

    #[test]
    fn a_failing_generator_is_an_error_and_never_a_weak_id() {
        let made = SessionId::generate_with(&mut None, &mut Broken, IdLength::default());
        assert!(matches!(made, Err(IdError(_))));
    }

    #[test]
    fn a_generator_that_cannot_be_renewed_is_not_used_again() {
        let mut generator = None;
        SessionId::generate_with(&mut generator, &mut SysRng, IdLength::MIN).expect("seeded");
        generator.as_mut().expect("seeded").ids_left = 0;

        SessionId::generate_with(&mut generator, &mut Broken, IdLength::MIN)
            .expect_err("the seed is used up");
        assert!(generator.is_none());
    }

    #[test]
    fn a_forked_process_does_not_repeat_ids() {
        let mut generator = None;
        SessionId::generate_with(&mut generator, &mut SysRng, IdLength::MIN).expect("seeded");
        generator.as_mut().expect("seeded").process ^= 1;

        SessionId::generate_with(&mut generator, &mut Broken, IdLength::MIN)
            .expect_err("another process must seed its own generator");
    }

    #[test]
    fn an_id_is_read_back_only_from_the_text_it_was_written_as() {
        for bytes in IdLength::MIN.bytes()..=IdLength::MAX.bytes() {
            let length = IdLength::new(bytes).expect("in range");
            let id = SessionId::generate(length).expect("an id");
            assert_eq!(parsed(id.as_str(), length).as_ref(), Some(&id));

            let cut = &id.as_str()[1..];
            assert_eq!(parsed(cut, length), None);
            assert_eq!(parsed(&format!("{cut}="), length), None);
            assert_eq!(parsed(&format!("{cut}+"), length), None);
            assert_eq!(parsed(&format!("{}A", id.as_str()), length), None);
        }
    }

    #[test]
    fn an_id_is_read_exactly_when_its_text_decodes() {
        for bytes in IdLength::MIN.bytes()..=IdLength::MAX.bytes() {
            let length = IdLength::new(bytes).expect("in range");
            let id = SessionId::generate(length).expect("an id");
            for (at, replacement) in (0..id.as_str().len()).zip((0..=127).cycle().step_by(7)) {
                let mut text = id.as_str().to_owned();
                text.replace_range(at..=at, &char::from(replacement).to_string());
                assert_eq!(reads(&text, length), decodes(&text), "{text}");
            }
            for end in 0..=127 {
                let text = format!("{}{}", &id.as_str()[1..], char::from(end));
                assert_eq!(reads(&text, length), decodes(&text), "{text}");
            }
        }
    }

    fn parsed(text: &str, length: IdLength) -> Option<SessionId> {
        let mut id = SessionId::BLANK;
        id.read(text, length).then_some(id)
    }

    fn parsed_uuid(text: &str) -> Option<SessionId> {
        let mut id = SessionId::BLANK;
        id.read_uuid(text).then_some(id)
    }

    fn reads(text: &str, length: IdLength) -> bool {
        parsed(text, length).is_some()
    }

    fn decodes(text: &str) -> bool {
        BASE64URL_NOPAD.decode(text.as_bytes()).is_ok()
    }

    #[test]
    fn two_texts_never_stand_for_the_same_bytes() {
        // 32 bytes leave two unused bits in the last character: only zeros are accepted.
        let canonical = format!("{}A", "A".repeat(42));
        let twin = format!("{}B", "A".repeat(42));
        assert!(parsed(&canonical, IdLength::default()).is_some());
        assert_eq!(parsed(&twin, IdLength::default()), None);
    }

    #[test]
    fn a_uuid_is_read_only_as_python_writes_it() {
        let uuid = "4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c11";
        let id = parsed_uuid(uuid).expect("a UUID");
        assert_eq!(id.as_str(), uuid);
        for other in [
            "",
            "----",
            "4DD5E2A8-3F57-4B8A-9F3E-0D7F3F2F6C11",
            "4dd5e2a83f574b8a9f3e0d7f3f2f6c11",
            "{4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c11}",
            "4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c11-",
            "4dd5e2a8-3f57-4b8a-9f3e0d7f3f2f6c11-0",
            "4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c1g",
            "4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c1é",
        ] {
            assert_eq!(parsed_uuid(other), None, "{other}");
        }
    }

    #[test]
    fn an_id_is_not_printed() {
        let id = SessionId::generate(IdLength::default()).expect("an id");
        assert_eq!(format!("{id:?}"), "SessionId(..)");
    }
}
