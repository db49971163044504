//! A record that this version of the program cannot read: it belongs to another version.

use axum::Router;
use axum::routing::get;
use cloakroom::{Config, Error, MessagePack, Session, Sessions, Ttl, Unsigned};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tracing::Level;

use crate::log::Log;
use crate::site::{Account, Change, Customer, Journal, Sent, Site, close, request};
use crate::support::browser::send;
use crate::support::watched::Watched;

/// What another version of the program stores: its `n` is a word.
#[derive(Default, Serialize, Deserialize)]
struct Newer {
    user: String,
    n: String,
}

type NewerSessions = Sessions<Watched<Journal>, MessagePack<Newer>, Unsigned>;

fn newer(site: &Site) -> NewerSessions {
    let config = Config::new().store(site.store.clone()).codec(MessagePack::<Newer>::new());
    let config = config.idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::days(1));
    config.clock(site.clock.clone()).build()
}

/// A browser with a session of the other version.
async fn browser_of_newer(site: &Site) -> HeaderMap {
    let sessions = newer(site);
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    (session.user, session.n) = ("ada".into(), "many".into());
    let cookies = close(session).await.cookies();
    site.calls();
    cookies
}

async fn lives_at_newer(site: &Site, cookies: &HeaderMap) -> bool {
    let session = newer(site).open(cookies).await.expect("opened");
    !session.is_new() && !session.is_unreadable()
}

#[tokio::test]
async fn whose_record_cannot_be_read_is_anonymous_and_keeps_the_cookie() {
    let site = Site::new();
    let ada = browser_of_newer(&site).await;
    let session = site.open(&ada).await;
    assert!(session.is_new() && session.is_unreadable());
    assert_eq!(*session, Account::default());
    close(session).await.assert(StatusCode::OK, Sent::Nothing);
    assert_eq!(site.writes(), 0);
    assert!(lives_at_newer(&site, &ada).await);
}

#[tokio::test]
async fn no_other_session_is_unreadable() {
    let site = Site::new();
    let ada = site.ada().await;
    assert!(!site.open(&HeaderMap::new()).await.is_unreadable());
    assert!(!site.open(&ada).await.is_unreadable());
    let fresh = request(&site, &ada, |session| session.rotate()).await.cookies();
    assert!(!site.open(&ada).await.is_unreadable(), "it has moved");
    request(&site, &fresh, |session| session.destroy()).await;
    assert!(!site.open(&fresh).await.is_unreadable(), "it has ended");
}

#[tokio::test]
async fn saving_over_a_record_that_cannot_be_read_is_refused() {
    let site = Site::new();
    let ada = browser_of_newer(&site).await;
    let mut session = site.open(&ada).await;
    session.n = 5;
    for _ in 0..2 {
        let saved = session.save().await;
        assert!(matches!(saved, Err(Error::Unreadable)), "{saved:?}");
        let updated = session.update(|account| account.n += 1).await;
        assert!(matches!(updated, Err(Error::Unreadable)), "{updated:?}");
    }
    assert_eq!(Error::Unreadable.status(), StatusCode::CONFLICT);
    assert_eq!(close(session).await.sent(), Sent::Nothing);
    assert!(lives_at_newer(&site, &ada).await);
    assert_eq!(site.records().await.len(), 1);
}

#[tokio::test]
async fn a_record_in_no_known_format_is_left_as_it_is_too() {
    let site = Site::new();
    let ada = site.ada().await;
    site.overwrite_all(b"not a session").await;
    let mut session = site.open(&ada).await;
    assert!(session.is_unreadable());
    session.n = 5;
    assert!(matches!(session.save().await, Err(Error::Unreadable)));
    assert_eq!(close(session).await.sent(), Sent::Nothing);
    assert_eq!(site.records().await, [Box::from(&b"not a session"[..])]);
}

#[tokio::test]
async fn a_rotation_of_what_cannot_be_read_is_refused() {
    let site = Site::new();
    let ada = browser_of_newer(&site).await;
    let answer = request(&site, &ada, |session| {
        session.user = "mallory".into();
        session.rotate();
    });
    answer.await.assert(StatusCode::CONFLICT, Sent::Nothing);
    assert!(lives_at_newer(&site, &ada).await);
    assert_eq!(site.records().await.len(), 1);
}

#[test]
fn a_change_that_is_dropped_because_of_it_is_named_in_the_one_warning() {
    Log::of(async |log| {
        let site = Site::new();
        let ada = browser_of_newer(&site).await;
        let router = Router::new()
            .route("/", get(async |mut session: Customer| session.n = 5))
            .layer(site.sessions.layer());
        let reply = send(&router, "/", ada.clone()).await;
        assert_eq!((reply.status, reply.set_cookies()), (StatusCode::OK, vec![]));
        let warnings = log.take();
        let [(Level::WARN, line)] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(line.contains("a value does not fit the data's type"), "the reason: {line}");
        assert!(line.contains("replace_unreadable"), "the way out: {line}");
        assert!(!line.contains("many") && !line.contains(" ada"), "{line}");
        assert!(lives_at_newer(&site, &ada).await);
    });
}

const ENDS: [(Change, Sent); 3] = [
    (
        |session| {
            session.user = "bob".into();
            session.sign_in();
        },
        Sent::Cookie,
    ),
    (
        |session| {
            session.restart();
            session.user = "bob".into();
        },
        Sent::Cookie,
    ),
    (|session| session.destroy(), Sent::Removal),
];

#[tokio::test]
async fn a_sign_in_a_restart_and_a_sign_out_end_a_record_that_cannot_be_read() {
    for (act, sent) in ENDS {
        let site = Site::new();
        let ada = browser_of_newer(&site).await;
        let answer = request(&site, &ada, act).await;
        answer.assert(StatusCode::OK, sent);
        assert!(!lives_at_newer(&site, &ada).await);
        if sent == Sent::Cookie {
            let account = site.account(&answer.cookies()).await;
            assert_eq!(account, Some(Account { user: "bob".into(), ..Account::default() }));
        }
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_ended_wherever_its_own_program_rotated_it_to() {
    for (act, sent) in ENDS {
        let site = Site::new();
        let ada = browser_of_newer(&site).await;
        let mut session = site.open(&ada).await;
        let mut other: Session<_, _, _> = newer(&site).open(&ada).await.expect("opened");
        other.rotate();
        let rotated = close(other).await;
        rotated.assert(StatusCode::OK, Sent::Cookie);
        act(&mut session);
        close(session).await.assert(StatusCode::OK, sent);
        assert!(!lives_at_newer(&site, &rotated.cookies()).await);
    }
}

#[tokio::test]
async fn a_program_may_begin_anew_for_all_whose_records_it_cannot_read() {
    let site = Site::new();
    let ada = browser_of_newer(&site).await;
    let replacing = site.beside(|config| config.replace_unreadable());
    let reading = replacing.open(&ada).await;
    assert!(reading.is_new());
    close(reading).await.assert(StatusCode::OK, Sent::Nothing);
    assert!(lives_at_newer(&site, &ada).await, "nothing was changed");

    let mut session = replacing.open(&ada).await;
    session.n = 5;
    session.save().await.expect("a new session");
    let answer = close(session).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(replacing.account(&answer.cookies()).await.expect("lives").n, 5);
}
