//! Several cookies of the session's name in one request.

use cloakroom::{
    Clock, Config, Cookie, CookieDomain, HmacSha256, Memory, MessagePack, SecretKey, Sessions,
    cookie_name,
};
use http::{HeaderMap, StatusCode};
use tracing::Level;

use crate::log::Log;
use crate::site::{
    Account, Change, Customer, Journal, Sent, Site, close, request, sending, value_of,
};
use crate::support::watched::{Op, Watched};

const NAME: &str = "__Host-id";

/// An id that no session ever had.
fn unknown(n: usize) -> String {
    format!("{n:0>42}A")
}

/// A site whose cookie other hosts of the domain may set, too.
fn with_domain() -> Site {
    Site::configured(|config| {
        let domain = CookieDomain::new("example.org").expect("a domain");
        config.cookie(Cookie::unprefixed(cookie_name!("sid")).domain(domain))
    })
}

#[tokio::test]
async fn values_that_are_no_session_cookies_do_not_hide_the_one_that_is() {
    for junk in [1, 8, 100] {
        let site = Site::new();
        let ada = site.ada().await;
        let mut values: Vec<_> = (0..junk).map(|n| format!("junk{n}")).collect();
        values.push(value_of(&ada).to_owned());
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        let session = site.open(&sending(NAME, &values)).await;
        assert_eq!((session.is_new(), session.n), (false, 1), "behind {junk}");
        assert_eq!(site.calls(), [Op::Load]);
    }
}

#[tokio::test]
async fn eight_ids_are_looked_up_and_none_of_them_twice() {
    for (before, is_new) in [(0, false), (7, false), (8, true), (31, true)] {
        let site = Site::new();
        let ada = site.ada().await;
        // Each of them twice.
        let ids: Vec<_> = (0..before).flat_map(|n| [unknown(n), unknown(n)]).collect();
        let mut values: Vec<_> = ids.iter().map(String::as_str).take(31).collect();
        values.push(value_of(&ada));
        let session = site.open(&sending(NAME, &values)).await;
        assert_eq!(session.is_new(), is_new, "behind {before}");
        assert_eq!(site.calls(), vec![Op::Load; 8.min(before + 1)], "behind {before}");
        close(session).await.assert(StatusCode::OK, Sent::Nothing);
    }
}

fn signed() -> Sessions<Watched<Journal>, MessagePack<Account>, HmacSha256> {
    let store = Watched::new(Memory::new(), Journal::default());
    let config = Config::new().store(store).codec(MessagePack::<Account>::new());
    config.clock(Clock::manual()).signed().secret_key(SecretKey::new([7; 32])).build()
}

#[tokio::test]
async fn thirty_two_values_are_verified_before_any_is_looked_up() {
    for (before, is_new) in [(8, false), (31, false), (32, true)] {
        let sessions = signed();
        let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
        session.n = 1;
        let ada = close(session).await.cookies();
        let (_, tag) = value_of(&ada).split_once('.').expect("a tag");
        let forged: Vec<_> = (0..before).map(|n| format!("{}.{tag}", unknown(n))).collect();
        let mut values: Vec<_> = forged.iter().map(String::as_str).collect();
        values.push(value_of(&ada));

        let session = sessions.open(&sending(NAME, &values)).await.expect("opened");
        assert_eq!(session.is_new(), is_new, "behind {before}");
    }
}

#[tokio::test]
async fn signing_out_ends_every_live_session_that_the_request_presented() {
    let acts: [(&str, Change); 2] =
        [("destroy", |session| session.destroy()), ("restart", |session| session.restart())];
    for (name, act) in acts {
        for live in [2, 8] {
            let site = with_domain();
            let mut browsers = Vec::new();
            for _ in 0..live {
                browsers.push(site.ada().await);
            }
            let mut values = vec!["junk"; 3];
            values.extend(browsers.iter().map(value_of));
            site.calls();
            let answer = request(&site, &sending("sid", &values), act).await;
            assert_eq!(answer.status, StatusCode::OK);
            let calls = site.calls();
            // Each is loaded, and swapped for a note.
            let [loads, swaps] =
                [Op::Load, Op::Update].map(|op| calls.iter().filter(|call| **call == op).count());
            for (at, browser) in browsers.iter().enumerate() {
                assert_eq!(site.account(browser).await, None, "{name}: number {at} of {live}");
            }
            assert_eq!(site.records_from_before().await, 0, "{name}");
            assert_eq!((loads, swaps), (live, live), "{name}: {calls:?}");
        }
    }
}

#[tokio::test]
async fn signing_out_removes_the_cookie_where_the_live_session_is_not_the_first() {
    let site = with_domain();
    let ada = site.ada().await;
    let unknown = unknown(1);
    let cookies = sending("sid", &[&unknown, value_of(&ada)]);
    let answer = request(&site, &cookies, |session| session.destroy()).await;
    answer.assert(StatusCode::OK, Sent::Removal);
    assert_eq!(site.account(&ada).await, None);
}

#[tokio::test]
async fn signing_out_follows_each_of_the_presented_sessions_that_moved() {
    for moved in [0, 1] {
        let site = with_domain();
        let browsers = [site.ada().await, site.ada().await];
        let mut signing_out =
            site.open(&sending("sid", &[value_of(&browsers[0]), value_of(&browsers[1])])).await;
        let rotated = request(&site, &browsers[moved], |session| session.rotate()).await;
        let moved_to = rotated.cookies();
        signing_out.destroy();
        close(signing_out).await.assert(StatusCode::OK, Sent::Removal);
        for browser in browsers.iter().chain([&moved_to]) {
            assert_eq!(site.account(browser).await, None, "number {moved} had moved");
        }
        assert_eq!(site.records_from_before().await, 0);
    }
}

#[test]
fn more_values_than_are_looked_at_leave_a_warning() {
    Log::of(async |log| {
        let site = Site::new();
        let ids: Vec<_> = (0..9).map(unknown).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        close(site.open(&sending(NAME, &ids[..8])).await).await;
        assert_eq!(log.take(), [], "all of them were looked up");

        close(site.open(&sending(NAME, &ids)).await).await;
        let warnings = log.take();
        let [(Level::WARN, line)] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(line.contains("cookie"), "{line}");
        assert!(!ids.iter().any(|id| line.contains(id)), "{line}");
    });
}
