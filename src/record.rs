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

use crate::store::Key;

/// The bytes in front of the data.
pub(crate) const HEADER_BYTES: usize = 14;

const VERSION: u8 = 1;
const PERMANENT: u8 = 1;
const MOVED: u8 = 2;

/// What the record says about the session beside its data.
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
    /// Where to, and when, in milliseconds since the Unix epoch.
    Moved(Box<Key>, u64),
}

/// The bytes are not a record of this format version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnknownFormat;

impl Header {
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[VERSION, if self.permanent { PERMANENT } else { 0 }]);
        // 48 bits of milliseconds last until the year 10889.
        out.extend_from_slice(&self.created_at.to_be_bytes()[2..]);
        out.extend_from_slice(&self.renewed_at.to_be_bytes()[2..]);
    }
}

/// The record that says where a session went, and when.
pub(crate) fn moved(to: &Key, now: u64) -> Vec<u8> {
    let mut out = vec![VERSION, MOVED];
    out.extend_from_slice(&now.to_be_bytes()[2..]);
    out.extend_from_slice(to.as_str().as_bytes());
    out
}

pub(crate) fn read(bytes: &[u8]) -> Result<Contents<'_>, UnknownFormat> {
    match bytes {
        [VERSION, MOVED, rest @ ..] => {
            let (at, key) = rest.split_first_chunk().ok_or(UnknownFormat)?;
            let key = Key::from_text(key).ok_or(UnknownFormat)?;
            Ok(Contents::Moved(Box::new(key), time(*at)))
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

fn time([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{IdLength, SessionId};
    use crate::store::KeyPrefix;

    #[test]
    fn a_header_is_read_back_as_written() {
        let header = Header { created_at: 1, renewed_at: (1 << 48) - 1, permanent: true };
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        assert_eq!(bytes.len(), HEADER_BYTES);
        bytes.extend_from_slice(b"data");

        let Ok(Contents::Session(read, data)) = read(&bytes) else { panic!("not a session") };
        assert_eq!((read, data), (header, &b"data"[..]));
    }

    #[test]
    fn a_moved_record_names_the_new_key() {
        let id = SessionId::generate(IdLength::MAX).expect("an id");
        let key = Key::plain(&KeyPrefix::default(), &id);
        let bytes = moved(&key, 1_000);
        let Ok(Contents::Moved(to, at)) = read(&bytes) else { panic!("not moved") };
        assert_eq!((to.as_str(), at), (key.as_str(), 1_000));
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
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}
