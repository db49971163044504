//! Which operations wait for each other. The tests see in Linux's list of open files that an
//! operation tries to take a lock.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use cloakroom::store::{FileError, FileRevision, Update};
use cloakroom::{Key, Store, Sweep, Ttl};
use tokio::task::JoinHandle;

use crate::site::{Site, new_key, temporary_file, write_file};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_the_lock_and_a_look_does_not() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let held = hold(&site, &key);
    let update = start_update(&site, &key, seen);
    assert!(waits_for(&held, &update).await);
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]));
    drop(held);
    assert!(matches!(update.await, Ok(Update::Updated(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_was_removed_meanwhile_is_not_trusted() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let removed = hold(&site, &key);
    let update = start_update(&site, &key, seen);
    assert!(waits_for(&removed, &update).await);
    fs::remove_file(site.lock(&key)).expect("the lock file");
    let held = hold(&site, &key);
    drop(removed);
    assert!(waits_for(&held, &update).await, "it waits for the new one");
    drop(held);
    assert!(matches!(update.await, Ok(Update::Updated(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_a_file_whose_writer_holds_the_lock() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    let temporary = site.directory().join(temporary_file(&key));
    write_file(&temporary, b"half a reco");
    let held = hold(&site, &key);
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
    assert!(temporary.exists());
    drop(held);
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
    assert!(!temporary.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_never_given_back_is_an_error_in_time_and_stops_no_other_record() {
    let site = Site::with(|store| store.timeout(Duration::from_millis(300)));
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let _held = hold(&site, &key);
    // More than there are threads for the store.
    let updates: Vec<_> = (0..100)
        .map(|_| {
            let (store, key) = (site.store.clone(), key.clone());
            tokio::spawn(async move { store.update(&key, b"hat", Ttl::hours(1), &seen).await })
        })
        .collect();
    // Beside them, others go on.
    let other = loop {
        let other = new_key();
        if site.lock(&other) != site.lock(&key) {
            break other;
        }
    };
    site.create_at(&other, b"hat", Ttl::hours(1)).await;
    assert_eq!(site.value(&other).await.as_deref(), Some(&b"hat"[..]));
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]), "reading takes no lock");
    for update in updates {
        let refused = update.await.expect("no panic").expect_err("the lock is taken");
        assert!(matches!(refused, FileError::TimedOut), "{refused:?}");
    }
    // No thread still waits for the lock.
    let free = tokio::task::spawn_blocking(|| ()).await;
    assert!(free.is_ok());
}

fn hold(site: &Site, key: &Key) -> fs::File {
    let options =
        fs::OpenOptions::new().write(true).create(true).truncate(false).open(site.lock(key));
    let file = options.expect("the lock file");
    file.lock().expect("the lock");
    file
}

fn start_update(site: &Site, key: &Key, seen: FileRevision) -> JoinHandle<Update<FileRevision>> {
    let (store, key) = (site.store.clone(), key.clone());
    tokio::spawn(async move {
        store.update(&key, b"hat", Ttl::hours(1), &seen).await.expect("the store answers")
    })
}

/// Whether the work tries to take the lock, before it ends: then this process has the file open
/// twice.
async fn waits_for<T>(lock: &fs::File, work: &JoinHandle<T>) -> bool {
    let inode = lock.metadata().expect("its metadata").ino();
    while !work.is_finished() {
        let open = fs::read_dir("/proc/self/fd").expect("the list of files").flatten();
        let open = open.filter_map(|entry| fs::metadata(entry.path()).ok());
        if open.filter(|file| file.ino() == inode).count() > 1 {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
