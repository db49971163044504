//! What another user who could write to the directory left there.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use cloakroom::store::{FileError, Update};
use cloakroom::{Store, Sweep, Ttl};
use rustix::fs::{CWD, Mode, mkfifoat};
use tokio::runtime::Builder;

use crate::site::{Site, new_key, record_file, temporary_file, write_file};

#[tokio::test]
async fn a_planted_link_is_no_record_and_is_not_followed() {
    let site = Site::new();
    // What the link leads to is a perfect record, even of the right key.
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let target = site.outside("target");
    fs::rename(site.place(&key), &target).expect("the record is moved");
    let before = fs::read(&target).expect("the target");
    symlink(&target, site.place(&key)).expect("a link");

    assert_eq!(site.value(&key).await, None);
    let extended = site.store.load(&key, Some(Ttl::days(1))).await.expect("the store answers");
    assert!(extended.is_none());
    assert_eq!(site.update(&key, b"hat", &seen).await, Update::Gone);
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
    site.create_at(&key, b"hat", Ttl::hours(1)).await;
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"hat"[..]));
    assert!(is_regular(&site.place(&key)), "the link was replaced");
    assert_eq!(fs::read(&target).expect("the target"), before);

    fs::remove_file(site.place(&key)).expect("the record");
    symlink(&target, site.place(&key)).expect("a link");
    assert_eq!(site.remove(&key).await, None);
    assert!(site.files().is_empty(), "the link was removed");
    assert_eq!(fs::read(&target).expect("the target"), before);
}

#[tokio::test]
async fn a_planted_link_to_nowhere_makes_no_file_there() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    fs::remove_file(site.place(&key)).expect("the record");
    symlink(site.outside("nowhere"), site.place(&key)).expect("a link");
    site.create_at(&key, b"hat", Ttl::hours(1)).await;
    assert!(!site.outside("nowhere").exists());
}

#[test]
fn a_planted_pipe_blocks_no_request() {
    promptly(async {
        let site = Site::new();
        let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
        fs::remove_file(site.place(&key)).expect("the record");
        make_pipe(&site.place(&key));

        assert_eq!(site.value(&key).await, None);
        assert_eq!(site.update(&key, b"hat", &seen).await, Update::Gone);
        assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
        site.create_at(&key, b"hat", Ttl::hours(1)).await;
        assert_eq!(site.value(&key).await.as_deref(), Some(&b"hat"[..]));

        fs::remove_file(site.place(&key)).expect("the record");
        make_pipe(&site.place(&key));
        assert_eq!(site.remove(&key).await, None);
        assert!(site.files().is_empty(), "the pipe was removed");
    });
}

#[tokio::test]
async fn a_pipe_that_gives_a_perfect_record_is_none() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    let record = fs::read(site.place(&key)).expect("the record");
    fs::remove_file(site.place(&key)).expect("the record");
    make_pipe(&site.place(&key));
    let mut pipe = fs::OpenOptions::new().read(true).write(true).open(site.place(&key));
    pipe.as_mut().expect("the pipe").write_all(&record).expect("a pipe has room");
    assert_eq!(site.value(&key).await, None);
    site.create_at(&key, b"hat", Ttl::hours(1)).await;
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"hat"[..]));
}

#[tokio::test]
async fn a_directory_in_a_records_place_is_no_record_and_stays() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    fs::remove_file(site.place(&key)).expect("the record");
    fs::create_dir(site.place(&key)).expect("a directory");
    assert_eq!(site.value(&key).await, None);
    assert_eq!(site.update(&key, b"hat", &seen).await, Update::Gone);
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
    let refused = site.store.create(&key, b"hat", Ttl::hours(1)).await;
    assert!(matches!(refused, Err(FileError::Io { .. })), "{refused:?}");
    assert_eq!(site.files(), [record_file(&key)], "nothing half written is left");
}

#[tokio::test]
async fn a_planted_socket_is_no_record() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    fs::remove_file(site.place(&key)).expect("the record");
    // A socket's path is short, so it is made elsewhere and moved.
    let _listener = UnixListener::bind(site.outside("socket")).expect("a socket");
    fs::rename(site.outside("socket"), site.place(&key)).expect("the socket is moved");
    assert_eq!(site.value(&key).await, None);
    site.create_at(&key, b"hat", Ttl::hours(1)).await;
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"hat"[..]));
}

#[tokio::test]
async fn a_planted_lock_is_a_fault_and_no_file_is_made_where_it_leads() {
    let site = Site::new();
    let nowhere = site.outside("nowhere");
    let plants: [&dyn Fn(&Path); 3] = [
        &|lock| symlink(&nowhere, lock).expect("a link"),
        &|lock| fs::create_dir(lock).expect("a directory"),
        &make_pipe,
    ];
    for plant in plants {
        let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
        let lock = site.lock(&key);
        fs::remove_file(&lock).expect("the lock");
        plant(&lock);
        let refused = [
            site.store.create(&key, b"", Ttl::hours(1)).await.map(drop),
            site.store.update(&key, b"", Ttl::hours(1), &seen).await.map(drop),
            site.store.load(&key, Some(Ttl::hours(1))).await.map(drop),
            site.store.remove(&key).await.map(drop),
        ];
        for refused in refused {
            assert!(matches!(refused, Err(FileError::InvalidLock)), "{refused:?}");
        }
        assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]), "reading takes no lock");
        fs::remove_file(&lock).or_else(|_| fs::remove_dir(&lock)).expect("the planted lock");
    }
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn a_planted_temporary_file_is_removed_and_not_followed() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    let target = site.outside("target");
    write_file(&target, b"untouched");
    symlink(&target, site.directory().join(temporary_file(&key))).expect("a link");
    make_pipe(&site.directory().join(temporary_file(&new_key())));
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
    assert_eq!(site.files(), [record_file(&key)]);
    assert_eq!(fs::read(&target).expect("the target"), b"untouched");
}

fn make_pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR).expect("a pipe");
    assert!(fs::symlink_metadata(path).expect("the pipe").file_type().is_fifo());
}

fn is_regular(path: &Path) -> bool {
    fs::symlink_metadata(path).expect("it is there").is_file()
}

/// Fails, and does not hang, when the work does.
fn promptly(work: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let ended =
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), work).await });
    runtime.shutdown_background();
    ended.expect("nothing waits for the other end of a pipe");
}
