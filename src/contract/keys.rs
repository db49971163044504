//! A key stands for one record.

use std::sync::Arc;

use super::Harness;
use super::steps::{
    Entry, LONG, assert_absent, assert_created, assert_handed_out, assert_holds, assert_updated,
    id, prefix,
};
use crate::id::{IdLength, SessionId};
use crate::store::{Key, KeyPrefix, Store};

/// A key that another one begins with, and keys with the same prefix, each have
/// a record of their own.
pub async fn keys_that_share_a_beginning_are_told_apart<H: Harness>(harness: Arc<H>) {
    let short = id(IdLength::MIN);
    let beginning = prefix(format!("contract:{}", short.as_str()));
    let keys = [
        Key::plain(&prefix("contract:"), &short),
        Key::plain(&beginning, &id(IdLength::MIN)),
        Key::plain(&beginning, &id(IdLength::MIN)),
        Key::plain(&beginning, &id(IdLength::MAX)),
    ];
    assert_told_apart(harness.store(), &keys).await;
}

/// Keys that differ in upper and lower case each have a record of their own.
pub async fn keys_that_differ_in_case_are_told_apart<H: Harness>(harness: Arc<H>) {
    let id = id(IdLength::default());
    let keys = ["contract:cart:", "contract:Cart:", "contract:CART:"]
        .map(|text| Key::plain(&prefix(text), &id));
    assert_told_apart(harness.store(), &keys).await;
}

/// Any visible ASCII character may stand in a key, and is not taken for
/// another one, a path, a pattern or a command.
pub async fn every_visible_character_may_stand_in_a_key<H: Harness>(harness: Arc<H>) {
    let id = id(IdLength::default());
    let characters = (b'!'..=b'~').map(|c| format!("contract:{}:", char::from(c)));
    let phrases = ["../", "../../", "./", "a/../", "//", "%2F", "%s", "%%", "';--", "\\'", "$(a)"]
        .map(|phrase| format!("contract:{phrase}:"));
    let at_the_start = ["", "/", "../", ".", "-", "~", "$"].map(str::to_owned);
    let keys: Vec<Key> = characters
        .chain(phrases)
        .chain(at_the_start)
        .map(|text| Key::plain(&prefix(text), &id))
        .collect();
    assert_told_apart(harness.store(), &keys).await;
}

/// Two keys of 150 bytes that differ in the last one only each have a record of
/// their own.
pub async fn the_longest_keys_are_told_apart_to_their_end<H: Harness>(harness: Arc<H>) {
    let prefix = prefix(format!("{:->width$}", "contract:", width = KeyPrefix::MAX));
    let id = id(IdLength::MAX);
    let (beginning, _) = id.as_str().split_at(id.as_str().len() - 1);
    // 64 bytes leave two bits for the last character.
    let keys = ["A", "Q", "g", "w"].map(|last| longest_key(&prefix, beginning, last));
    assert_told_apart(harness.store(), &keys).await;
}

fn longest_key(prefix: &KeyPrefix, beginning: &str, last: &str) -> Key {
    let mut id = SessionId::BLANK;
    assert!(id.read(&format!("{beginning}{last}"), IdLength::MAX), "an id of 64 bytes");
    let key = Key::plain(prefix, &id);
    assert_eq!(key.as_str().len(), Key::MAX);
    key
}

/// Checks that what happens under one key happens under no other.
async fn assert_told_apart(store: &impl Store, keys: &[Key]) {
    let entries: Vec<_> = keys.iter().map(|key| Entry::of(store, key.clone())).collect();
    let value = |n: usize| format!("cart {n}").into_bytes();
    let mut seen = Vec::new();
    for (n, entry) in entries.iter().enumerate() {
        seen.push(assert_created(entry.create(&value(n), LONG).await));
    }
    for (n, entry) in entries.iter().enumerate() {
        assert_holds(entry.load().await, &value(n));
        assert_updated(entry.update(&value(n + 1_000), LONG, &seen[n]).await);
    }
    for (n, entry) in entries.iter().enumerate() {
        assert_handed_out(entry.remove().await, &value(n + 1_000));
        assert_absent(entry.load().await);
    }
}
