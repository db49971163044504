//! Which values a record may have.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    Entry, LONG, assert_absent, assert_created, assert_handed_out, assert_holds, assert_updated,
};
use crate::store::Store;

const MEBIBYTE: usize = 1 << 20;

/// A record with no bytes is a record: it is found, updated and handed out.
pub async fn an_empty_value_is_a_value<H: Harness>(harness: Arc<H>) {
    let entry = Entry::fresh(harness.store());
    let seen = assert_created(entry.create(b"", LONG).await);
    assert_holds(entry.load().await, b"");

    let seen = assert_updated(entry.update(b"cart", LONG, &seen).await);
    assert_updated(entry.update(b"", LONG, &seen).await);
    assert_holds(entry.extend(LONG).await, b"");

    assert_handed_out(entry.remove().await, b"");
    assert_absent(entry.load().await);
}

/// Each of the 256 bytes is kept wherever it stands, and what looks like text
/// or a number is kept as it is.
pub async fn every_byte_is_kept<H: Harness>(harness: Arc<H>) {
    let upward: Vec<u8> = (0..=u8::MAX).collect();
    let downward: Vec<u8> = (0..=u8::MAX).rev().collect();
    let values: [&[u8]; 8] =
        [&upward, &downward, b"\0", b"\xff\xfe", b"\r\n", b" 007 ", b"null", b"\\x00%00"];
    for value in values {
        let entry = Entry::fresh(harness.store());
        let seen = assert_created(entry.create(value, LONG).await);
        assert_holds(entry.load().await, value);
        assert_updated(entry.update(value, LONG, &seen).await);
        assert_holds(entry.extend(LONG).await, value);
        assert_handed_out(entry.remove().await, value);
    }
}

/// A value of 1 MiB is kept whole. A store may refuse it with a fault instead;
/// then the key is as free as it was, or the record before it stays.
pub async fn a_mebibyte_is_kept_whole_or_refused<H: Harness>(harness: Arc<H>) {
    let store = harness.store();
    let large: Vec<u8> = (0..MEBIBYTE).map(|i| (i % 251) as u8).collect();

    let new = Entry::fresh(store);
    if let Ok(answer) = store.create(&new.key, &large, LONG).await {
        assert_created(answer);
        assert_holds(new.load().await, &large);
    } else {
        assert_absent(new.load().await);
        assert_created(new.create(b"hat", LONG).await);
    }
    new.remove().await;

    let old = Entry::fresh(store);
    let seen = assert_created(old.create(b"cart", LONG).await);
    if let Ok(answer) = store.update(&old.key, &large, LONG, &seen).await {
        assert_updated(answer);
        assert_holds(old.load().await, &large);
    } else {
        assert_holds(old.load().await, b"cart");
        assert_updated(old.update(b"hat", LONG, &seen).await);
    }
    old.remove().await;
}
