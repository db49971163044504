//! How long a session lives.

use std::time::Duration;

use cloakroom::{Percent, Renewal};

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
async fn a_session_in_use_is_renewed_below_80_percent_and_ends_at_the_absolute_timeout() {
    let mut visitor = Visitor::returning().await;
    let mut renewals = 0;
    for minute in 1..24 * 60 {
        visitor.clock.advance(Duration::from_secs(60));
        let session = visitor.open().await;
        assert!(!session.is_new(), "minute {minute}");
        let sent = visitor.close(session).await;
        let calls = visitor.calls();
        match sent {
            Sent::Nothing => assert_eq!(calls, ["load"]),
            Sent::Cookie => assert_eq!(calls, ["load", "update"]),
            Sent::Removal => panic!("minute {minute}"),
        }
        renewals += usize::from(sent == Sent::Cookie);
    }
    // 12 of 60 minutes must pass, so every 13th request renews, until the last hour is reached.
    assert_eq!(renewals, 23 * 60 / 13 + 1);

    visitor.clock.advance(Duration::from_secs(60));
    let session = visitor.open().await;
    assert!(session.is_new());
    assert_eq!(visitor.close(session).await, Sent::Removal);
}

#[tokio::test]
async fn a_change_keeps_the_expiry_in_step_with_the_cookie() {
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
        assert_eq!(visitor.close(session).await, Sent::Cookie);
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
    assert_eq!(visitor.close(session).await, Sent::Nothing);
    visitor.clock.advance(Duration::from_secs(1));
    let session = visitor.open().await;
    assert_eq!(visitor.close(session).await, Sent::Cookie);
}
