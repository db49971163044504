//! Which operations wait for each other. The tests see in Linux's list of locks that an
//! operation waits.

use std::fs;
use std::os::unix::fs::MetadataExt;

use cloakroom::store::{FileRevision, Update};
use cloakroom::{Key, Store, Sweep, Ttl};
use tokio::task::JoinHandle;

use crate::site::{Site, temporary_file, write_file};

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
    let store = site.store.clone();
    let sweep = tokio::spawn(async move { store.sweep().await.expect("the sweep") });
    assert!(waits_for(&held, &sweep).await);
    assert!(temporary.exists());
    drop(held);
    sweep.await.expect("no panic");
    assert!(!temporary.exists());
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

/// Whether the work comes to wait for the lock, before it ends.
async fn waits_for<T>(lock: &fs::File, work: &JoinHandle<T>) -> bool {
    let inode = format!(":{} ", lock.metadata().expect("its metadata").ino());
    while !work.is_finished() {
        let locks = fs::read_to_string("/proc/locks").expect("the list of locks");
        if locks.lines().any(|line| line.contains("-> FLOCK") && line.contains(&inode)) {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}
