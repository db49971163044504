//! Making room: the sweep, and the threshold.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::dir::Dir;
use super::error::FileError;
use super::name::{Entry, Name};

/// How many files a sweep removes under one lock before it releases the lock for other
/// tasks.
const REMOVED_AT_ONCE: usize = 16;

/// Removes the records whose time is over, which it counts, and the files that
/// killed processes left.
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
    for (of, file) in temporaries {
        dir.lock(&of)?.remove_temporary(&file)?;
    }
    Ok(remove(dir, expired)? as u64)
}

/// How many records this process may still make before it has to count.
#[derive(Default)]
pub(super) struct Budget {
    left: AtomicUsize,
}

impl Budget {
    /// Has room for one more record, and makes some where the threshold is
    /// reached.
    pub(super) fn spend(&self, dir: &Dir, threshold: usize, now: u64) -> Result<(), FileError> {
        let most = (threshold / 10).max(1);
        if threshold == 0 || !self.is_spent(most) {
            return Ok(());
        }
        let counted =
            make_room(dir, threshold, now).inspect_err(|_| self.left.store(0, Relaxed))?;
        // This record needs one place. What others spent meanwhile stays spent.
        self.left.fetch_min(threshold.saturating_sub(counted + 1), Relaxed);
        Ok(())
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

/// Where the threshold is reached, removes the expired records and those
/// nearest to their expiry; says how many are left.
fn make_room(dir: &Dir, threshold: usize, now: u64) -> Result<usize, FileError> {
    let mut records = Vec::new();
    for entry in dir.entries()? {
        if let Entry::Record(name) = entry? {
            records.extend(dir.expiry(&name)?.map(|expires| Found { name, expires }));
        }
    }
    let count = records.len();
    if count < threshold {
        return Ok(count);
    }
    let kept = (threshold - threshold / 10).min(threshold - 1);
    records.sort_unstable_by_key(|record| record.expires);
    let expired = records.partition_point(|record| record.expires <= now);
    records.truncate(expired.max(count - kept));
    Ok(count - remove(dir, records)?)
}

/// Removes records, lock by lock, and says how many. One that was changed since
/// it was found stays.
fn remove(dir: &Dir, mut records: Vec<Found>) -> Result<usize, FileError> {
    records.sort_unstable_by_key(|record| record.name.lock());
    let mut removed = 0;
    for of_one_lock in records.chunk_by(|a, b| a.name.lock() == b.name.lock()) {
        for batch in of_one_lock.chunks(REMOVED_AT_ONCE) {
            let locked = dir.lock(&batch[0].name)?;
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
