//! Which responses send the cookie, how long it lives, and which one removes it.

use cloakroom::{Clock, Config, HmacSha256, MessagePack, Renewal, SecretKey, Sessions, Ttl};
use http::{HeaderMap, StatusCode};

use crate::site::{
    ADA, Account, Customer, Journal, Sent, Site, SiteConfig, close, request, sending, value_of,
};
use crate::support::watched::{Op, Watched};

const A_DAY: u64 = 24 * 3_600;

const RENEWALS: [fn(SiteConfig) -> SiteConfig; 3] = [
    |config| config,
    |config| config.renewal(Renewal::EveryRequest),
    |config| config.renewal(Renewal::Never),
];

#[tokio::test]
async fn the_cookie_lives_until_the_absolute_end_of_the_session() {
    for renewal in RENEWALS {
        let site = Site::configured(renewal);
        let answer = request(&site, &HeaderMap::new(), |session| session.n = 1).await;
        assert_eq!(answer.max_age(), Some(A_DAY));
        let end = site.clock.now() + Ttl::days(1).as_duration();
        let expires = format!("; Expires={}", httpdate::fmt_http_date(end));
        assert!(answer.set_cookie().expect("sent").contains(&expires));
    }
}

#[tokio::test]
async fn a_cookie_that_is_not_permanent_ends_with_the_browser() {
    let site = Site::configured(|config| config.permanent(false));
    let visitor = site.visitor().await;
    let acts: [fn(&mut Customer); 3] =
        [|session| session.rotate(), |session| session.sign_in(), |session| session.restart()];
    let mut cookies = visitor;
    for act in acts {
        let answer = request(&site, &cookies, |session| {
            act(session);
            session.n += 1;
        });
        let answer = answer.await;
        let cookie = answer.set_cookie().expect("sent");
        assert!(!cookie.contains("Max-Age") && !cookie.contains("Expires"), "{cookie}");
        cookies = answer.after(&cookies);
    }
}

#[tokio::test]
async fn neither_a_read_nor_a_change_nor_a_renewal_repeats_the_cookie() {
    for renewal in RENEWALS {
        for changes in [false, true] {
            // Never renewed, it ends after an hour and 59 minutes.
            let site = Site::configured(renewal);
            let visitor = site.visitor().await;
            for minute in 1..120 {
                site.advance(Ttl::minutes(1));
                let answer = request(&site, &visitor, |session| {
                    assert!(!session.is_new(), "minute {minute}");
                    session.n += i64::from(changes);
                });
                answer.await.assert(StatusCode::OK, Sent::Nothing);
            }
        }
    }
}

#[tokio::test]
async fn the_cookie_is_sent_by_what_changes_the_id_the_end_or_its_kind() {
    type Act = fn(&mut Customer);
    let acts: [(&str, Act, Option<u64>); 5] = [
        ("rotate", |session| session.rotate(), Some(A_DAY - 3_600)),
        ("sign_in", |session| session.sign_in(), Some(A_DAY)),
        (
            "restart",
            |session| {
                session.restart();
                session.n = 1;
            },
            Some(A_DAY),
        ),
        ("set_permanent(false)", |session| session.set_permanent(false), None),
        ("set_permanent(true)", |session| session.set_permanent(true), Some(A_DAY - 3_600)),
    ];
    for renewal in RENEWALS {
        for (name, act, max_age) in acts {
            let site =
                Site::configured(|config| renewal(config).permanent(name != "set_permanent(true)"));
            let visitor = site.visitor().await;
            site.advance(Ttl::hours(1));
            let answer = request(&site, &visitor, act).await;
            answer.assert(StatusCode::OK, Sent::Cookie);
            assert_eq!(answer.max_age(), max_age, "{name}");
            let again = request(&site, &answer.cookies(), |_| ()).await;
            again.assert(StatusCode::OK, Sent::Nothing);
        }
    }
}

#[tokio::test]
async fn only_the_response_to_destroy_removes_the_cookie() {
    for renewal in RENEWALS {
        for what in ["expired", "over", "evicted", "moved", "ended", "unknown", "no id"] {
            for changes in [false, true] {
                let site = Site::configured(renewal);
                let mut cookies = site.visitor().await;
                match what {
                    "expired" => site.advance(Ttl::hours(2)),
                    "over" => site.advance(Ttl::days(1)),
                    "evicted" => site.evict_all().await,
                    "moved" => drop(request(&site, &cookies, |session| session.rotate()).await),
                    "ended" => drop(request(&site, &cookies, |session| session.destroy()).await),
                    "unknown" => cookies = sending("__Host-id", &[&"A".repeat(43)]),
                    _ => cookies = sending("__Host-id", &["junk"]),
                }
                let mut session = site.open(&cookies).await;
                assert!(session.is_new(), "{what}");
                session.n = i64::from(changes);
                let answer = close(session).await;
                assert_eq!(answer.status, StatusCode::OK, "{what}");
                // A response that is just on its way brings the cookie of what moved.
                let begins = changes && what != "moved";
                let expected = if begins { Sent::Cookie } else { Sent::Nothing };
                if what != "ended" || !changes {
                    assert_eq!(answer.sent(), expected, "{what}, changes: {changes}");
                }
            }
        }
    }
}

#[tokio::test]
async fn the_response_to_destroy_removes_the_cookie_whatever_it_was_worth() {
    for renewal in RENEWALS {
        for what in ["live", "expired", "evicted", "moved", "ended", "unknown"] {
            let site = Site::configured(renewal);
            let mut cookies = site.visitor().await;
            match what {
                "expired" => site.advance(Ttl::hours(2)),
                "evicted" => site.evict_all().await,
                "moved" => drop(request(&site, &cookies, |session| session.rotate()).await),
                "ended" => drop(request(&site, &cookies, |session| session.destroy()).await),
                "unknown" => cookies = sending("__Host-id", &[&"A".repeat(43)]),
                _ => {}
            }
            let answer = request(&site, &cookies, |session| session.destroy()).await;
            assert_eq!((answer.status, answer.sent()), (StatusCode::OK, Sent::Removal), "{what}");
        }
    }
}

/// A request that has sent its id anew, and waits a moment before it answers.
#[tokio::test]
async fn an_id_that_was_written_long_ago_is_looked_up_before_it_is_sent() {
    for (millis, moves, sent) in [
        (100, false, Sent::Cookie),
        (101, false, Sent::Cookie),
        (101, true, Sent::Nothing),
        (5_000, true, Sent::Nothing),
    ] {
        let site = Site::new();
        let visitor = site.visitor().await;
        let mut session = site.open(&visitor).await;
        session.set_permanent(false);
        session.save().await.expect("saved");
        if moves {
            let answer = request(&site, &visitor, |session| session.sign_in()).await;
            answer.assert(StatusCode::OK, Sent::Cookie);
        }
        site.advance_millis(millis);
        site.calls();
        close(session).await.assert(StatusCode::OK, sent);
        let looks = usize::from(millis > 100);
        assert_eq!(site.calls(), vec![Op::Load; looks], "after {millis} ms");
    }
}

type Signed = Sessions<Watched<Journal>, MessagePack<Account>, HmacSha256>;

/// A site before and after its key was replaced, with a browser from before.
async fn with_replaced_key(renewal: Renewal) -> (Site, Signed, Signed, HeaderMap) {
    let site = Site::new();
    let config = |clock: &Clock| {
        let config = Config::new().store(site.store.clone()).codec(MessagePack::<Account>::new());
        let config = config.idle_timeout(Ttl::hours(2)).absolute_timeout(Ttl::days(1));
        config.renewal(renewal).clock(clock.clone()).signed()
    };
    let [old, new] = [1, 2].map(|fill| move || SecretKey::new([fill; 32]));
    let before = config(&site.clock).secret_key(old()).build();
    let mut session = before.open(&HeaderMap::new()).await.expect("opened");
    session.n = 1;
    let browser = close(session).await.cookies();
    site.calls();
    let during = config(&site.clock).secret_key(new()).accept_older_key(old()).build();
    let after = config(&site.clock).secret_key(new()).build();
    (site, during, after, browser)
}

#[tokio::test]
async fn a_cookie_that_an_older_key_signed_is_sent_anew_together_with_a_write() {
    for renewal in [Renewal::default(), Renewal::EveryRequest, Renewal::Never] {
        let (site, during, after, old) = with_replaced_key(renewal).await;
        assert!(after.open(&old).await.expect("opened").is_new());
        site.calls();
        let answer = close(during.open(&old).await.expect("opened")).await;
        answer.assert(StatusCode::OK, Sent::Cookie);
        assert_eq!(answer.max_age(), Some(A_DAY), "{renewal:?}");
        assert_eq!(site.calls(), [Op::Load, Op::Update], "{renewal:?}");

        let fresh = answer.cookies();
        assert_eq!(after.open(&fresh).await.expect("opened").n, 1, "{renewal:?}");
        let again = close(during.open(&fresh).await.expect("opened")).await;
        again.assert(StatusCode::OK, Sent::Nothing);
    }
}

#[tokio::test]
async fn a_cookie_that_an_older_key_signed_is_not_sent_anew_once_the_session_has_moved() {
    for renewal in [Renewal::default(), Renewal::EveryRequest, Renewal::Never] {
        for delay in [0, 20, 80, 101] {
            let (site, during, _, old) = with_replaced_key(renewal).await;
            let polling = during.open(&old).await.expect("opened");
            let mut signing_in = during.open(&old).await.expect("opened");
            signing_in.user = ADA.into();
            signing_in.sign_in();
            let signed_in = close(signing_in).await;
            signed_in.assert(StatusCode::OK, Sent::Cookie);

            site.advance_millis(delay);
            close(polling).await.assert(StatusCode::OK, Sent::Nothing);
            assert!(!during.open(&signed_in.cookies()).await.expect("opened").is_new());
        }
    }
}

#[tokio::test]
async fn a_value_that_is_not_verified_stays_in_the_browser() {
    let (_, during, after, old) = with_replaced_key(Renewal::default()).await;
    close(after.open(&old).await.expect("opened")).await.assert(StatusCode::OK, Sent::Nothing);
    let session = during.open(&old).await.expect("opened");
    assert_eq!(session.id().map(|id| value_of(&old).starts_with(id.as_str())), Some(true));
}
