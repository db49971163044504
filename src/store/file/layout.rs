//! What a record's file holds.
//!
//! | bytes | what they are |
//! |---|---|
//! | 0 to 7 | `cloakrm`, and the number of this layout: 1 |
//! | 8 to 15 | when its time is over, in milliseconds since the Unix epoch, little-endian |
//! | 16 to 31 | the revision |
//! | 32 to 63 | the SHA-256 of the bytes before, the file's name in binary, and the value |
//! | from 64 | the value |

use ring::digest::{Context, Digest, SHA256};

use super::error::FileError;
use super::name::Name;

const MAGIC: [u8; 8] = *b"cloakrm\x01";

/// The longest value: a file that is longer than one with its header is no record.
pub(super) const MAX_VALUE: usize = 64 * 1024 * 1024;

/// The version of a record in [`File`](super::File): 16 random bytes, so that
/// it never comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRevision([u8; 16]);

impl FileRevision {
    pub(super) fn generate() -> Result<Self, FileError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| FileError::NoRandomness)?;
        Ok(Self(random))
    }
}

/// What stands before the value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Milliseconds since the Unix epoch.
    pub(super) expires: u64,
    pub(super) revision: FileRevision,
}

/// A header as it stands in the file.
pub(super) type HeaderBytes = [u8; 64];

impl Header {
    pub(super) fn encode(&self, name: &Name, value: &[u8]) -> HeaderBytes {
        let mut bytes = [0; _];
        let (head, checksum) = split_mut(&mut bytes);
        head[..8].copy_from_slice(&MAGIC);
        head[8..16].copy_from_slice(&self.expires.to_le_bytes());
        head[16..].copy_from_slice(&self.revision.0);
        checksum.copy_from_slice(digest_of(head, name, value).as_ref());
        bytes
    }

    /// Reads the header of a whole record.
    pub(super) fn decode(bytes: &HeaderBytes, name: &Name, value: &[u8]) -> Option<Self> {
        let (head, checksum) = bytes.split_at(32);
        if digest_of(head, name, value).as_ref() != checksum {
            return None;
        }
        Self::peek(bytes)
    }

    /// Reads a header without a look at its value.
    pub(super) fn peek(bytes: &HeaderBytes) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (expires, rest) = rest.split_first_chunk()?;
        let (revision, _) = rest.split_first_chunk()?;
        (*magic == MAGIC).then_some(Self {
            expires: u64::from_le_bytes(*expires),
            revision: FileRevision(*revision),
        })
    }
}

fn split_mut(bytes: &mut HeaderBytes) -> (&mut [u8], &mut [u8]) {
    bytes.split_at_mut(32)
}

fn digest_of(head: &[u8], name: &Name, value: &[u8]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in [head, name.as_bytes(), value] {
        context.update(part);
    }
    context.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Key;

    #[test]
    fn any_change_to_a_file_is_noticed() {
        let [name, other] = [b"a", b"b"].map(|key| Name::of(&Key::from_text(key).expect("a key")));
        let header = Header { expires: 7, revision: FileRevision([9; 16]) };
        let bytes = header.encode(&name, b"value");
        assert_eq!(Header::decode(&bytes, &name, b"value"), Some(header));

        assert_eq!(Header::decode(&bytes, &name, b"valu"), None, "cut off");
        assert_eq!(Header::decode(&bytes, &name, b"value\0"), None, "longer");
        assert_eq!(Header::decode(&bytes, &other, b"value"), None, "under another name");
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 1;
            assert_eq!(Header::decode(&changed, &name, b"value"), None, "byte {at}");
        }
    }
}
