//! `sign_in`: the handler has checked a credential, so it signs the user in, also
//! when the session of the request has ended or moved.

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use cloakroom::{
    Clock, Config, Memory, MessagePack, Session, SessionData, Sessions, Store, Ttl, Unsigned,
};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

use crate::site::{
    ADA, Account, Answer, Customer, Elsewhere, FROM_BEFORE, Sent, Site, close, request,
};
use crate::support::browser::send;

fn sign_in_as(user: &str) -> impl FnOnce(&mut Customer) {
    move |session| {
        session.user = user.to_owned();
        session.sign_in();
    }
}

fn only(user: &str) -> Account {
    Account { user: user.to_owned(), ..Account::default() }
}

#[tokio::test]
async fn a_sign_in_keeps_what_was_there_and_begins_the_absolute_timeout_anew() {
    let site = Site::new();
    let visitor = site.visitor().await;
    site.advance(Ttl::minutes(90));
    let answer = request(&site, &visitor, sign_in_as(ADA)).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(answer.max_age(), Some(24 * 3_600));

    let session = site.open(&answer.cookies()).await;
    assert_eq!((&*session.user, session.n, &*session.note), (ADA, 1, FROM_BEFORE));
    assert_eq!(session.created_at(), Some(site.clock.now()));
    assert_eq!(site.account(&visitor).await, None, "the old id is dead");
}

#[tokio::test]
async fn a_sign_in_keeps_the_change_that_another_request_makes_meanwhile() {
    let site = Site::new();
    let visitor = site.visitor().await;
    let mut signing_in = site.open(&visitor).await;
    request(&site, &visitor, |session| session.n = 7).await;
    sign_in_as(ADA)(&mut signing_in);
    let answer = close(signing_in).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    let account = site.account(&answer.cookies()).await.expect("signed in");
    assert_eq!((&*account.user, account.n), (ADA, 7));
}

#[tokio::test]
async fn who_signs_in_is_signed_in_though_the_session_has_ended_meanwhile() {
    for elsewhere in [Elsewhere::Destroyed, Elsewhere::Restarted, Elsewhere::Evicted] {
        for saves in [false, true] {
            let site = Site::new();
            let visitor = site.visitor().await;
            let mut session = site.open(&visitor).await;
            let held = elsewhere.happens(&site, &visitor).await;
            sign_in_as(ADA)(&mut session);
            if saves {
                session.save().await.expect("signed in");
            }
            let answer = close(session).await;
            assert_eq!((answer.status, answer.sent()), (StatusCode::OK, Sent::Cookie));
            let account = site.account(&answer.cookies()).await;
            assert_eq!(account, Some(only(ADA)), "{elsewhere:?}, saves: {saves}");
            assert_eq!(site.records_from_before().await, 0, "{elsewhere:?}, saves: {saves}");
            if elsewhere == Elsewhere::Restarted {
                let other = site.account(&held).await.expect("what another request began");
                assert_eq!((&*other.user, &*other.note), ("", "goodbye"));
            }
        }
    }
}

#[tokio::test]
async fn a_handler_that_signs_in_and_redirects_is_believed_though_the_record_has_gone() {
    let site = Site::new();
    let visitor = site.visitor().await;
    let elsewhere = site.clone();
    let sign_in = async move |mut session: Customer| {
        elsewhere.evict_all().await;
        sign_in_as(ADA)(&mut session);
        Redirect::to("/user")
    };
    let routes = Router::new()
        .route("/sign-in", get(sign_in))
        .route("/user", get(async |session: Customer| session.user.clone()));
    let router = routes.layer(site.sessions.layer());
    let reply = send(&router, "/sign-in", visitor).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    let signed_in = Answer { status: reply.status, headers: reply.headers }.cookies();
    assert_eq!(send(&router, "/user", signed_in).await.body, ADA);
}

#[tokio::test]
async fn an_update_after_a_sign_in_is_made_to_the_session_of_the_one_who_signed_in() {
    for (is_evicted, expected) in [(false, 2), (true, 1)] {
        let site = Site::new();
        let visitor = site.visitor().await;
        let mut session = site.open(&visitor).await;
        if is_evicted {
            site.evict_all().await;
        }
        sign_in_as(ADA)(&mut session);
        session.update(|account| account.n += 1).await.expect("signed in");
        let answer = close(session).await;
        answer.assert(StatusCode::OK, Sent::Cookie);
        let account = site.account(&answer.cookies()).await.expect("signed in");
        assert_eq!((&*account.user, account.n), (ADA, expected), "evicted: {is_evicted}");
        assert_eq!(site.account(&visitor).await, None);
    }
}

#[tokio::test]
async fn a_field_that_was_changed_back_to_its_default_is_a_change() {
    let site = Site::new();
    let ada = site.ada().await;
    let mut session = site.open(&ada).await;
    site.evict_all().await;
    (session.user, session.n) = ("bob".into(), 0);
    session.sign_in();
    let answer = close(session).await;
    assert_eq!(site.account(&answer.cookies()).await, Some(only("bob")));
}

#[tokio::test]
async fn two_sign_ins_at_once_on_one_session_are_two_sessions() {
    for is_late in [false, true] {
        let site = Site::new();
        let visitor = site.visitor().await;
        let mut second = site.open(&visitor).await;
        let first = request(&site, &visitor, sign_in_as("bob")).await;
        first.assert(StatusCode::OK, Sent::Cookie);
        if is_late {
            // It comes when the first has been answered already.
            second = site.open(&visitor).await;
        }
        sign_in_as("eve")(&mut second);
        let second = close(second).await;
        second.assert(StatusCode::OK, Sent::Cookie);

        let bob = site.account(&first.cookies()).await.expect("a sign-in ends no other");
        assert_eq!((&*bob.user, bob.n, &*bob.note), ("bob", 1, FROM_BEFORE), "late: {is_late}");
        let eve = site.account(&second.cookies()).await;
        assert_eq!(eve, Some(only("eve")), "nothing of the other's, late: {is_late}");
    }
}

#[tokio::test]
async fn a_sign_in_ends_what_rotations_made_of_the_id_that_it_came_with() {
    for rotations in [1, 3] {
        for is_late in [false, true] {
            let site = Site::new();
            let planted = site.visitor().await;
            let mut victim = site.open(&planted).await;
            let mut attacker = planted.clone();
            let mut held = Vec::new();
            for _ in 0..rotations {
                let rotated = request(&site, &attacker, |session| session.rotate()).await;
                attacker = rotated.cookies();
                held.push(attacker.clone());
            }
            if is_late {
                victim = site.open(&planted).await;
            }
            sign_in_as(ADA)(&mut victim);
            let answer = close(victim).await;
            answer.assert(StatusCode::OK, Sent::Cookie);
            let story = format!("{rotations} rotations, late: {is_late}");
            assert_eq!(site.account(&answer.cookies()).await, Some(only(ADA)), "{story}");
            for cookies in held.iter().chain([&planted]) {
                assert_eq!(site.account(cookies).await, None, "{story}");
            }
            assert_eq!(site.records_from_before().await, 0, "{story}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_leaves_alone_what_another_made_of_a_rotated_id() {
    for is_late in [false, true] {
        let site = Site::new();
        let visitor = site.visitor().await;
        let mut second = site.open(&visitor).await;
        let rotated = request(&site, &visitor, |session| session.rotate()).await.cookies();
        let first = request(&site, &rotated, sign_in_as("bob")).await;
        if is_late {
            second = site.open(&visitor).await;
        }
        sign_in_as("eve")(&mut second);
        let second = close(second).await;
        second.assert(StatusCode::OK, Sent::Cookie);
        let bob = site.account(&first.cookies()).await.expect("a sign-in ends no other");
        assert_eq!((&*bob.user, bob.n), ("bob", 1));
        assert_eq!(site.account(&second.cookies()).await, Some(only("eve")));
    }
}

#[tokio::test]
async fn an_id_from_before_a_sign_in_neither_reads_nor_writes_afterwards() {
    let site = Site::new();
    let planted = site.visitor().await;
    let signed_in = request(&site, &planted, sign_in_as(ADA)).await.cookies();
    assert_eq!(site.account(&planted).await, None);
    let late = request(&site, &planted, |session| session.n = 9).await;
    late.assert(StatusCode::OK, Sent::Nothing);
    let late = request(&site, &planted, |session| session.rotate()).await;
    late.assert(StatusCode::CONFLICT, Sent::Nothing);
    assert_eq!(site.account(&signed_in).await.expect("lives").n, 1);
}

#[tokio::test]
async fn a_sign_out_with_the_id_from_before_a_sign_in_ends_the_session() {
    for is_late in [false, true] {
        let site = Site::new();
        let visitor = site.visitor().await;
        let mut signing_out = site.open(&visitor).await;
        let signed_in = request(&site, &visitor, sign_in_as(ADA)).await.cookies();
        if is_late {
            signing_out = site.open(&visitor).await;
        }
        signing_out.destroy();
        close(signing_out).await.assert(StatusCode::OK, Sent::Removal);
        assert_eq!(site.account(&signed_in).await, None);
        assert_eq!(site.records_from_before().await, 0);
    }
}

type Whole<T> = Session<Memory, MessagePack<T>, Unsigned>;

fn whole<T>() -> Sessions<Memory, MessagePack<T>, Unsigned>
where
    T: SessionData,
{
    Config::new().store(Memory::new()).codec(MessagePack::<T>::new()).clock(Clock::manual()).build()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Stage {
    #[default]
    Anonymous,
    Shopping(u32),
    SignedIn,
}

/// Signs in with data that are one value, whose record has gone meanwhile.
async fn signs_in_without_a_record<T>(
    stored: T,
    act: impl FnOnce(&mut Whole<T>),
) -> (Answer, Sessions<Memory, MessagePack<T>, Unsigned>)
where
    T: SessionData,
{
    let sessions = whole::<T>();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    *session = stored;
    let cookies = close(session).await.cookies();
    let mut session = sessions.open(&cookies).await.expect("opened");
    let key = cloakroom::Key::hashed(
        &cloakroom::KeyPrefix::default(),
        "__Host-id",
        session.id().expect("stored"),
    );
    let Ok(removed) = sessions.store().remove(&key).await;
    assert!(removed.is_some());
    act(&mut session);
    session.sign_in();
    (close(session).await, sessions)
}

#[tokio::test]
async fn data_that_are_one_value_and_unchanged_are_the_default_after_a_sign_in_without_a_record() {
    let (answer, sessions) = signs_in_without_a_record(7_u32, |_| ()).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(*sessions.open(&answer.cookies()).await.expect("opened"), 0);

    let (answer, sessions) = signs_in_without_a_record(Stage::Shopping(7), |_| ()).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(*sessions.open(&answer.cookies()).await.expect("opened"), Stage::Anonymous);
}

#[tokio::test]
async fn data_that_are_one_value_and_changed_are_refused_by_a_sign_in_without_a_record() {
    let (answer, sessions) = signs_in_without_a_record(7_u32, |session| **session += 1).await;
    answer.assert(StatusCode::CONFLICT, Sent::Nothing);
    assert!(sessions.store().is_empty());

    let (answer, sessions) =
        signs_in_without_a_record(Stage::Shopping(7), |session| **session = Stage::SignedIn).await;
    answer.assert(StatusCode::CONFLICT, Sent::Nothing);
    assert!(sessions.store().is_empty());
}
