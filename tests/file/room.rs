//! The threshold, and the sweep.

use std::time::Duration;

use cloakroom::{File, Store, Sweep, Ttl};

use crate::log::Log;
use crate::site::{Site, new_key, record_file, temporary_file, write_file};

#[tokio::test]
async fn a_sweep_removes_what_is_expired_and_nothing_else() {
    let site = Site::new();
    for _ in 0..100 {
        site.create(b"short", Ttl::seconds(1)).await;
    }
    let mut kept = Vec::new();
    for _ in 0..10 {
        kept.push(record_file(&site.create(b"long", Ttl::seconds(2)).await.0));
    }
    kept.sort();
    site.clock.advance(Duration::from_secs(1));
    assert_eq!(site.store.sweep().await.expect("the sweep"), 100);
    assert_eq!(site.files(), kept);
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
}

#[tokio::test]
async fn a_sweep_removes_what_killed_processes_left() {
    let site = Site::new();
    let (key, _) = site.create(b"cart", Ttl::hours(1)).await;
    for left in [&key, &new_key(), &new_key()] {
        write_file(&site.directory().join(temporary_file(left)), b"cloakrm\x01 half a reco");
    }
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0, "they are no records");
    assert_eq!(site.files(), [record_file(&key)]);
}

#[tokio::test]
async fn a_sweep_leaves_the_files_of_others() {
    let site = Site::with(|store| store.threshold(2));
    let mut others = vec![
        "notes.txt".to_owned(),
        // As other programs name files by their content.
        record_file(&new_key()),
        format!("{}.bak", record_file(&new_key())),
        record_file(&new_key()).to_uppercase(),
    ];
    for other in &others {
        write_file(&site.directory().join(other), &b"not a session ".repeat(10));
    }
    others.sort();
    site.clock.advance(Ttl::MAX.as_duration() * 2);
    assert_eq!(site.store.sweep().await.expect("the sweep"), 0);
    assert_eq!(site.files(), others);

    // Nor do they count as records, or make room for them.
    for _ in 0..2 {
        others.push(record_file(&site.create(b"cart", Ttl::hours(1)).await.0));
    }
    others.sort();
    assert_eq!(site.files(), others);
}

#[tokio::test]
async fn above_the_threshold_expired_records_go_first_and_then_those_nearest_to_their_expiry() {
    let site = Site::with(|store| store.threshold(20));
    let mut by_expiry = Vec::new();
    for seconds in [15, 2, 19, 1, 8, 13, 11, 18, 5, 4, 20, 9, 16, 7, 12, 3, 17, 10, 14, 6] {
        let (key, _) = site.create(b"", Ttl::seconds(seconds)).await;
        by_expiry.push((seconds, record_file(&key)));
    }
    by_expiry.sort();
    assert_eq!(site.files().len(), 20);

    // One is expired, and 18 are nine tenths: the next one goes as well.
    site.clock.advance(Duration::from_secs(1));
    let (key, _) = site.create(b"", Ttl::seconds(1)).await;
    let mut left: Vec<_> = by_expiry.drain(2..).map(|(_, file)| file).collect();
    left.push(record_file(&key));
    left.sort();
    assert_eq!(site.files(), left);
}

#[tokio::test]
async fn more_expired_records_than_needed_all_go() {
    let site = Site::with(|store| store.threshold(20));
    for _ in 0..15 {
        site.create(b"", Ttl::seconds(1)).await;
    }
    for _ in 0..5 {
        site.create(b"", Ttl::hours(1)).await;
    }
    site.clock.advance(Duration::from_secs(1));
    site.create(b"", Ttl::hours(1)).await;
    assert_eq!(site.files().len(), 6);
}

#[tokio::test]
async fn one_process_never_exceeds_the_threshold() {
    for threshold in [1, 2, 7, 30] {
        let site = Site::with(|store| store.threshold(threshold));
        let mut most = 0;
        for _ in 0..100 {
            let (key, _) = site.create(b"", Ttl::hours(1)).await;
            assert!(site.value(&key).await.is_some(), "the newest is there");
            most = most.max(site.files().len());
        }
        assert_eq!(most, threshold);
    }
}

#[tokio::test]
async fn there_is_no_threshold_by_default_and_0_is_none() {
    for site in [Site::new(), Site::with(|store| store.threshold(0))] {
        for _ in 0..1_000 {
            site.create(b"", Ttl::hours(2)).await;
        }
        assert_eq!(site.files().len(), 1_000);
    }
}

#[tokio::test]
async fn what_killed_processes_left_counts_and_goes_before_any_record() {
    let site = Site::with(|store| store.threshold(20));
    let mut kept = Vec::new();
    for _ in 0..10 {
        kept.push(record_file(&site.create(b"", Ttl::hours(1)).await.0));
    }
    for _ in 0..30 {
        write_file(&site.directory().join(temporary_file(&new_key())), b"cloakrm\x01 half a rec");
    }
    // A store that was made anew counts.
    let store = File::new(site.directory()).expect("a directory").threshold(20);
    let key = new_key();
    let _ = store.create(&key, b"", Ttl::hours(1)).await.expect("the store answers");
    kept.push(record_file(&key));
    kept.sort();
    assert_eq!(site.files(), kept);
}

#[test]
fn live_records_that_go_leave_a_warning_once_a_minute() {
    Log::of(async |log| {
        let site = Site::with(|store| store.threshold(10));
        for _ in 0..10 {
            site.create(b"", Ttl::hours(1)).await;
        }
        assert_eq!(log.take(), []);
        for _ in 0..20 {
            site.create(b"", Ttl::hours(1)).await;
        }
        let said = log.take();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].1.contains("users are signed out") && said[0].1.contains("threshold"));
        assert!(said[0].1.contains("removed=1 ") || said[0].1.contains("removed=2 "), "{said:?}");

        site.clock.advance(Duration::from_secs(59));
        site.create(b"", Ttl::hours(1)).await;
        assert_eq!(log.take(), []);
        site.clock.advance(Duration::from_secs(1));
        for _ in 0..2 {
            site.create(b"", Ttl::hours(1)).await;
        }
        let said = log.take();
        assert_eq!(said.len(), 1, "{said:?}");
        // All that went since the last one.
        assert!(said[0].1.contains("removed=2"), "{said:?}");
    });
}

#[test]
fn expired_records_that_go_leave_no_warning() {
    Log::of(async |log| {
        let site = Site::with(|store| store.threshold(10));
        for _ in 0..30 {
            site.create(b"", Ttl::seconds(1)).await;
            site.clock.advance(Duration::from_secs(2));
        }
        assert_eq!(log.take(), []);
    });
}

#[tokio::test]
async fn several_processes_exceed_the_threshold_by_a_tenth_each_at_most() {
    let site = Site::new();
    // Nothing but the directory is shared by stores that were made apart.
    let store = || File::new(site.directory()).expect("a directory").threshold(50);
    let stores = [(); 3].map(|()| store());
    let mut most = 0;
    for round in 0..100 {
        for store in &stores {
            let made = store.create(&new_key(), b"", Ttl::hours(1)).await;
            let _ = made.expect("the store answers");
            most = most.max(site.files().len());
        }
        assert!(most <= 50 + 2 * 5, "{most} records in round {round}");
    }
    assert!(most >= 50);
}

#[tokio::test]
async fn a_record_that_was_extended_is_not_the_first_to_go() {
    let site = Site::with(|store| store.threshold(10));
    let (key, _) = site.create(b"", Ttl::seconds(1)).await;
    for _ in 0..9 {
        site.create(b"", Ttl::minutes(1)).await;
    }
    let extended = site.store.load(&key, Some(Ttl::hours(1))).await.expect("the store answers");
    assert!(extended.is_some());
    for _ in 0..5 {
        site.create(b"", Ttl::minutes(2)).await;
    }
    assert!(site.value(&key).await.is_some());
    assert_eq!(site.files().len(), 10);
}
