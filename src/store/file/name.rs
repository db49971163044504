//! The names of files.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use super::error::FileError;
use crate::store::Key;

/// How many lock files there are, a power of two: enough that two records
/// rarely wait for one another.
const LOCKS: u8 = 64;

/// The name of a record's file: the SHA-256 of its key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name([u8; 32]);

impl Name {
    pub(super) fn of(key: &Key) -> Self {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, key.as_str().as_bytes()).as_ref());
        Self(name)
    }

    /// The name of no record.
    pub(super) fn random() -> Result<Self, FileError> {
        let mut name = [0; 32];
        getrandom::fill(&mut name).map_err(|_| FileError::NoRandomness)?;
        Ok(Self(name))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Which of the locks guards the record.
    pub(super) fn lock(&self) -> u8 {
        self.0[0] % LOCKS
    }

    pub(super) fn lock_file(&self) -> String {
        format!("lock-{:02x}", self.lock())
    }

    pub(super) fn record_file(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// A new name for the record's next version while it is written. It is
    /// random, so that two writers would not mix their bytes even on a file
    /// system whose locks do not work.
    pub(super) fn temporary_file(&self) -> Result<String, FileError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| FileError::NoRandomness)?;
        Ok(format!("{}.{}", self.record_file(), HEXLOWER.encode(&random)))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut name = [0; 32];
        if text.len() != 2 * name.len() {
            return None;
        }
        HEXLOWER.decode_mut(text, &mut name).ok()?;
        Some(Self(name))
    }
}

/// A file that this store may have made, by its name.
pub(super) enum Entry {
    Record(Name),
    Temporary { of: Name, file: String },
}

impl Entry {
    pub(super) fn parse(file: &[u8]) -> Option<Self> {
        let Some(dot) = file.iter().position(|&byte| byte == b'.') else {
            return Name::parse(file).map(Self::Record);
        };
        let (of, random) = (Name::parse(&file[..dot])?, &file[dot + 1..]);
        if random.len() != 32 || HEXLOWER.decode(random).is_err() {
            return None;
        }
        Some(Self::Temporary { of, file: String::from_utf8(file.to_vec()).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_this_store_makes_are_its_files() {
        let name = Name([0xab; 32]);
        let record = name.record_file();
        let temporary = name.temporary_file().expect("randomness");
        assert!(matches!(Entry::parse(record.as_bytes()), Some(Entry::Record(of)) if of == name));
        assert!(matches!(
            Entry::parse(temporary.as_bytes()),
            Some(Entry::Temporary { of, file }) if of == name && file == temporary
        ));
        for foreign in [
            ".",
            "..",
            "",
            &name.lock_file(),
            &record.to_uppercase(),
            &record[1..],
            &format!("{record}0"),
            &format!("{record}."),
            &format!("{record}.bak"),
            &format!("{temporary}0"),
            &format!("{record}.{}", "g".repeat(32)),
        ] {
            assert!(Entry::parse(foreign.as_bytes()).is_none(), "{foreign}");
        }
    }
}
