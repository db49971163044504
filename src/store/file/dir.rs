//! The directory. Every file in it is opened relative to one handle and without
//! following links, so that what was planted there can do nothing.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs as sys;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::{Errno, retry_on_intr};

use super::error::FileError;
use super::layout::{Header, HeaderBytes, MAX_VALUE};
use super::name::{Entry, Name};

/// The mode of a file that only its owner reads and writes.
pub(super) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// How long a thread waits for a lock. Work under a lock takes microseconds.
const PATIENCE: Duration = Duration::from_millis(2);
/// How long it waits before it looks again.
const PAUSE: Duration = Duration::from_micros(50);

/// For every file: the store follows no link, and does not block on a planted pipe or
/// device.
const CAREFULLY: OFlags =
    OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// The owner of the files that this process makes, once it is known. Some file systems
/// give them another owner than the user of the process.
#[derive(Default)]
pub(super) struct Owner(OnceLock<u32>);

/// The directory, checked.
pub(super) struct Dir {
    handle: OwnedFd,
}

impl Dir {
    /// Opens the directory, or makes it.
    pub(super) fn open(path: &Path, owner: &Owner) -> Result<Self, FileError> {
        let handle = match open_directory(path) {
            Err(Errno::NOENT) => {
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(path)
                    .map_err(FileError::io("make the session directory"))?;
                open_directory(path)
            }
            opened => opened,
        };
        let dir = Self { handle: handle.map_err(FileError::io("open the session directory"))? };
        dir.check(owner)?;
        Ok(dir)
    }

    /// Waits for a moment until no other task changes the record, or another record of the same
    /// lock. Each call opens the file anew, so that threads exclude each other as processes
    /// do.
    ///
    /// It never waits in the system, where nothing could end it: a process that was stopped keeps
    /// its lock.
    ///
    /// # Errors
    ///
    /// [`FileError::TimedOut`] while the lock is taken. Nothing has happened.
    pub(super) fn lock(&self, name: &Name) -> Result<Locked<'_>, FileError> {
        let file = name.lock_file();
        let start = Instant::now();
        loop {
            let flags = OFlags::RDWR | OFlags::CREATE | CAREFULLY;
            let lock = match sys::openat(&self.handle, &file, flags, PRIVATE) {
                Err(Errno::LOOP | Errno::MLINK | Errno::ISDIR | Errno::NXIO) => {
                    return Err(FileError::InvalidLock);
                }
                opened => opened.map_err(FileError::io("open a lock"))?,
            };
            if !is_regular(&stat(&lock)?) {
                return Err(FileError::InvalidLock);
            }
            let lock_now = || sys::flock(&lock, FlockOperation::NonBlockingLockExclusive);
            loop {
                match retry_on_intr(lock_now) {
                    Err(Errno::WOULDBLOCK) if start.elapsed() < PATIENCE => sleep(PAUSE),
                    Err(Errno::WOULDBLOCK) => return Err(FileError::TimedOut),
                    taken => break taken.map_err(FileError::io("take a lock"))?,
                }
            }
            // A lock file that was removed meanwhile excludes no other process.
            if stat(&lock)?.st_nlink > 0 {
                return Ok(Locked { dir: self, _lock: lock });
            }
        }
    }

    /// Reads a record. What is not a whole one is none.
    pub(super) fn read(&self, name: &Name) -> Result<Option<(Header, Vec<u8>)>, FileError> {
        let Some((file, header, length)) = self.open_record(name)? else { return Ok(None) };
        if Header::peek(&header).is_none() || length > MAX_VALUE as u64 {
            return Ok(None);
        }
        let mut value = Vec::with_capacity(length as usize);
        // One byte more than was there: a file that grows is no record.
        let read = file.take(length + 1).read_to_end(&mut value);
        read.map_err(FileError::io("read a record"))?;
        Ok(Header::decode(&header, name, &value).map(|header| (header, value)))
    }

    /// When the time of a record is over, by its header.
    pub(super) fn expiry(&self, name: &Name) -> Result<Option<u64>, FileError> {
        let opened = self.open_record(name)?;
        Ok(opened.and_then(|(_, header, _)| Header::peek(&header)).map(|header| header.expires))
    }

    /// The files that this store may have made, by their names.
    pub(super) fn entries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Entry, FileError>>, FileError> {
        let doing = "list the session directory";
        let entries = sys::Dir::read_from(&self.handle).map_err(FileError::io(doing))?;
        Ok(entries.filter_map(move |entry| match entry {
            Ok(entry) => Entry::parse(entry.file_name().to_bytes()).map(Ok),
            Err(error) => Some(Err(FileError::io(doing)(error))),
        }))
    }

    fn check(&self, owner: &Owner) -> Result<(), FileError> {
        let found = stat(&self.handle)?;
        if Mode::from_raw_mode(found.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
            return Err(FileError::SharedDirectory);
        }
        let own = match owner.0.get() {
            Some(&own) => own,
            None => {
                let own = self.owner_of_new_files()?;
                *owner.0.get_or_init(|| own)
            }
        };
        if found.st_uid != own {
            return Err(FileError::ForeignDirectory);
        }
        Ok(())
    }

    fn owner_of_new_files(&self) -> Result<u32, FileError> {
        let file = Name::random()?.temporary_file()?;
        let made = self.make(&file)?;
        self.unlink(&file)?;
        Ok(stat(&made)?.st_uid)
    }

    /// Opens a file in a record's place, reads the bytes of a header, and says how many come
    /// behind it.
    fn open_record(&self, name: &Name) -> Result<Option<(fs::File, HeaderBytes, u64)>, FileError> {
        let flags = OFlags::RDONLY | CAREFULLY;
        let mut file = match sys::openat(&self.handle, name.record_file(), flags, Mode::empty()) {
            // None, a link, a socket.
            Err(Errno::NOENT | Errno::LOOP | Errno::MLINK | Errno::NXIO) => return Ok(None),
            opened => fs::File::from(opened.map_err(FileError::io("open a record"))?),
        };
        let found = stat(&file)?;
        if !is_regular(&found) {
            return Ok(None);
        }
        let mut header: HeaderBytes = [0; _];
        let length = (found.st_size as u64).saturating_sub(header.len() as u64);
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            read => {
                read.map(|()| Some((file, header, length))).map_err(FileError::io("read a record"))
            }
        }
    }

    fn make(&self, file: &str) -> Result<fs::File, FileError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | CAREFULLY;
        let made = sys::openat(&self.handle, file, flags, PRIVATE);
        made.map(fs::File::from).map_err(FileError::io("make a file"))
    }

    /// Whether there was such a file.
    fn unlink(&self, file: &str) -> Result<bool, FileError> {
        match sys::unlinkat(&self.handle, file, AtFlags::empty()) {
            Err(Errno::NOENT) => Ok(false),
            unlinked => unlinked.map(|()| true).map_err(FileError::io("remove a file")),
        }
    }
}

/// The directory, while no other task changes the records of one lock.
pub(super) struct Locked<'a> {
    dir: &'a Dir,
    /// Closing it gives the lock back, and so does the end of the process.
    _lock: OwnedFd,
}

impl Locked<'_> {
    /// Writes a record, in one step for every reader.
    pub(super) fn write(
        &self,
        name: &Name,
        header: &Header,
        value: &[u8],
        mode: Mode,
    ) -> Result<(), FileError> {
        let temporary = name.temporary_file()?;
        let written = self.write_temporary(&temporary, &header.encode(name, value), value, mode);
        let replaced = written.and_then(|()| {
            let handle = &self.dir.handle;
            sys::renameat(handle, &temporary, handle, name.record_file())
                .map_err(FileError::io("replace a record"))
        });
        if replaced.is_err() {
            // On a full disk, it gives its room back; else `sweep` finds it.
            let _ = self.dir.unlink(&temporary);
        }
        replaced
    }

    /// Removes what is in a record's place, and says whether anything was.
    pub(super) fn remove(&self, name: &Name) -> Result<bool, FileError> {
        self.dir.unlink(&name.record_file())
    }

    /// Removes a file that a killed process left. While the caller holds the lock, no
    /// process writes it.
    pub(super) fn remove_temporary(&self, file: &str) -> Result<bool, FileError> {
        self.dir.unlink(file)
    }

    fn write_temporary(
        &self,
        file: &str,
        header: &HeaderBytes,
        value: &[u8],
        mode: Mode,
    ) -> Result<(), FileError> {
        let mut file = self.dir.make(file)?;
        file.write_all(header)
            .and_then(|()| file.write_all(value))
            .map_err(FileError::io("write a record"))?;
        if mode == PRIVATE {
            return Ok(());
        }
        sys::fchmod(&file, mode).map_err(FileError::io("set the mode of a record"))
    }
}

fn open_directory(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    sys::open(path, flags, Mode::empty())
}

fn stat(file: impl AsFd) -> Result<Stat, FileError> {
    sys::fstat(file).map_err(FileError::io("look at a file"))
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let path = parent.path().join("sessions");
        let own = Owner::default();
        assert!(Dir::open(&path, &own).is_ok());
        let other = own.0.get().expect("it was found out") + 1;
        let refused = Dir::open(&path, &Owner(OnceLock::from(other))).err();
        assert!(matches!(refused, Some(FileError::ForeignDirectory)));
        assert!(path.read_dir().expect("the directory").next().is_none(), "the trial is removed");
    }
}
