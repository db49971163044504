//! Sessions in files.

mod dir;
mod error;
mod layout;
mod name;
mod room;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, RawMode};
use tokio::runtime::Handle;

use self::dir::{Dir, Locked, Owner};
pub use self::error::FileError;
pub use self::layout::FileRevision;
use self::layout::Header;
use self::name::Name;
use self::room::Budget;
use super::{Create, Key, Loaded, Record, Store, Sweep, Update, Writable};
use crate::clock::Clock;
use crate::ttl::Ttl;

/// Keeps sessions in the files of one directory, for any number of processes
/// on one machine. Unix only, and inside a tokio runtime only.
///
/// Making the store touches no file. The first operation makes the directory,
/// and those above it, with mode 0700 where they are missing.
///
/// # Files
///
/// A record is one file, named by the lower-case hex SHA-256 of its key. The store
/// writes it under another name and then renames it. A reader therefore finds the old
/// record or the new one, also when the writer was killed. The store changes records
/// under an advisory lock on one of 64 files named `lock-00` to `lock-3f`, which it never
/// removes. So the file system has to be a local one, or one that shares such locks
/// between the machines that use it.
///
/// The store flushes nothing to the disk: a power cut may undo the last changes. A
/// checksum detects half a file that a power cut has left.
///
/// What is not a whole record, in a record's place, counts as none: a damaged
/// or foreign file, a symbolic link, a named pipe. No link is followed. The next
/// [`create`](Store::create) under that key replaces it. [`sweep`](Sweep::sweep)
/// and the threshold remove only files that begin as a record does, so that a
/// directory chosen by mistake loses nothing.
///
/// # Directory
///
/// A user who may write to the directory may make sessions. So the store refuses a
/// directory that its group or others can write to, one that belongs to a user other
/// than the owner of new files, and a symbolic link. It trusts the directories above.
///
/// # Example
///
/// ```
/// use cloakroom::File;
///
/// let store = File::new("/var/lib/shop/sessions").threshold(100_000);
/// ```
#[derive(Clone)]
pub struct File {
    path: Arc<Path>,
    threshold: usize,
    mode: Mode,
    clock: Clock,
    owner: Arc<Owner>,
    budget: Arc<Budget>,
}

impl File {
    /// The directory of [`File::default`]: `sessions`, below the working
    /// directory.
    pub const DEFAULT_DIRECTORY: &str = "sessions";

    /// A store in a directory, which is made when it is first needed.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            path: directory.into().into(),
            threshold: 500,
            mode: dir::PRIVATE,
            clock: Clock::system(),
            owner: Arc::default(),
            budget: Arc::default(),
        }
    }

    /// How many records the directory holds before a new one makes room for
    /// itself: expired ones go first, then those nearest to their expiry, until
    /// nine tenths of the threshold are left. 0 is no threshold.
    ///
    /// Counting means reading the directory, so a process counts once for up to
    /// a tenth of the threshold of its new records. Every further process, and
    /// every further create at the same time, may therefore add a tenth, and at
    /// least one record, above the threshold.
    ///
    /// # Default
    ///
    /// 500, as in Flask-Session. A site with more visitors than that wants more.
    #[must_use]
    pub fn threshold(mut self, records: usize) -> Self {
        self.threshold = records;
        self
    }

    /// The permissions of a record's file, for example `0o640` where a backup
    /// reads them as the group. That also takes a directory that the group can
    /// enter, which this store does not make by itself.
    ///
    /// # Default
    ///
    /// `0o600`: only the owner reads them.
    ///
    /// # Errors
    ///
    /// [`FileError::InvalidMode`] for anything but `0o600`, `0o640`, `0o604` and
    /// `0o644`: the owner reads and writes, and no other user ever writes.
    pub fn mode(mut self, mode: u32) -> Result<Self, FileError> {
        if !matches!(mode, 0o600 | 0o640 | 0o604 | 0o644) {
            return Err(FileError::InvalidMode);
        }
        self.mode = Mode::from_raw_mode(mode as RawMode);
        Ok(self)
    }

    /// Takes the time from `clock`, so that a test can move it.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Does the work of an operation on a thread that may block, to its end
    /// even where the caller stops waiting for it.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Dir) -> Result<T, FileError> + Send + 'static,
    ) -> Result<T, FileError> {
        let runtime = Handle::try_current().map_err(|_| FileError::NoRuntime)?;
        let files = self.clone();
        runtime
            .spawn_blocking(move || work(&files, &Dir::open(&files.path, &files.owner)?))
            .await
            .map_err(|_| FileError::Stopped)?
    }

    /// The record, where there is one whose time is not over.
    fn live(&self, dir: &Dir, name: &Name) -> Result<Option<(Header, Vec<u8>)>, FileError> {
        let now = self.clock.unix_millis();
        Ok(dir.read(name)?.filter(|(header, _)| header.expires > now))
    }

    /// Writes a record in a new version.
    fn put(
        &self,
        locked: &Locked<'_>,
        name: &Name,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<FileRevision, FileError> {
        let revision = FileRevision::generate()?;
        locked.write(name, &Header { expires: self.expiry(ttl), revision }, value, self.mode)?;
        Ok(revision)
    }

    fn expiry(&self, ttl: Ttl) -> u64 {
        self.clock.unix_millis().saturating_add(ttl.as_millis())
    }
}

impl Default for File {
    /// A store in [`DEFAULT_DIRECTORY`](Self::DEFAULT_DIRECTORY).
    fn default() -> Self {
        Self::new(Self::DEFAULT_DIRECTORY)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("threshold", &self.threshold)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

#[diagnostic::do_not_recommend]
impl Writable for File {}

#[diagnostic::do_not_recommend]
impl Store for File {
    type Error = FileError;
    type Value = Vec<u8>;
    type Revision = FileRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, FileError> {
        let name = Name::of(key);
        self.run(move |files, dir| {
            let found = match extend {
                None => files.live(dir, &name)?,
                Some(ttl) => files.load_and_extend(dir, &name, ttl)?,
            };
            Ok(found.map(|(header, value)| Record::new(value, header.revision)))
        })
        .await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<FileRevision>, FileError> {
        let (name, value) = (Name::of(key), value.to_vec());
        self.run(move |files, dir| {
            files.budget.spend(dir, files.threshold, files.clock.unix_millis())?;
            let locked = dir.lock(&name)?;
            if files.live(dir, &name)?.is_some() {
                return Ok(Create::KeyTaken);
            }
            Ok(Create::Created(files.put(&locked, &name, &value, ttl)?))
        })
        .await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &FileRevision,
    ) -> Result<Update<FileRevision>, FileError> {
        let (name, value, seen) = (Name::of(key), value.to_vec(), *seen);
        self.run(move |files, dir| {
            let locked = dir.lock(&name)?;
            match files.live(dir, &name)? {
                None => Ok(Update::Gone),
                Some((header, _)) if header.revision != seen => Ok(Update::Conflict),
                Some(_) => Ok(Update::Updated(files.put(&locked, &name, &value, ttl)?)),
            }
        })
        .await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Vec<u8>>, FileError> {
        let name = Name::of(key);
        self.run(move |files, dir| {
            let locked = dir.lock(&name)?;
            let removed = files.live(dir, &name)?;
            locked.remove(&name)?;
            Ok(removed.map(|(_, value)| value))
        })
        .await
    }
}

impl File {
    fn load_and_extend(
        &self,
        dir: &Dir,
        name: &Name,
        ttl: Ttl,
    ) -> Result<Option<(Header, Vec<u8>)>, FileError> {
        let locked = dir.lock(name)?;
        let Some((mut header, value)) = self.live(dir, name)? else { return Ok(None) };
        let expires = self.expiry(ttl);
        if expires > header.expires {
            header.expires = expires;
            locked.write(name, &header, &value, self.mode)?;
        }
        Ok(Some((header, value)))
    }
}

#[diagnostic::do_not_recommend]
impl Sweep for File {
    /// Also removes what killed processes left half written.
    async fn sweep(&self) -> Result<u64, FileError> {
        self.run(|files, dir| room::sweep(dir, files.clock.unix_millis())).await
    }
}
