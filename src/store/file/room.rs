//! Making room: the sweep, and the threshold.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::dir::{Dir, Locked};
use super::error::FileError;
use super::name::{Entry, Name};

/// How many files a sweep removes under one lock before it releases the lock for other
/// tasks.
const REMOVED_AT_ONCE: usize = 16;

/// Removes the records whose time is over, which it counts, and the files that
/// killed processes left. What a taken lock guards stays until the next sweep.
pub(super) fn sweep(dir: &Dir, now: u64) -> Result<u64, FileError> {
    let mut expired = Vec::new();
    let mut temporaries = Vec::new();
    for entry in dir.entries()? {
        match entry? {
            Entry::Temporary { of, file } => temporaries.push((of, file)),
            Entry::Record(name) => {
                let expiry = dir.expiry(&name)?.filter(|&expires| expires <= now);
                expired.extend(expiry.map(|expires| Found { name, expires }));
            }
        }
    }
    remove_temporaries(dir, temporaries)?;
    Ok(remove(dir, expired)? as u64)
}

/// Removes what killed writers left, and says how many files. Those that are being written are
/// waited for, and are none then.
fn remove_temporaries(dir: &Dir, files: Vec<(Name, String)>) -> Result<usize, FileError> {
    let mut removed = 0;
    for (of, file) in files {
        if let Some(locked) = lock_if_free(dir, &of)? {
            removed += usize::from(locked.remove_temporary(&file)?);
        }
    }
    Ok(removed)
}

/// A process that was stopped keeps its lock. No other record waits for it.
fn lock_if_free<'a>(dir: &'a Dir, name: &Name) -> Result<Option<Locked<'a>>, FileError> {
    match dir.lock(name) {
        Err(FileError::TimedOut) => Ok(None),
        locked => locked.map(Some),
    }
}

/// How many records this process may still make before it has to count.
#[derive(Default)]
pub(super) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    /// Has room for one more record, and makes some where the threshold is
    /// reached. Says how many live records had to go.
    pub(super) fn spend(&self, dir: &Dir, threshold: usize, now: u64) -> Result<usize, FileError> {
        let most = (threshold / 10).max(1);
        if threshold == 0 || !self.is_spent(most) {
            return Ok(0);
        }
        let Room { left, evicted } =
            make_room(dir, threshold, now).inspect_err(|_| self.left.store(0, Relaxed))?;
        // This record needs one place. What others spent meanwhile stays spent.
        self.left.fetch_min(threshold.saturating_sub(left + 1), Relaxed);
        Ok(evicted)
    }

    /// Takes one, or begins a new budget. Others live on the new one while the
    /// caller counts.
    fn is_spent(&self, most: usize) -> bool {
        let spend = |left: usize| Some(left.checked_sub(1).unwrap_or(most));
        self.left.fetch_update(Relaxed, Relaxed, spend) == Ok(0)
    }
}

/// A record as the count found it.
struct Found {
    name: Name,
    expires: u64,
}

/// What there is after room was made.
struct Room {
    left: usize,
    /// Live records that had to go.
    evicted: usize,
}

/// Where the threshold is reached, removes what killed writers left, then the expired records and
/// those nearest to their expiry.
fn make_room(dir: &Dir, threshold: usize, now: u64) -> Result<Room, FileError> {
    let mut records = Vec::new();
    let mut temporaries = Vec::new();
    for entry in dir.entries()? {
        match entry? {
            Entry::Temporary { of, file } => temporaries.push((of, file)),
            Entry::Record(name) => {
                records.extend(dir.expiry(&name)?.map(|expires| Found { name, expires }));
            }
        }
    }
    let mut left = records.len() + temporaries.len();
    if left >= threshold {
        left -= remove_temporaries(dir, temporaries)?;
    }
    if left < threshold {
        return Ok(Room { left, evicted: 0 });
    }
    let kept = (threshold - threshold / 10).min(threshold - 1);
    records.sort_unstable_by_key(|record| record.expires);
    let expired = records.partition_point(|record| record.expires <= now);
    records.truncate(expired.max(left - kept));
    let live = records.split_off(expired.min(records.len()));
    left -= remove(dir, records)?;
    let evicted = remove(dir, live)?;
    Ok(Room { left: left - evicted, evicted })
}

/// Removes records, lock by lock, and says how many. One that was changed since
/// it was found stays.
fn remove(dir: &Dir, mut records: Vec<Found>) -> Result<usize, FileError> {
    records.sort_unstable_by_key(|record| record.name.lock());
    let mut removed = 0;
    for of_one_lock in records.chunk_by(|a, b| a.name.lock() == b.name.lock()) {
        for batch in of_one_lock.chunks(REMOVED_AT_ONCE) {
            let Some(locked) = lock_if_free(dir, &batch[0].name)? else { continue };
            for record in batch {
                if dir.expiry(&record.name)? == Some(record.expires) {
                    removed += usize::from(locked.remove(&record.name)?);
                }
            }
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::super::dir::PRIVATE;
    use super::super::layout::{FileRevision, Header};
    use super::*;
    use crate::store::Key;

    #[test]
    fn a_record_that_was_renewed_since_it_was_counted_stays() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let dir = Dir::open(&parent.path().join("sessions"), &Default::default()).expect("opens");
        let [name, renewed] =
            [b"a", b"b"].map(|key| Name::of(&Key::from_text(key).expect("a key")));
        for (name, expires) in [(&name, 1), (&renewed, 2)] {
            let header =
                Header { expires, revision: FileRevision::generate().expect("randomness") };
            let locked = dir.lock(name).expect("the lock");
            locked.write(name, &header, b"", PRIVATE).expect("the record is written");
        }
        let found = [name, renewed].map(|name| Found { name, expires: 1 });
        assert_eq!(remove(&dir, found.into()).expect("removes"), 1);
        assert_eq!(dir.expiry(&name).expect("reads"), None);
        assert_eq!(dir.expiry(&renewed).expect("reads"), Some(2));
    }
}
