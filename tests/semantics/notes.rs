//! What a session that ended or moved leaves in the store.

use cloakroom::{Renewal, Ttl};
use http::StatusCode;

use crate::site::{ADA, Change, Customer, Sent, Site, close, request};
use crate::support::watched::Op;

#[tokio::test]
async fn an_ended_session_leaves_a_note_without_data_for_a_minute() {
    let site = Site::new();
    let ada = site.ada().await;
    let answer = request(&site, &ada, |session| session.destroy()).await;
    answer.assert(StatusCode::OK, Sent::Removal);
    for millis in [0, 59_999] {
        site.advance_millis(millis);
        let records = site.records().await;
        assert_eq!(records.len(), 1, "{millis} ms later");
        let holds_ada = records[0].windows(ADA.len()).any(|bytes| bytes == ADA.as_bytes());
        assert!(!holds_ada && site.records_from_before().await == 0);
        assert_eq!(site.account(&ada).await, None);
    }
    site.advance_millis(1);
    assert_eq!(site.records().await.len(), 0);
}

#[tokio::test]
async fn a_note_is_not_kept_alive_by_loads_that_extend() {
    let acts: [fn(&mut Customer); 4] = [
        |session| session.destroy(),
        |session| session.rotate(),
        |session| session.sign_in(),
        |session| session.restart(),
    ];
    for act in acts {
        let site = Site::configured(|config| config.renewal(Renewal::EveryRequest));
        let ada = site.ada().await;
        let fresh = request(&site, &ada, act).await.cookies();
        // A restart without a change may or may not leave a session.
        let without_note = usize::from(!fresh.is_empty());
        for _ in 0..3 {
            site.advance_millis(19_000);
            assert_eq!(site.account(&ada).await, None);
            assert_eq!(site.records().await.len(), without_note + 1, "the note stands");
        }
        site.advance_millis(4_000);
        site.calls();
        assert_eq!(site.account(&ada).await, None);
        assert_eq!(site.records().await.len(), without_note, "older than a minute");
        assert_eq!(site.calls(), [Op::Load, Op::Remove]);
        // The note alone was removed.
        assert_eq!(site.open(&fresh).await.is_new(), without_note == 0);
    }
}

#[tokio::test]
async fn a_loaded_session_is_ended_by_one_call() {
    let site = Site::new();
    let ada = site.ada().await;
    request(&site, &ada, |session| session.destroy()).await;
    assert_eq!(site.calls(), [Op::Load, Op::Update]);
}

#[tokio::test]
async fn an_ended_note_leads_nowhere() {
    let acts: [(Change, StatusCode, Sent); 2] = [
        (|session| session.destroy(), StatusCode::OK, Sent::Removal),
        (|session| session.sign_in(), StatusCode::OK, Sent::Cookie),
    ];
    for (act, status, sent) in acts {
        let site = Site::new();
        let ada = site.ada().await;
        request(&site, &ada, |session| session.destroy()).await;
        let answer = request(&site, &ada, |session| {
            assert!(session.is_new());
            session.n = 5;
            act(session);
        });
        answer.await.assert(status, sent);
        assert_eq!(site.account(&ada).await, None);
        assert_eq!(site.records_from_before().await, 0);
    }
}

#[tokio::test]
async fn a_sign_out_that_is_repeated_while_its_note_stands_is_answered_the_same() {
    let site = Site::new();
    let ada = site.ada().await;
    let [mut one, mut other] = [site.open(&ada).await, site.open(&ada).await];
    one.destroy();
    other.destroy();
    close(one).await.assert(StatusCode::OK, Sent::Removal);
    close(other).await.assert(StatusCode::OK, Sent::Removal);
    let again = request(&site, &ada, |session| session.destroy()).await;
    again.assert(StatusCode::OK, Sent::Removal);
    assert_eq!(site.records_from_before().await, 0);
}

#[tokio::test]
async fn a_moved_note_is_there_for_a_minute() {
    let site = Site::new();
    let ada = site.ada().await;
    request(&site, &ada, |session| session.rotate()).await;
    assert_eq!(site.records().await.len(), 2);
    site.advance(Ttl::minutes(1));
    assert_eq!(site.records().await.len(), 1);
}
