//! What cloakroom writes around a session's encoded data.
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | format version, 1 |
//! | 1 | flags: 1 permanent, 2 moved |
//! | 6 | time of creation, in milliseconds since the Unix epoch, big-endian |
//! | 6 | time of the last renewal, the same |
//! | rest | the data as the codec wrote them |
//!
//! A session that was given a fresh id leaves a *moved* record under its old
//! key for a minute: version, flags, the time of the move in six bytes, and the
//! new key as text. It holds no session; it lets a logout that still carries the
//! old ticket find the session that it means.
//!
//! A codec may have a [`Foreign`] format instead, which has no room for times. A
//! session that ends then leaves a note, a text that the other program does
//! not look at:
//!
//! | text | meaning |
//! |---|---|
//! | `moved:` time `:` digest | the session was given a fresh id; the digest is one of the new key |
//! | `ended` | the session was emptied, and its record is about to be removed |
//!
//! The other program may show the text to whoever holds the old ticket, so it
//! must not lead to the new one. The time is in milliseconds since the Unix
//! epoch, since a load may postpone the expiry.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use crate::codec::{Codec, Foreign};
use crate::store::Key;

/// The bytes in front of the data.
pub(crate) const HEADER_BYTES: usize = 14;

/// No pickle begins with it, and none must with a later one: a Flask application at
/// the same store unpickles what it cannot decode.
const VERSION: u8 = 1;
const PERMANENT: u8 = 1;
const MOVED: u8 = 2;

const MOVED_NOTE: &str = "moved:";
const ENDED_NOTE: &str = "ended";

/// What the record says about the session beside its data.
///
/// A foreign record says nothing about times: they are then those of its last
/// load or write, and mean nothing to the session's user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Milliseconds since the Unix epoch.
    pub(crate) created_at: u64,
    /// When the idle timeout last began to run, in milliseconds since the Unix
    /// epoch.
    pub(crate) renewed_at: u64,
    /// Whether the cookie outlives the browser.
    pub(crate) permanent: bool,
}

/// What stood in a record.
#[derive(Debug)]
pub(crate) enum Contents<'a> {
    Session(Header, &'a [u8]),
    /// A session that was given a fresh id.
    Moved {
        to: Destination,
        /// Milliseconds since the Unix epoch.
        at: u64,
    },
    /// A session that has ended, whose record is about to be removed.
    Ended,
}

/// Where a session was moved to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Key(Box<Key>),
    /// Known only to whoever knows the new key: a digest of it.
    Undisclosed(String),
}

/// The bytes are not a record of this format version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownFormat;

impl Header {
    /// Whether two records say the same, where the data are the same.
    pub(crate) fn says<C: Codec>(self, other: Self) -> bool {
        match C::FOREIGN {
            Some(_) => self.permanent == other.permanent,
            None => self == other,
        }
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[VERSION, if self.permanent { PERMANENT } else { 0 }]);
        // 48 bits of milliseconds last until the year 10889.
        out.extend_from_slice(&self.created_at.to_be_bytes()[2..]);
        out.extend_from_slice(&self.renewed_at.to_be_bytes()[2..]);
    }
}

/// The record of encoded data.
pub(crate) fn of_data<C: Codec>(header: Header, data: &[u8]) -> Result<Vec<u8>, C::Error> {
    let mut out = Vec::with_capacity(HEADER_BYTES + data.len());
    match C::FOREIGN {
        Some(foreign) => (foreign.write)(header.permanent, data, &mut out)?,
        None => {
            header.write(&mut out);
            out.extend_from_slice(data);
        }
    }
    Ok(out)
}

/// The encoded data in a record.
pub(crate) fn data_of<C: Codec>(record: &[u8]) -> &[u8] {
    let start = if C::FOREIGN.is_some() { 0 } else { HEADER_BYTES };
    record.get(start..).unwrap_or_default()
}

/// Whether the record of a session holds none, so that it is removed.
pub(crate) fn is_empty<C: Codec>(record: &[u8]) -> bool {
    let outline = C::FOREIGN.and_then(|foreign| (foreign.read)(record));
    outline.is_some_and(|outline| outline.is_empty)
}

/// The record that says where a session went, and when.
pub(crate) fn moved<C: Codec>(to: &Key, now: u64) -> Vec<u8> {
    if let Some(foreign) = C::FOREIGN {
        return note(foreign, &format!("{MOVED_NOTE}{now}:{}", digest_of(to)));
    }
    let mut out = vec![VERSION, MOVED];
    out.extend_from_slice(&now.to_be_bytes()[2..]);
    out.extend_from_slice(to.as_str().as_bytes());
    out
}

/// The record of a session that was emptied, until it is removed.
pub(crate) fn ended<C: Codec>() -> Vec<u8> {
    C::FOREIGN.map_or_else(Vec::new, |foreign| note(foreign, ENDED_NOTE))
}

/// Reads a record at the time `now`, in milliseconds since the Unix epoch.
pub(crate) fn read<C: Codec>(bytes: &[u8], now: u64) -> Result<Contents<'_>, UnknownFormat> {
    let Some(foreign) = C::FOREIGN else { return read_native(bytes) };
    let outline = (foreign.read)(bytes).ok_or(UnknownFormat)?;
    if let Some(contents) = outline.note.as_deref().and_then(read_note) {
        return Ok(contents);
    }
    let header = Header { created_at: now, renewed_at: now, permanent: outline.permanent };
    Ok(Contents::Session(header, bytes))
}

fn read_native(bytes: &[u8]) -> Result<Contents<'_>, UnknownFormat> {
    match bytes {
        [VERSION, MOVED, rest @ ..] => {
            let (at, key) = rest.split_first_chunk().ok_or(UnknownFormat)?;
            let key = Key::from_text(key).ok_or(UnknownFormat)?;
            Ok(Contents::Moved { to: Destination::Key(Box::new(key)), at: time(*at) })
        }
        [VERSION, flags @ (0 | PERMANENT), rest @ ..] => {
            let (created_at, rest) = rest.split_first_chunk().ok_or(UnknownFormat)?;
            let (renewed_at, data) = rest.split_first_chunk().ok_or(UnknownFormat)?;
            let header = Header {
                created_at: time(*created_at),
                renewed_at: time(*renewed_at),
                permanent: *flags == PERMANENT,
            };
            Ok(Contents::Session(header, data))
        }
        _ => Err(UnknownFormat),
    }
}

fn note<E>(foreign: Foreign<E>, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    (foreign.note)(text, &mut out);
    out
}

fn read_note(text: &str) -> Option<Contents<'static>> {
    if text == ENDED_NOTE {
        return Some(Contents::Ended);
    }
    let (at, digest) = text.strip_prefix(MOVED_NOTE)?.split_once(':')?;
    let at = at.parse().ok()?;
    Some(Contents::Moved { to: Destination::Undisclosed(digest.to_owned()), at })
}

impl Destination {
    pub(crate) fn is(&self, key: &Key) -> bool {
        match self {
            Self::Key(to) => **to == *key,
            Self::Undisclosed(digest) => *digest == digest_of(key),
        }
    }
}

/// Tells one key from another without leading to either.
fn digest_of(key: &Key) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, key.as_str().as_bytes()).as_ref())
}

fn time([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::id::{IdLength, SessionId};
    use crate::store::KeyPrefix;

    /// A codec that has no format of records of its own.
    struct Native;

    impl Codec for Native {
        type Data = ();
        type Error = Infallible;

        fn encode((): &(), _: &mut Vec<u8>) -> Result<(), Infallible> {
            Ok(())
        }

        fn decode(_: &[u8]) -> Result<(), Infallible> {
            Ok(())
        }
    }

    #[test]
    fn a_header_is_read_back_as_written() {
        let header = Header { created_at: 1, renewed_at: (1 << 48) - 1, permanent: true };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        assert_eq!(bytes.len(), HEADER_BYTES);
        bytes.extend_from_slice(b"data");

        let Ok(Contents::Session(read, data)) = read_native(&bytes) else {
            panic!("not a session")
        };
        assert_eq!((read, data), (header, &b"data"[..]));
    }

    #[test]
    fn a_moved_record_names_the_new_key() {
        let id = SessionId::generate(IdLength::MAX).expect("an id");
        let key = Key::plain(&KeyPrefix::default(), &id);
        let bytes = moved::<Native>(&key, 1_000);
        let Ok(Contents::Moved { to, at }) = read_native(&bytes) else { panic!("not moved") };
        assert!(to.is(&key) && at == 1_000);
    }

    #[test]
    fn bytes_of_another_format_are_refused() {
        let long_key = [&[VERSION, MOVED][..], &[b'x'; 6 + Key::MAX + 1]].concat();
        for bytes in [
            &[][..],
            &[0; 20],
            &[2; 20],
            &[VERSION; 13],
            &[VERSION, 4, 0],
            &[VERSION, MOVED, 0],
            &long_key,
        ] {
            assert!(read_native(bytes).is_err(), "{bytes:?}");
        }
    }
}
