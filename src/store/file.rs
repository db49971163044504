//! Sessions in files.

mod dir;
mod error;
mod layout;
mod name;
mod room;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::fs::{Mode, RawMode};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use self::dir::{Dir, Locked, Owner};
pub use self::error::FileError;
pub use self::layout::FileRevision;
use self::layout::{Header, MAX_VALUE};
use self::name::Name;
use self::room::Budget;
use super::eviction::Evictions;
use super::{Create, Key, Loaded, Record, Store, Sweep, Update, Writable};
use crate::clock::Clock;
use crate::ttl::Ttl;

/// Keeps sessions in the files of one directory, for any number of processes
/// on one machine. Unix only, and inside a tokio runtime with its timer only.
///
/// Making the store makes the directory, and those above it, with mode 0700 where they are
/// missing, and tries it out. So does the first operation after it was removed.
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
/// A process that was stopped keeps its lock. A change of a record that the lock guards is then
/// an error after the [`timeout`](Self::timeout), and others go on. All work is done on up to 32
/// of the threads on which tokio lets work block, so that a disk that does not answer
/// leaves the others to the application.
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
/// # fn main() -> Result<(), cloakroom::store::FileError> {
/// # let folder = tempfile::tempdir().expect("a folder");
/// # let directory = "/var/lib/shop/sessions";
/// # let directory = folder.path().join("sessions");
/// let store = File::new(directory)?.threshold(100_000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct File {
    path: Arc<Path>,
    threshold: usize,
    mode: Mode,
    clock: Clock,
    timeout: Duration,
    owner: Arc<Owner>,
    budget: Arc<Budget>,
    evictions: Arc<Evictions>,
    threads: Arc<Semaphore>,
}

/// How many threads may wait for the disk at once.
const THREADS: usize = 32;
/// How long an operation waits before it tries again to take a lock, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(32)];

impl File {
    /// The directory of [`File::local`]: `sessions`, below the working directory.
    pub const DEFAULT_DIRECTORY: &str = "sessions";

    /// A store in a directory, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, is not one, can be written to by its group or others,
    /// or does not take a file.
    pub fn new(directory: impl Into<PathBuf>) -> Result<Self, FileError> {
        let (path, owner) = (Arc::<Path>::from(directory.into()), Owner::default());
        Dir::open(&path, &owner)?;
        Ok(Self {
            path,
            threshold: 0,
            mode: dir::PRIVATE,
            clock: Clock::system(),
            timeout: Duration::from_secs(5),
            owner: Arc::new(owner),
            budget: Arc::default(),
            evictions: Arc::default(),
            threads: Arc::new(Semaphore::new(THREADS)),
        })
    }

    /// A store in [`DEFAULT_DIRECTORY`](Self::DEFAULT_DIRECTORY).
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn local() -> Result<Self, FileError> {
        Self::new(Self::DEFAULT_DIRECTORY)
    }

    /// How many records the directory holds before a new one makes room for
    /// itself: what killed processes left half written goes first, then expired ones, then those
    /// nearest to their expiry, until nine tenths of the threshold are left. 0 is no threshold.
    ///
    /// Users whose sessions go are signed out. Once a minute at most, a warning says so.
    ///
    /// Counting means reading the directory, so a process counts once for up to
    /// a tenth of the threshold of its new records. Every further process, and
    /// every further create at the same time, may therefore add a tenth, and at
    /// least one record, above the threshold.
    ///
    /// # Default
    ///
    /// None. A sweep removes what has expired: see [`sweep_every`](crate::Sessions::sweep_every).
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

    /// How long an operation may take: it may wait for a lock, or for the disk. After that it is
    /// an error, and may or may not have happened.
    ///
    /// # Default
    ///
    /// Five seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Takes the time from `clock`, so that a test can move it.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Does the work of an operation on a thread that may block, to its end
    /// even where the caller stops waiting for it. While a lock is taken, it waits without a
    /// thread and begins again.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&Self, &Dir) -> Result<T, FileError> + Send + Sync + 'static,
    ) -> Result<T, FileError> {
        let runtime = Handle::try_current().map_err(|_| FileError::NoRuntime)?;
        let work = Arc::new(work);
        let attempts = async {
            let [mut pause, longest] = PAUSES;
            loop {
                match self.attempt(&runtime, work.clone()).await {
                    Err(FileError::TimedOut) => sleep(pause).await,
                    done => return done,
                }
                pause = longest.min(2 * pause);
            }
        };
        timeout(self.timeout, attempts).await.unwrap_or(Err(FileError::TimedOut))
    }

    async fn attempt<T: Send + 'static>(
        &self,
        runtime: &Handle,
        work: Arc<impl Fn(&Self, &Dir) -> Result<T, FileError> + Send + Sync + 'static>,
    ) -> Result<T, FileError> {
        let permit = self.threads.clone().acquire_owned().await;
        let permit = permit.map_err(|_| FileError::Stopped)?;
        let files = self.clone();
        let done = runtime.spawn_blocking(move || {
            let done = work(&files, &Dir::open(&files.path, &files.owner)?);
            // Given back by the thread, also where no caller waits for it.
            drop(permit);
            done
        });
        done.await.map_err(|_| FileError::Stopped)?
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

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("threshold", &self.threshold)
            .field("timeout", &self.timeout)
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
        check_length(value)?;
        let (name, value) = (Name::of(key), value.to_vec());
        // Room is made once, however often the lock is tried.
        let room = Arc::new(OnceLock::new());
        let made = room.clone();
        let created = self.run(move |files, dir| {
            if made.get().is_none() {
                let now = files.clock.unix_millis();
                let evicted = files.budget.spend(dir, files.threshold, now)?;
                made.get_or_init(|| (evicted, now));
            }
            let locked = dir.lock(&name)?;
            if files.live(dir, &name)?.is_some() {
                return Ok(Create::KeyTaken);
            }
            Ok(Create::Created(files.put(&locked, &name, &value, ttl)?))
        });
        let created = created.await;
        if let Some(&(evicted, now)) = room.get() {
            self.evictions.happened(evicted, now, "File", "a higher `threshold` keeps more");
        }
        created
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &FileRevision,
    ) -> Result<Update<FileRevision>, FileError> {
        check_length(value)?;
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

fn check_length(value: &[u8]) -> Result<(), FileError> {
    if value.len() > MAX_VALUE { Err(FileError::TooLarge) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn work_that_does_not_end_leaves_threads_to_the_application_and_is_an_error_in_time() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let store = File::new(parent.path().join("sessions")).expect("a directory");
        let store = store.timeout(Duration::from_millis(200));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(THREADS + 1)
            .enable_time()
            .build()
            .expect("a runtime");
        // As a disk that does not answer.
        let gate = Arc::new(Mutex::new(()));
        let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
        runtime.block_on(async {
            let blocked: Vec<_> = (0..100)
                .map(|_| {
                    let (store, gate) = (store.clone(), gate.clone());
                    tokio::spawn(async move {
                        let wait = move |_: &File, _: &Dir| {
                            drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
                            Ok(())
                        };
                        store.run(wait).await
                    })
                })
                .collect();
            for blocked in blocked {
                let ended = blocked.await.expect("no panic");
                assert!(matches!(ended, Err(FileError::TimedOut)), "{ended:?}");
            }
            assert_eq!(store.threads.available_permits(), 0, "the store has its threads");
            runtime.spawn_blocking(|| ()).await.expect("the application has one");
        });
        drop(closed);
    }
}
