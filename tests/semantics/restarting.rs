//! `restart`: the sign-out that leaves something behind.

use cloakroom::Ttl;
use http::StatusCode;

use crate::site::{ADA, Account, Customer, Elsewhere, Sent, Site, close, request};
use crate::support::watched::Op;

fn sign_out_with_a_message(session: &mut Customer) {
    session.n = 99;
    session.restart();
    session.note = "goodbye".into();
}

fn message() -> Option<Account> {
    Some(Account { note: "goodbye".into(), ..Account::default() })
}

#[tokio::test]
async fn a_restart_begins_a_new_session_with_what_was_written_after_it() {
    let site = Site::new();
    let ada = site.ada().await;
    site.advance(Ttl::minutes(90));
    let answer = request(&site, &ada, sign_out_with_a_message).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(answer.max_age(), Some(24 * 3_600));
    let session = site.open(&answer.cookies()).await;
    assert_eq!(session.created_at(), Some(site.clock.now()));
    assert_eq!(site.account(&answer.cookies()).await, message());
    assert_eq!(site.account(&ada).await, None);
    assert_eq!(site.records_from_before().await, 0);
}

#[tokio::test]
async fn a_restarted_session_is_new_to_its_handler() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    session.restart();
    assert_eq!(*session, Account::default());
    assert!(session.is_new() && session.id().is_none() && session.created_at().is_none());
    session.user = "bob".into();
    session.save().await.expect("saved");
    session.n += 1;
    let answer = close(session).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    let account = site.account(&answer.cookies()).await.expect("lives");
    assert_eq!((&*account.user, account.n), ("bob", 1));
}

#[tokio::test]
async fn a_reload_after_a_restart_brings_nothing_of_the_old_session_back() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    session.restart();
    session.reload().await.expect("nothing is stored of the new session");
    assert_eq!(*session, Account::default());
    session.note = "goodbye".into();
    session.reload().await.expect("nothing is stored of the new session");
    let answer = close(session).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(site.account(&answer.cookies()).await, message());
    assert_eq!(site.account(&ada).await, None);
    assert_eq!(site.records_from_before().await, 0);
}

/// The session that began anew belongs to another person, or to none.
#[tokio::test]
async fn the_id_from_before_a_restart_does_not_lead_to_what_began_after_it() {
    let acts: [fn(&mut Customer); 4] = [
        |session| session.destroy(),
        |session| session.rotate(),
        |session| session.sign_in(),
        |session| session.restart(),
    ];
    for act in acts {
        for is_late in [false, true] {
            let site = Site::new();
            let ada = site.ada().await;
            let mut other = site.open(&ada).await;
            let restarted = request(&site, &ada, sign_out_with_a_message).await.cookies();
            if is_late {
                other = site.open(&ada).await;
            }
            act(&mut other);
            close(other).await;
            assert_eq!(site.account(&restarted).await, message(), "late: {is_late}");
        }
    }
}

#[tokio::test]
async fn a_restart_ends_the_session_wherever_it_moved_meanwhile() {
    for elsewhere in [Elsewhere::Rotated, Elsewhere::SignedIn] {
        for is_late in [false, true] {
            let site = Site::new();
            let ada = site.ada().await;
            let mut signing_out = site.open(&ada).await;
            let moved_to = elsewhere.happens(&site, &ada).await;
            if is_late {
                signing_out = site.open(&ada).await;
            }
            sign_out_with_a_message(&mut signing_out);
            let answer = close(signing_out).await;
            let story = format!("{elsewhere:?}, late: {is_late}");
            answer.assert(StatusCode::OK, Sent::Cookie);
            assert_eq!(site.account(&moved_to).await, None, "{story}");
            assert_eq!(site.records_from_before().await, 0, "{story}");
            assert_eq!(site.account(&answer.cookies()).await, message(), "{story}");
        }
    }
}

#[tokio::test]
async fn a_restart_begins_a_new_session_though_the_old_one_has_ended_meanwhile() {
    for elsewhere in [Elsewhere::Destroyed, Elsewhere::Restarted, Elsewhere::Evicted] {
        let site = Site::new();
        let ada = site.ada().await;
        let mut signing_out = site.open(&ada).await;
        elsewhere.happens(&site, &ada).await;
        sign_out_with_a_message(&mut signing_out);
        let answer = close(signing_out).await;
        answer.assert(StatusCode::OK, Sent::Cookie);
        assert_eq!(site.account(&answer.cookies()).await, message(), "{elsewhere:?}");
    }
}

#[tokio::test]
async fn a_restart_is_not_undone_by_a_rotation_of_another_tab_that_closes_first() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut signing_out = site.open(&ada).await;
    let mut other_tab = site.open(&ada).await;
    other_tab.n += 1;
    other_tab.rotate();
    let rotated = close(other_tab).await;
    rotated.assert(StatusCode::OK, Sent::Cookie);

    sign_out_with_a_message(&mut signing_out);
    let answer = close(signing_out).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(site.account(&rotated.cookies()).await, None);
    let browser = answer.after(&rotated.after(&ada));
    assert_eq!(site.account(&browser).await, message());
    assert_eq!(site.records_from_before().await, 0);
}

#[tokio::test]
async fn a_rotation_that_meets_a_restart_which_closed_first_is_refused() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut other_tab = site.open(&ada).await;
    let restarted = request(&site, &ada, sign_out_with_a_message).await;
    other_tab.n += 1;
    other_tab.rotate();
    close(other_tab).await.assert(StatusCode::CONFLICT, Sent::Nothing);
    assert_eq!(site.account(&restarted.cookies()).await, message());
    assert_eq!(site.records_from_before().await, 0);
}

/// Another tab's merge of unchanged fields must not bring back what ended.
#[tokio::test]
async fn a_change_of_another_tab_reaches_neither_the_old_session_nor_the_new_one() {
    for restarts_first in [false, true] {
        let site = Site::new();
        let ada = site.ada().await;
        let mut signing_out = site.open(&ada).await;
        let mut other_tab = site.open(&ada).await;
        other_tab.user = ADA.into();
        other_tab.n = 7;
        sign_out_with_a_message(&mut signing_out);
        let (answer, other) = if restarts_first {
            let answer = close(signing_out).await;
            (answer, close(other_tab).await)
        } else {
            let other = close(other_tab).await;
            (close(signing_out).await, other)
        };
        other.assert(StatusCode::OK, Sent::Nothing);
        answer.assert(StatusCode::OK, Sent::Cookie);
        assert_eq!(site.account(&answer.cookies()).await, message());
        assert_eq!(site.records_from_before().await, 0);
    }
}

#[tokio::test]
async fn a_restart_of_a_loaded_session_costs_two_calls() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    assert_eq!(site.calls(), [Op::Load]);
    sign_out_with_a_message(&mut session);
    close(session).await;
    let mut calls = site.calls();
    calls.sort_by_key(|op| *op == Op::Update);
    assert_eq!(calls, [Op::Create, Op::Update], "in either order");
}
