//! Two programs whose clocks differ, on one store.

use cloakroom::{Clock, Renewal, Ttl};
use tracing::Level;

use crate::log::Log;
use crate::site::{Site, request};

/// A program whose clock is ahead by so much, and one on its store whose clock is right.
fn ahead_and_right(time: Ttl, renewal: Renewal) -> (Site, Site) {
    let right = Site::configured(|config| config.renewal(renewal));
    let clock = Clock::manual();
    clock.advance(right.clock.now().duration_since(clock.now()).unwrap_or_default());
    clock.advance(time.as_duration());
    let ahead = right.beside(|config| config.renewal(renewal).clock(clock));
    (ahead, right)
}

#[tokio::test]
async fn a_session_of_a_clock_that_is_ahead_counts_as_made_now() {
    for ahead in [Ttl::seconds(30), Ttl::minutes(10), Ttl::hours(3)] {
        let (ahead, right) = ahead_and_right(ahead, Renewal::default());
        let ada = ahead.ada().await;
        let session = right.open(&ada).await;
        assert!(!session.is_new());
        assert!(session.created_at() <= Some(right.clock.now()));
    }
}

#[tokio::test]
async fn a_time_of_renewal_far_in_the_future_is_written_back_once() {
    for renewal in [Renewal::default(), Renewal::EveryRequest] {
        for (ahead, writes) in [(Ttl::seconds(30), 0), (Ttl::minutes(10), 1)] {
            let (ahead, right) = ahead_and_right(ahead, renewal);
            let ada = ahead.ada().await;
            for expected in [writes, 0, 0] {
                request(&right, &ada, |_| ()).await;
                assert_eq!(right.writes(), expected, "{renewal:?}");
            }
            // Two hours of the right clock, from then on.
            right.advance(Ttl::minutes(119));
            assert!(right.account(&ada).await.is_some());
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_lengthens_no_session_by_more_than_the_difference() {
    let (ahead, right) = ahead_and_right(Ttl::minutes(10), Renewal::Never);
    let ada = ahead.ada().await;
    right.advance(Ttl::minutes(130));
    assert!(right.account(&ada).await.is_none());
}

#[test]
fn a_clock_that_is_ahead_by_hours_leaves_a_warning() {
    Log::of(async |log| {
        for (ahead, warns) in [(Ttl::minutes(30), false), (Ttl::hours(3), true)] {
            let (ahead, right) = ahead_and_right(ahead, Renewal::default());
            let ada = ahead.ada().await;
            assert_eq!(log.take(), []);
            request(&right, &ada, |_| ()).await;
            let events = log.take();
            assert_eq!(matches!(events[..], [(Level::WARN, _)]), warns, "{events:?}");
        }
    });
}
