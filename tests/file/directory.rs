//! The directory, and the rights of users in it.

use std::error::Error;
use std::fs::{self, Permissions};
use std::future::Future;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cloakroom::store::FileError;
use cloakroom::{File, Store, Sweep, Ttl};
use tempfile::TempDir;

use crate::site::{Site, new_key, permissions, write_file};

#[test]
fn making_a_store_makes_its_directory_and_leaves_it_empty() {
    let site = Site::with(|store| store.threshold(7).mode(0o640).expect("a mode"));
    assert_eq!(permissions(&site.directory()), 0o700);
    assert!(site.files().is_empty());
}

#[test]
fn a_directory_that_cannot_be_used_is_an_error_when_the_store_is_made() {
    let parent = TempDir::new().expect("a temporary directory");
    let place = |name: &str| parent.path().join(name);
    write_file(&place("file"), b"not a directory");
    symlink(parent.path(), place("link")).expect("a link");
    fs::create_dir(place("shared")).expect("a directory");
    fs::set_permissions(place("shared"), Permissions::from_mode(0o770)).expect("its mode");
    for name in ["file", "file/sessions", "link"] {
        let refused = File::new(place(name)).expect_err(name);
        assert!(matches!(refused, FileError::Io { .. }), "{name}: {refused:?}");
    }
    let refused = File::new(place("shared")).expect_err("others can write to it");
    assert!(matches!(refused, FileError::SharedDirectory), "{refused:?}");
    // No user may make a file here, not even root.
    let refused = File::new("/proc/self/sessions").expect_err("no directory can be made there");
    assert!(matches!(refused, FileError::Io { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_directory_that_was_removed_is_made_again() {
    let site = Site::new();
    fs::remove_dir(site.directory()).expect("it is empty");
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]));
    assert_eq!(permissions(&site.directory()), 0o700);
}

#[tokio::test]
async fn the_directory_and_its_files_are_private() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    assert_eq!(permissions(&site.directory()), 0o700);
    assert_eq!(permissions(&site.place(&key)), 0o600);
    for entry in fs::read_dir(site.directory()).expect("the directory") {
        assert_eq!(permissions(&entry.expect("an entry").path()), 0o600);
    }
}

#[tokio::test]
async fn directories_above_are_made_private_as_well() {
    let parent = TempDir::new().expect("a temporary directory");
    let above = parent.path().join("shop");
    let store = File::new(above.join("sessions")).expect("a directory");
    assert_eq!(store.sweep().await.expect("an empty directory"), 0);
    assert_eq!(permissions(&above), 0o700);
    assert_eq!(permissions(&above.join("sessions")), 0o700);
}

#[tokio::test]
async fn a_record_has_the_mode_that_was_asked_for() {
    for mode in [0o640, 0o604, 0o644] {
        let site = Site::with(|store| store.mode(mode).expect("a mode"));
        let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
        assert_eq!(permissions(&site.place(&key)), mode);
        let _ = site.update(&key, b"hat", &seen).await;
        assert_eq!(permissions(&site.place(&key)), mode, "after an update");
    }
}

#[test]
fn a_mode_that_lets_others_write_is_refused() {
    for mode in [0o660, 0o606, 0o666, 0o620, 0o602, 0o400, 0o200, 0o700, 0o610, 0o4600, 0, u32::MAX]
    {
        let refused = Site::new().store.mode(mode).expect_err("a dangerous mode");
        assert!(matches!(refused, FileError::InvalidMode), "{mode:o}");
    }
}

#[tokio::test]
async fn a_directory_that_others_can_write_to_is_refused() {
    for mode in [0o770, 0o720, 0o707, 0o702, 0o1777] {
        let site = Site::new();
        fs::set_permissions(site.directory(), Permissions::from_mode(mode)).expect("its mode");
        for refused in faults_of_every_operation(&site.store).await {
            assert!(matches!(refused, FileError::SharedDirectory), "{mode:o}: {refused:?}");
        }
        assert!(site.files().is_empty());
    }
}

#[tokio::test]
async fn a_directory_that_others_can_only_read_is_used() {
    let site = Site::new();
    fs::set_permissions(site.directory(), Permissions::from_mode(0o755)).expect("its mode");
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]));
    assert_eq!(permissions(&site.directory()), 0o755);
}

#[tokio::test]
async fn a_link_in_the_directorys_place_is_refused() {
    let site = Site::new();
    fs::create_dir(site.outside("elsewhere")).expect("a directory");
    fs::remove_dir(site.directory()).expect("it is empty");
    symlink(site.outside("elsewhere"), site.directory()).expect("a link");
    for refused in faults_of_every_operation(&site.store).await {
        assert!(matches!(refused, FileError::Io { .. }), "{refused:?}");
    }
    let elsewhere = fs::read_dir(site.outside("elsewhere")).expect("the directory");
    assert_eq!(elsewhere.count(), 0);
}

#[tokio::test]
async fn a_fault_names_neither_path_nor_key() {
    let site = Site::new();
    fs::remove_dir(site.directory()).expect("it is empty");
    write_file(&site.directory(), b"not a directory");
    for fault in faults_of_every_operation(&site.store).await {
        let source = fault.source().expect("what the system said");
        let text = format!("{fault} {fault:?} {source}");
        assert!(!text.contains('/') && !text.contains("sessions"), "{text}");
    }
}

#[test]
fn without_a_tokio_runtime_there_is_an_error_and_no_panic() {
    let site = Site::new();
    let key = new_key();
    let load = pin!(site.store.load(&key, None));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(load.poll(&mut context), Poll::Ready(Err(FileError::NoRuntime))));
}

async fn faults_of_every_operation(store: &File) -> [FileError; 5] {
    let (key, ttl) = (new_key(), Ttl::hours(1));
    let site = Site::new();
    let (_, seen) = site.create(b"", ttl).await;
    [
        store.load(&key, None).await.map(drop).expect_err("load"),
        store.create(&key, b"", ttl).await.map(drop).expect_err("create"),
        store.update(&key, b"", ttl, &seen).await.map(drop).expect_err("update"),
        store.remove(&key).await.map(drop).expect_err("remove"),
        store.sweep().await.map(drop).expect_err("sweep"),
    ]
}
