//! Fields in the extension block of a record that a newer version of this library wrote.

use http::HeaderMap;

use crate::site::{Change, Site, request};

/// Where a record has the length of its extension block.
const BLOCK: usize = 26;
/// A field of a kind that a program need not know, and one without bytes.
const FIELDS: [u8; 8] = [7, 0, 2, b'a', b'b', 127, 0, 0];
/// A field of a kind that a program has to know.
const MANDATORY: [u8; 4] = [128, 0, 1, b'a'];

/// A browser whose session has these fields.
async fn browser_with(site: &Site, fields: &[u8]) -> HeaderMap {
    let ada = site.ada().await;
    let [record] = &site.records().await[..] else { panic!("one record") };
    let (head, rest) = record.split_at(BLOCK);
    let data = rest.strip_prefix(&[0, 0]).expect("no extensions");
    let length = [0, u8::try_from(fields.len()).expect("few")];
    site.overwrite_all(&[head, &length, fields, data].concat()).await;
    ada
}

/// The extension block of the one session, which may have left a note elsewhere.
async fn fields(site: &Site) -> Vec<u8> {
    let records = site.records().await;
    let is_note = |record: &[u8]| record[1] & (2 | 4) != 0;
    let sessions: Vec<_> = records.iter().filter(|record| !is_note(record)).collect();
    let [record] = sessions[..] else { panic!("one session: {records:?}") };
    let length = usize::from(u16::from_be_bytes([record[BLOCK], record[BLOCK + 1]]));
    record[BLOCK + 2..][..length].to_vec()
}

#[tokio::test]
async fn fields_that_the_program_need_not_know_outlive_its_writes() {
    let changes: [Change; 3] = [
        |session| session.n += 1,
        |session| session.rotate(),
        |session| session.set_permanent(false),
    ];
    for change in changes {
        let site = Site::new();
        let ada = browser_with(&site, &FIELDS).await;
        let cookies = request(&site, &ada, change).await.after(&ada);
        assert_eq!(fields(&site).await, FIELDS);
        assert!(site.account(&cookies).await.is_some());
    }
}

#[tokio::test]
async fn fields_that_the_program_need_not_know_outlive_an_update_and_a_merge() {
    let site = Site::new();
    let ada = browser_with(&site, &FIELDS).await;
    let mut behind = site.open(&ada).await;
    let mut session = site.open(&ada).await;
    session.update(|account| account.n += 1).await.expect("updated");
    behind.note = "kept".into();
    behind.save().await.expect("merged");
    assert_eq!(fields(&site).await, FIELDS);
    let account = site.account(&ada).await.expect("signed in");
    assert_eq!((account.n, account.note.as_str()), (2, "kept"));
}

#[tokio::test]
async fn fields_that_the_program_does_not_know_end_where_rights_change() {
    let changes: [Change; 2] = [|session| session.sign_in(), |session| session.restart()];
    for change in changes {
        let site = Site::new();
        let ada = browser_with(&site, &FIELDS).await;
        request(&site, &ada, change).await;
        assert!(fields(&site).await.is_empty());
    }
}

#[tokio::test]
async fn a_record_with_a_field_that_the_program_has_to_know_is_left_as_it_is() {
    let site = Site::new();
    let ada = browser_with(&site, &MANDATORY).await;
    assert!(site.open(&ada).await.is_unreadable());
    request(&site, &ada, |session| session.n += 1).await;
    assert_eq!(fields(&site).await, MANDATORY);
}
