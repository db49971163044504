//! A directory of sessions, and a look behind the store's back.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cloakroom::store::{Create, FileRevision, Update};
use cloakroom::{Clock, File, IdLength, Key, KeyPrefix, SessionId, Store, Ttl};
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;

pub(crate) struct Site {
    parent: TempDir,
    pub(crate) store: File,
    pub(crate) clock: Clock,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|store| store)
    }

    /// A site whose store has settings of its own.
    pub(crate) fn with(settings: impl FnOnce(File) -> File) -> Self {
        let parent = TempDir::new().expect("a temporary directory");
        let clock = Clock::manual();
        let store = File::new(parent.path().join("sessions")).expect("a directory");
        let store = settings(store.clock(clock.clone()));
        Self { parent, store, clock }
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.outside("sessions")
    }

    /// A path that is not in the directory.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.parent.path().join(name)
    }

    /// Where a record lies.
    pub(crate) fn place(&self, key: &Key) -> PathBuf {
        self.directory().join(record_file(key))
    }

    /// The lock file that guards a record.
    pub(crate) fn lock(&self, key: &Key) -> PathBuf {
        let first = u8::from_str_radix(&record_file(key)[..2], 16).expect("hexadecimal");
        self.directory().join(format!("lock-{:02x}", first % 64))
    }

    /// All names in the directory but those of the locks, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.directory()).expect("the directory is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().expect("text")).collect();
        names.retain(|name| !name.starts_with("lock-"));
        names.sort();
        names
    }

    pub(crate) async fn create(&self, value: &[u8], ttl: Ttl) -> (Key, FileRevision) {
        let key = new_key();
        let revision = self.create_at(&key, value, ttl).await;
        (key, revision)
    }

    pub(crate) async fn create_at(&self, key: &Key, value: &[u8], ttl: Ttl) -> FileRevision {
        match self.store.create(key, value, ttl).await.expect("the store answers") {
            Create::Created(revision) => revision,
            Create::KeyTaken => panic!("the key is taken"),
        }
    }

    pub(crate) async fn update(
        &self,
        key: &Key,
        value: &[u8],
        seen: &FileRevision,
    ) -> Update<FileRevision> {
        self.store.update(key, value, Ttl::hours(1), seen).await.expect("the store answers")
    }

    pub(crate) async fn value(&self, key: &Key) -> Option<Vec<u8>> {
        let loaded = self.store.load(key, None).await.expect("the store answers");
        loaded.map(|record| record.value)
    }

    pub(crate) async fn remove(&self, key: &Key) -> Option<Vec<u8>> {
        self.store.remove(key).await.expect("the store answers")
    }
}

pub(crate) fn new_key() -> Key {
    let id = SessionId::generate(IdLength::default()).expect("randomness");
    Key::hashed(&KeyPrefix::default(), "id", &id)
}

pub(crate) fn record_file(key: &Key) -> String {
    HEXLOWER.encode(digest(&SHA256, key.as_str().as_bytes()).as_ref())
}

/// The name of a file that was being written for a record.
pub(crate) fn temporary_file(key: &Key) -> String {
    format!("{}.{}", record_file(key), "0123456789abcdef".repeat(2))
}

pub(crate) fn permissions(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777
}

/// Writes a file as the store would, without the store.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) {
    let opened =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(bytes)).expect("the file can be written");
}
