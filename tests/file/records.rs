//! Records, and files that are not records.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use cloakroom::store::{Create, FileError, Update};
use cloakroom::{File, Store, Sweep, Ttl};
use tokio::sync::Barrier;

use crate::site::{Site, new_key, record_file, write_file};

#[tokio::test]
async fn a_record_is_one_file_named_by_the_hash_of_its_key() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    assert_eq!(site.files(), [record_file(&key)]);
    let bytes = fs::read(site.place(&key)).expect("the record");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains(key.as_str()), "the key is not in the file");
}

#[tokio::test]
async fn another_store_in_the_same_directory_sees_the_record() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let other = File::new(site.directory()).expect("a directory").clock(site.clock.clone());
    let loaded = other.load(&key, None).await.expect("the store answers").expect("a record");
    assert_eq!((loaded.value.as_slice(), loaded.revision), (&b"cart"[..], seen));
}

#[tokio::test]
async fn a_damaged_file_is_no_record_and_is_replaced() {
    let site = Site::new();
    let (key, _) = site.create(b"a cart and a hat", Ttl::hours(1)).await;
    let whole = fs::read(site.place(&key)).expect("the record");
    let mut damaged: Vec<_> = (0..whole.len()).map(|kept| whole[..kept].to_vec()).collect();
    damaged.push([&whole[..], b"\0"].concat());
    damaged.push(vec![0; whole.len()]);
    damaged
        .push(b"a file of another program, which is long enough to have a whole header".to_vec());
    damaged.extend((0..whole.len()).map(|at| {
        let mut changed = whole.clone();
        changed[at] ^= 0x80;
        changed
    }));

    for bytes in damaged {
        write_file(&site.place(&key), &bytes);
        assert_eq!(site.value(&key).await, None, "{bytes:?}");
        let seen = site.create(b"", Ttl::hours(1)).await.1;
        assert_eq!(site.update(&key, b"hat", &seen).await, Update::Gone, "{bytes:?}");
        site.create_at(&key, b"hat", Ttl::hours(1)).await;
        assert_eq!(site.value(&key).await.as_deref(), Some(&b"hat"[..]));

        write_file(&site.place(&key), &bytes);
        assert_eq!(site.remove(&key).await, None, "{bytes:?}");
        assert!(!site.place(&key).exists());
    }
}

#[tokio::test]
async fn a_record_that_was_copied_to_another_key_is_none() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    let other = new_key();
    fs::copy(site.place(&key), site.place(&other)).expect("a copy");
    assert_eq!(site.value(&other).await, None);
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]));
}

#[tokio::test]
async fn extending_postpones_the_expiry_and_keeps_the_revision() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::seconds(10)).await;
    site.clock.advance(Duration::from_secs(9));
    let loaded = site.store.load(&key, Some(Ttl::seconds(10))).await.expect("the store answers");
    assert_eq!(loaded.expect("a record").revision, seen);
    site.clock.advance(Duration::from_secs(9));
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]));
    assert!(matches!(site.update(&key, b"hat", &seen).await, Update::Updated(_)));
}

#[tokio::test]
async fn a_record_ends_with_the_millisecond() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::seconds(1)).await;
    site.clock.advance(Duration::from_millis(999));
    assert!(site.value(&key).await.is_some());
    site.clock.advance(Duration::from_millis(1));
    assert_eq!(site.value(&key).await, None);
    assert_eq!(site.update(&key, b"hat", &seen).await, Update::Gone);
    assert_eq!(site.remove(&key).await, None);
}

#[tokio::test]
async fn a_record_that_was_made_anew_has_a_new_revision() {
    let site = Site::new();
    let (key, first) = site.create(b"cart", Ttl::hours(1)).await;
    assert_eq!(site.remove(&key).await.as_deref(), Some(&b"cart"[..]));
    site.create_at(&key, b"cart", Ttl::hours(1)).await;
    assert_eq!(site.update(&key, b"hat", &first).await, Update::Conflict);
}

#[tokio::test]
async fn a_record_is_replaced_and_never_written_over() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let mut reader = fs::File::open(site.place(&key)).expect("the record");
    let inode = reader.metadata().expect("its metadata").ino();
    let before = fs::read(site.place(&key)).expect("the record");
    let _ = site.update(&key, b"hat", &seen).await;
    let _ = site.store.load(&key, Some(Ttl::days(1))).await.expect("the store answers");

    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut read).expect("the old file can be read");
    assert_eq!(read, before, "who reads it meanwhile has the whole old record");
    assert_ne!(fs::metadata(site.place(&key)).expect("the record").ino(), inode);
    assert_eq!(site.files(), [record_file(&key)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_concurrent_creates_one_wins() {
    const RIVALS: usize = 8;
    let site = Site::new();
    for _ in 0..40 {
        let (key, barrier) = (new_key(), Arc::new(Barrier::new(RIVALS)));
        let rivals: Vec<_> = (0..RIVALS as u8)
            .map(|rival| {
                let store = File::new(site.directory()).expect("a directory");
                let (key, barrier) = (key.clone(), barrier.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    let made = store.create(&key, &[rival], Ttl::hours(1)).await;
                    matches!(made.expect("the store answers"), Create::Created(_))
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (rival, task) in (0..).zip(rivals) {
            if task.await.expect("no panic") {
                winners.push(rival);
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(site.value(&key).await, Some(winners));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sweeping_disturbs_no_writer() {
    let site = Site::new();
    let sweeper = site.store.clone();
    let sweeping = tokio::spawn(async move {
        loop {
            assert_eq!(sweeper.sweep().await.expect("the sweep"), 0);
        }
    });
    let (key, mut seen) = site.create(b"", Ttl::hours(1)).await;
    for round in 0..1_000_u32 {
        seen = match site.update(&key, &round.to_le_bytes().repeat(1_000), &seen).await {
            Update::Updated(revision) => revision,
            other => panic!("{other:?} in round {round}"),
        };
    }
    assert!(!sweeping.is_finished(), "the sweeps went well");
    sweeping.abort();
}

#[tokio::test]
async fn a_file_that_is_too_long_is_no_record_and_is_not_read() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let file = fs::OpenOptions::new().write(true).open(site.place(&key)).expect("the record");
    // Without blocks on the disk, and more than any machine could hold.
    file.set_len(1 << 43).expect("a sparse file");
    assert_eq!(site.value(&key).await, None);
    assert_eq!(site.update(&key, b"hat", &seen).await, Update::Gone);
    site.create_at(&key, b"hat", Ttl::hours(1)).await;
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"hat"[..]));
}

#[tokio::test]
async fn a_value_that_is_too_long_is_an_error_and_the_record_stays() {
    let site = Site::new();
    let (key, seen) = site.create(b"cart", Ttl::hours(1)).await;
    let long = vec![0; (64 << 20) + 1];
    let refused = site.store.update(&key, &long, Ttl::hours(1), &seen).await;
    assert!(matches!(refused, Err(FileError::TooLarge)), "{refused:?}");
    let refused = site.store.create(&new_key(), &long, Ttl::hours(1)).await;
    assert!(matches!(refused, Err(FileError::TooLarge)), "{refused:?}");
    assert_eq!(site.value(&key).await.as_deref(), Some(&b"cart"[..]));
}
