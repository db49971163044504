//! Which cookie the browser holds, and which session it leads to.

use std::time::Duration;

use cloakroom::{
    Clock, Codec, Config, Cookie, Error, HmacSha256, Json, Key, KeyPrefix, Memory, MessagePack,
    Renewal, SecretKey, Sessions, Store, Unsigned, cookie_name,
};
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};

use crate::journal::Journal;
use crate::visitor::{Account, Sent, Visitor};

#[tokio::test]
async fn a_rotated_session_has_a_fresh_id_and_the_old_one_is_dead() {
    let mut visitor = Visitor::returning().await;
    let old_cookies = visitor.cookies.clone();
    let mut session = visitor.open().await;
    let old_id = session.id().expect("stored").clone();
    session.user = Some("ada".to_owned());
    session.rotate();

    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["load", "create", "update"]);

    let session = visitor.open().await;
    assert_ne!(session.id(), Some(&old_id));
    assert_eq!((session.visits, session.user.as_deref()), (1, Some("ada")));

    visitor.cookies = old_cookies;
    let mut late = visitor.open().await;
    assert!(late.is_new());
    let _: &mut Account = &mut late;
    assert_eq!(
        visitor.close(late).await,
        Sent::Nothing,
        "the browser is about to get the new cookie"
    );
}

#[tokio::test]
async fn a_session_rotated_without_a_change_keeps_its_data_and_its_age() {
    let mut visitor = Visitor::returning().await;
    let created_at = visitor.open().await.created_at();
    visitor.clock.advance(Duration::from_secs(60));
    let mut session = visitor.open().await;
    session.rotate();
    visitor.close(session).await;

    let session = visitor.open().await;
    assert_eq!((session.visits, session.created_at()), (1, created_at));
}

#[tokio::test]
async fn a_session_that_signs_in_without_a_change_keeps_its_data_and_is_as_new() {
    let mut visitor = Visitor::returning().await;
    let old = visitor.cookies.clone();
    visitor.clock.advance(Duration::from_secs(60));
    let mut session = visitor.open().await;
    session.sign_in();
    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["load", "create", "update"]);

    let session = visitor.open().await;
    assert_eq!((session.visits, session.created_at()), (1, Some(visitor.clock.now())));
    visitor.cookies = old;
    assert!(visitor.open().await.is_new());
}

/// What this request read of the session that is gone is not in the one that begins.
#[tokio::test]
async fn a_sign_in_after_a_refused_save_keeps_the_changes_and_nothing_else() {
    for changes in [false, true] {
        let mut visitor = Visitor::returning().await;
        let mut session = visitor.open().await;
        let mut logout = visitor.open().await;
        logout.destroy();
        visitor.close(logout).await;
        if changes {
            session.user = Some("ada".to_owned());
        }
        assert!(matches!(session.save().await, Err(Error::Ended)));
        session.sign_in();
        assert_eq!(visitor.close(session).await, Sent::Cookie);

        let session = visitor.open().await;
        assert!(!session.is_new());
        assert_eq!((session.visits, session.user.is_some()), (0, changes));
    }
}

#[tokio::test]
async fn a_logout_with_the_id_from_before_a_rotation_ends_the_session() {
    let mut visitor = Visitor::returning().await;
    let mut early_logout = visitor.open().await;
    let mut signing_in = visitor.open().await;
    signing_in.rotate();
    visitor.close(signing_in).await;
    let old_cookies = visitor.cookies.clone();

    early_logout.destroy();
    assert_eq!(visitor.close(early_logout).await, Sent::Removal);
    visitor.cookies = old_cookies;
    assert!(visitor.open().await.is_new());
}

#[tokio::test]
async fn a_logout_follows_many_rotations_or_says_that_it_could_not() {
    for rotations in [1, 9, 64, 100] {
        let mut visitor = Visitor::returning().await;
        let mut logout = visitor.open().await;
        for _ in 0..rotations {
            let mut rotating = visitor.open().await;
            rotating.rotate();
            assert_eq!(visitor.close(rotating).await, Sent::Cookie);
        }
        logout.destroy();
        if let Err(error) = logout.save().await {
            assert!(matches!(error, Error::Contended), "{error}");
            assert!(!visitor.open().await.is_new());
            logout.save().await.expect("the second attempt goes on where the first gave up");
        }
        assert!(visitor.open().await.is_new(), "after {rotations} rotations");
        assert_eq!(visitor.close(logout).await, Sent::Removal);
    }
}

#[tokio::test]
async fn an_id_that_leads_nowhere_stays_in_the_browser() {
    let mut visitor = Visitor::new();
    visitor
        .cookies
        .insert(COOKIE, format!("__Host-id={}", "A".repeat(43)).parse().expect("header"));
    let session = visitor.open().await;
    assert!(session.is_new());

    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.calls(), ["load"]);

    let mut logout = visitor.open().await;
    logout.destroy();
    assert_eq!(visitor.close(logout).await, Sent::Removal, "unless it signs out");
}

#[tokio::test]
async fn a_slow_request_with_a_dead_id_leaves_the_cookie_of_a_sign_in_alone() {
    for millis in [0, 100, 101] {
        for saves in [false, true] {
            let mut visitor = Visitor::new();
            let dead = HeaderMap::from_iter([(
                COOKIE,
                format!("__Host-id={}", "A".repeat(43)).parse().expect("header"),
            )]);
            visitor.cookies = dead;
            let mut slow = visitor.open().await;
            if saves {
                slow.save().await.expect("nothing to be saved");
            }
            let mut signing_in = visitor.open().await;
            signing_in.user = Some("ada".to_owned());
            assert_eq!(visitor.close(signing_in).await, Sent::Cookie);

            visitor.clock.advance(Duration::from_millis(millis));
            if saves {
                slow.save().await.expect("nothing to be saved");
            }
            let sent = visitor.close(slow).await;
            assert_eq!(sent, Sent::Nothing, "after {millis} ms, saved: {saves}");
            assert_eq!(visitor.open().await.user.as_deref(), Some("ada"));
        }
    }
}

#[tokio::test]
async fn an_id_that_a_client_presents_is_never_adopted() {
    let mut visitor = Visitor::new();
    let planted = "A".repeat(43);
    visitor.cookies.insert(COOKIE, format!("__Host-id={planted}").parse().expect("header"));
    let mut session = visitor.open().await;
    session.visits = 1;

    assert_eq!(visitor.close(session).await, Sent::Cookie);
    assert_ne!(visitor.open().await.id().expect("stored").as_str(), planted);
}

#[tokio::test]
async fn what_the_store_sees_is_no_id() {
    let mut visitor = Visitor::returning().await;
    let session = visitor.open().await;
    let id = session.id().expect("stored");
    let prefix = KeyPrefix::default();
    let key = Key::hashed(&prefix, "__Host-id", id);
    assert!(visitor.sessions.store().load(&key, None).await.expect("a load").is_some());

    let seen = key.as_str().strip_prefix("session:").expect("the default prefix");
    assert_ne!(seen, id.as_str());
    visitor.cookies.insert(COOKIE, format!("__Host-id={seen}").parse().expect("a header"));
    assert!(visitor.open().await.is_new());
}

#[tokio::test]
async fn an_id_of_one_cookie_is_nothing_under_the_name_of_another() {
    let store = Memory::new();
    let [carts, accounts] = [cookie_name!("cart"), cookie_name!("account")].map(|name| {
        Config::new().store(store.clone()).data::<Account>().cookie(Cookie::host(name)).build()
    });
    let mut cart = carts.open(&HeaderMap::new()).await.expect("opened");
    cart.visits = 1;
    let mut response = HeaderMap::new();
    cart.close(&mut response).await.expect("saved");
    let pair = response[SET_COOKIE].to_str().expect("ASCII").split(';').next().expect("a pair");

    let is_new = async |sessions: &Sessions<Memory, MessagePack<Account>, Unsigned>, pair: &str| {
        let headers = [(COOKIE, pair.parse().expect("a header"))].into_iter().collect();
        sessions.open(&headers).await.expect("opened").is_new()
    };
    assert!(!is_new(&carts, pair).await);
    assert!(is_new(&accounts, &pair.replace("__Host-cart", "__Host-account")).await);
}

#[tokio::test]
async fn a_malformed_id_does_not_reach_the_store() {
    let mut visitor = Visitor::new();
    for value in ["", "short", "!", &"A".repeat(44), &"A".repeat(100_000), "\u{e9}"] {
        let header = http::HeaderValue::from_bytes(format!("__Host-id={value}").as_bytes());
        visitor.cookies.insert(COOKIE, header.expect("a header"));
        assert!(visitor.open().await.is_new());
        assert_eq!(visitor.calls(), [""; 0], "{value}");
    }
}

#[tokio::test]
async fn a_record_of_another_program_is_left_as_it_is() {
    let mut visitor = Visitor::returning().await;
    visitor.sessions.store().overwrite_all(b"not a session").await;
    let mut session = visitor.open().await;
    assert!(session.is_new());
    let unread = visitor.sessions.open(&visitor.cookies).await.expect("the store answers");
    assert_eq!(visitor.close(unread).await, Sent::Nothing);

    session.visits = 1;
    assert!(matches!(session.save().await, Err(Error::Unreadable)));
    assert!(matches!(session.reload().await, Err(Error::Unreadable)));
    let updated = session.update(|account| account.visits += 1).await;
    assert!(matches!(updated, Err(Error::Unreadable)));
    visitor.calls();
    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.calls(), [""; 0]);
    let mut rotating = visitor.open().await;
    rotating.rotate();
    let refused = rotating.close(&mut HeaderMap::new()).await;
    assert!(matches!(refused, Err(Error::Unreadable)), "{refused:?}");
    assert_eq!(visitor.sessions.store().len(), 1);
    assert!(visitor.open().await.is_unreadable());
}

#[tokio::test]
async fn a_logout_ends_a_session_whose_record_cannot_be_read() {
    let visitor = Visitor::returning().await;
    let codec = Json::<Account>::new();
    let store = visitor.sessions.store().clone();
    let newer = Config::new().store(store).codec(codec).clock(visitor.clock.clone()).build();
    let mut undecodable = newer.open(&visitor.cookies).await.expect("the store answers");
    assert!(undecodable.is_new());
    undecodable.destroy();
    let mut headers = HeaderMap::new();
    undecodable.close(&mut headers).await.expect("destroyed");
    assert!(headers[SET_COOKIE].to_str().expect("text").contains("Max-Age=0"));
    assert_eq!(visitor.calls(), ["load", "load", "update"]);
    assert!(visitor.open().await.is_new());
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 1));

    let mut visitor = Visitor::returning().await;
    visitor.sessions.store().overwrite_all(b"not a session").await;
    let mut foreign = visitor.open().await;
    foreign.destroy();
    assert_eq!(visitor.close(foreign).await, Sent::Removal);
    assert_eq!(visitor.calls(), ["load", "load", "update"]);
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (0, 1));
}

#[tokio::test]
async fn a_signed_cookie_survives_a_change_of_the_key() {
    let [old, new] = [1, 2].map(|fill| move || SecretKey::new([fill; 32]));
    let store = Journal::new(&Clock::system());
    let config =
        || Config::new().store(store.clone()).codec(MessagePack::<Account>::new()).signed();
    let cookies = cookie_of(&config().secret_key(old()).build()).await;

    let rotated = config().secret_key(new()).accept_older_key(old()).build();
    assert!(!rotated.open(&cookies).await.expect("open").is_new());
    let replaced = config().secret_key(new()).build();
    store.take_calls();
    assert!(replaced.open(&cookies).await.expect("open").is_new());
    assert_eq!(store.take_calls(), [""; 0], "a forged cookie does not reach the store");
}

#[tokio::test]
async fn a_session_in_use_outlives_the_key_that_signed_its_cookie() {
    for renewal in [Renewal::default(), Renewal::EveryRequest, Renewal::Never] {
        for permanent in [false, true] {
            let [old, new] = [1, 2].map(|fill| move || SecretKey::new([fill; 32]));
            let clock = Clock::manual();
            let store = Journal::new(&clock);
            let config = || {
                let config =
                    Config::new().store(store.clone()).codec(MessagePack::<Account>::new());
                let config = config.permanent(permanent).renewal(renewal).clock(clock.clone());
                config.signed()
            };
            let before = cookie_of(&config().secret_key(old()).build()).await;
            let rotated = config().secret_key(new()).accept_older_key(old()).build();
            store.take_calls();
            let after = sent_by_a_reader(&rotated, &before).await.expect("the id, signed anew");
            let load = if renewal == Renewal::EveryRequest { "load and extend" } else { "load" };
            assert_eq!(store.take_calls(), [load, "update"], "together with a write");

            let sent = sent_by_a_reader(&rotated, &after).await;
            assert_eq!((sent, store.take_calls()), (None, vec![load]), "{renewal:?}");
            let replaced = config().secret_key(new()).build();
            let session = replaced.open(&after).await.expect("open");
            assert_eq!(session.visits, 1, "{renewal:?}, permanent: {permanent}");
        }
    }
}

#[tokio::test]
async fn an_id_that_an_older_key_signed_is_sent_anew_only_for_a_live_session() {
    let [old, new] = [1, 2].map(|fill| move || SecretKey::new([fill; 32]));
    let store = Journal::new(&Clock::system());
    let config =
        || Config::new().store(store.clone()).codec(MessagePack::<Account>::new()).signed();
    let cookies = cookie_of(&config().secret_key(old()).build()).await;
    let rotated = config().secret_key(new()).accept_older_key(old()).build();

    let mut moving = rotated.open(&cookies).await.expect("open");
    moving.rotate();
    let mut response = HeaderMap::new();
    moving.close(&mut response).await.expect("rotated");
    assert_eq!(response.get_all(SET_COOKIE).iter().count(), 1, "once per response");
    assert_eq!(sent_by_a_reader(&rotated, &cookies).await, None, "moved");

    let cookies = cookie_of(&config().secret_key(old()).build()).await;
    let mut ending = rotated.open(&cookies).await.expect("open");
    ending.destroy();
    let mut response = HeaderMap::new();
    ending.close(&mut response).await.expect("ended");
    assert_eq!(response.get_all(SET_COOKIE).iter().count(), 1, "the removal alone");
}

/// The cookie that a request gets which only reads.
async fn sent_by_a_reader<C: Codec<Data = Account>>(
    sessions: &Sessions<Journal, C, HmacSha256>,
    cookies: &HeaderMap,
) -> Option<HeaderMap> {
    let session = sessions.open(cookies).await.expect("open");
    let mut response = HeaderMap::new();
    session.close(&mut response).await.expect("closed");
    response.contains_key(SET_COOKIE).then(|| cookie_in(&response))
}

async fn cookie_of<C: Codec<Data = Account>>(
    sessions: &Sessions<Journal, C, HmacSha256>,
) -> HeaderMap {
    let mut session = sessions.open(&HeaderMap::new()).await.expect("open");
    session.visits = 1;
    let mut response = HeaderMap::new();
    session.close(&mut response).await.expect("saved");
    cookie_in(&response)
}

fn cookie_in(response: &HeaderMap) -> HeaderMap {
    let cookie = response[SET_COOKIE].to_str().expect("text");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    HeaderMap::from_iter([(COOKIE, pair.parse().expect("a header"))])
}
