//! How long a session lives.

use std::time::Duration;

use cloakroom::{Clock, Config, Memory, Percent, Renewal, Ttl};
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};

use crate::visitor::{Sent, Visitor};

#[tokio::test]
async fn the_idle_timeout_ends_a_session_that_is_not_used() {
    let visitor = Visitor::returning().await;
    visitor.clock.advance(Duration::from_millis(3_600_000 - 1));
    assert!(!visitor.open().await.is_new());
    visitor.clock.advance(Duration::from_millis(1));
    assert!(visitor.open().await.is_new());
}

#[tokio::test]
async fn the_clock_of_the_configuration_ends_a_session_whatever_clock_the_store_has() {
    let clock = Clock::manual();
    let config = Config::new().store(Memory::new()).data::<u32>().idle_timeout(Ttl::hours(1));
    let sessions = config.clock(clock.clone()).build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("memory does not fail");
    *session = 7;
    let mut response = HeaderMap::new();
    session.close(&mut response).await.expect("stored");
    let pair = response[SET_COOKIE].to_str().expect("ASCII").split(';').next();
    let cookies = HeaderMap::from_iter([(COOKIE, pair.expect("a pair").parse().expect("ASCII"))]);

    clock.advance(Duration::from_millis(3_600_000 - 1));
    assert_eq!(*sessions.open(&cookies).await.expect("memory does not fail"), 7);
    clock.advance(Duration::from_millis(1));
    assert!(sessions.open(&cookies).await.expect("memory does not fail").is_new());
}

#[tokio::test]
async fn a_session_in_use_is_renewed_below_80_percent_and_ends_at_the_absolute_end() {
    let mut visitor = Visitor::returning().await;
    let mut renewals = 0;
    for minute in 1..24 * 60 {
        visitor.clock.advance(Duration::from_secs(60));
        let session = visitor.open().await;
        assert!(!session.is_new(), "minute {minute}");
        assert_eq!(visitor.close(session).await, Sent::Nothing, "minute {minute}");
        match &*visitor.calls() {
            ["load"] => {}
            ["load", "update"] => renewals += 1,
            calls => panic!("{calls:?} in minute {minute}"),
        }
    }
    // 12 of 60 minutes must pass, so every 13th request renews, until the last hour is reached.
    assert_eq!(renewals, 23 * 60 / 13 + 1);

    visitor.clock.advance(Duration::from_secs(60));
    let session = visitor.open().await;
    assert!(session.is_new());
    assert_eq!(visitor.close(session).await, Sent::Nothing);
}

#[tokio::test]
async fn a_change_alone_postpones_nothing() {
    let mut visitor = Visitor::returning().await;
    let expires_at = visitor.open().await.expires_at();
    visitor.clock.advance(Duration::from_secs(60));
    let mut session = visitor.open().await;
    session.visits += 1;

    assert_eq!(visitor.close(session).await, Sent::Nothing);
    assert_eq!(visitor.open().await.expires_at(), expires_at);
}

#[tokio::test]
async fn renewal_at_every_request_takes_the_round_trip_that_loads() {
    let mut visitor = Visitor::configured(|config| config.renewal(Renewal::EveryRequest));
    visitor = visitor.returned().await;
    for _ in 0..5 {
        visitor.clock.advance(Duration::from_secs(3_599));
        let session = visitor.open().await;
        assert!(!session.is_new());
        assert_eq!(visitor.close(session).await, Sent::Nothing);
        assert_eq!(visitor.calls(), ["load and extend"]);
    }
}

#[tokio::test]
async fn without_renewal_a_session_ends_one_idle_timeout_after_its_creation() {
    let mut visitor = Visitor::configured(|config| config.renewal(Renewal::Never));
    visitor = visitor.returned().await;
    visitor.clock.advance(Duration::from_secs(3_599));
    let mut session = visitor.open().await;
    session.visits += 1;
    assert_eq!(visitor.close(session).await, Sent::Nothing);
    visitor.clock.advance(Duration::from_secs(1));
    assert!(visitor.open().await.is_new());
}

#[tokio::test]
async fn the_renewal_threshold_can_be_chosen() {
    let half = Percent::new(50).expect("a share");
    let mut visitor = Visitor::configured(|config| config.renewal(Renewal::WhenBelow(half)));
    visitor = visitor.returned().await;
    visitor.clock.advance(Duration::from_secs(1_800));
    let session = visitor.open().await;
    visitor.close(session).await;
    assert_eq!(visitor.calls(), ["load"]);
    visitor.clock.advance(Duration::from_secs(1));
    let session = visitor.open().await;
    visitor.close(session).await;
    assert_eq!(visitor.calls(), ["load", "update"]);
}

async fn renewed_at_every_request() -> Visitor {
    Visitor::configured(|config| config.renewal(Renewal::EveryRequest)).returned().await
}

#[tokio::test]
async fn a_slow_request_that_saves_does_not_shorten_a_session_in_use() {
    for changed_meanwhile in [false, true] {
        let mut visitor = renewed_at_every_request().await;
        let mut slow = visitor.open().await;
        visitor.clock.advance(Duration::from_secs(3_590));
        let mut quick = visitor.open().await;
        quick.visits += u32::from(changed_meanwhile);
        visitor.close(quick).await;

        visitor.clock.advance(Duration::from_secs(20));
        slow.cart.push(7);
        visitor.close(slow).await;
        visitor.clock.advance(Duration::from_secs(3_570));
        let session = visitor.open().await;
        assert!(!session.is_new(), "it was used within the hour");
        assert_eq!((session.visits, &*session.cart), (1 + u32::from(changed_meanwhile), &[7][..]));
    }
}

#[tokio::test]
async fn a_note_ends_after_a_minute_though_every_load_postpones_it() {
    let mut visitor = renewed_at_every_request().await;
    let old = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.rotate();
    visitor.close(session).await;
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (1, 1));

    visitor.cookies = old.clone();
    visitor.clock.advance(Duration::from_secs(50));
    assert!(visitor.open().await.is_new());
    visitor.clock.advance(Duration::from_secs(11));
    visitor.calls();
    assert!(visitor.open().await.is_new());
    assert_eq!(visitor.calls(), ["load and extend", "remove"]);
    assert_eq!(visitor.sessions.store().sessions_and_notes().await, (1, 0));
}

#[tokio::test]
async fn a_request_with_an_id_that_moved_begins_anew_once_the_note_is_gone() {
    let mut visitor = renewed_at_every_request().await;
    let old = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.rotate();
    visitor.close(session).await;

    visitor.cookies = old;
    for (seconds, sent) in [(0, Sent::Nothing), (59, Sent::Nothing), (1, Sent::Cookie)] {
        visitor.clock.advance(Duration::from_secs(seconds));
        let mut late = visitor.open().await;
        late.visits = 5;
        assert_eq!(visitor.close(late).await, sent, "{seconds} seconds later");
    }
}

#[tokio::test]
async fn an_id_from_before_a_rotation_ends_nothing_later_though_it_is_used_all_the_time() {
    let mut visitor = renewed_at_every_request().await;
    let planted = visitor.cookies.clone();
    let mut session = visitor.open().await;
    session.rotate();
    visitor.close(session).await;

    let open_planted =
        async |visitor: &Visitor| visitor.sessions.open(&planted).await.expect("the store answers");
    for _ in 0..20 {
        visitor.clock.advance(Duration::from_secs(50));
        assert!(open_planted(&visitor).await.is_new());
    }
    let mut logout = open_planted(&visitor).await;
    logout.destroy();
    logout.close(&mut HeaderMap::new()).await.expect("closed");
    assert!(!visitor.open().await.is_new());
}

#[test]
fn a_manual_clock_never_goes_back() {
    let clock = Clock::manual();
    for time in [Duration::MAX, Duration::from_millis(u64::MAX), Duration::from_millis(1)] {
        let before = clock.now();
        clock.advance(time);
        assert!(clock.now() >= before);
    }
}

#[tokio::test]
async fn a_session_works_at_the_latest_time_of_the_clock() {
    for renewal in [Renewal::default(), Renewal::EveryRequest, Renewal::Never] {
        let mut visitor = Visitor::configured(|config| config.renewal(renewal));
        visitor.clock.advance(Duration::MAX);
        visitor = visitor.returned().await;
        let mut session = visitor.open().await;
        assert_eq!((session.is_new(), session.visits), (false, 1), "{renewal:?}");
        session.rotate();
        assert_eq!(visitor.close(session).await, Sent::Cookie);
        let mut session = visitor.open().await;
        session.visits = 2;
        visitor.close(session).await;
        assert_eq!(visitor.open().await.visits, 2, "{renewal:?}");
    }
}
