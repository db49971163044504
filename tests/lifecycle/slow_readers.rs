//! A request that ends after another has signed in or out: it must not bring back the
//! id that it was opened with.

use std::time::Duration;

use cloakroom::{
    Clock, Config, HmacSha256, MessagePack, Renewal, SecretKey, Session, Sessions, Ttl,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};

use crate::journal::Journal;
use crate::visitor::{Account, AccountSession, Sent, Visitor};

const LATE: Duration = Duration::from_millis(101);

async fn renewed_at_every_request() -> Visitor {
    Visitor::configured(|config| config.renewal(Renewal::EveryRequest)).returned().await
}

#[tokio::test]
async fn a_reader_repeats_no_cookie_whenever_it_ends() {
    for meanwhile in ["nothing", "rotated", "signed in"] {
        for saves in [false, true] {
            for waits in [Duration::ZERO, LATE] {
                let mut visitor = renewed_at_every_request().await;
                let mut slow = visitor.open().await;
                let mut other = visitor.open().await;
                match meanwhile {
                    "nothing" => {}
                    "rotated" => other.rotate(),
                    _ => other.sign_in(),
                }
                visitor.close(other).await;

                visitor.clock.advance(waits);
                visitor.calls();
                if saves {
                    let saved = slow.save().await;
                    assert_eq!(saved.is_ok(), meanwhile == "nothing", "{saved:?}");
                }
                assert_eq!(visitor.close(slow).await, Sent::Nothing);
                let looks: &[&str] = if saves { &["load"] } else { &[] };
                assert_eq!(visitor.calls(), looks, "without postponing the expiry");
                assert_eq!(visitor.open().await.visits, 1, "{meanwhile}");
            }
        }
    }
}

/// A visitor whose session was made to end with the browser, and a request that has
/// saved that, and not closed yet.
async fn forgetting() -> (Visitor, AccountSession) {
    let visitor = Visitor::returning().await;
    let mut slow = visitor.open().await;
    slow.set_permanent(false);
    slow.save().await.expect("saved");
    visitor.calls();
    (visitor, slow)
}

#[tokio::test]
async fn a_slow_request_repeats_no_id_that_another_has_replaced() {
    for signs_in in [false, true] {
        let (mut visitor, slow) = forgetting().await;
        let mut other = visitor.open().await;
        match signs_in {
            true => other.sign_in(),
            false => other.rotate(),
        }
        assert_eq!(visitor.close(other).await, Sent::Cookie);
        visitor.clock.advance(LATE);
        visitor.calls();
        assert_eq!(visitor.close(slow).await, Sent::Nothing);
        assert_eq!(visitor.calls(), ["load"]);
        assert_eq!(visitor.open().await.visits, 1);
    }
}

#[tokio::test]
async fn a_slow_request_is_silent_about_a_session_that_ended_or_cannot_be_read() {
    for way in ["destroyed", "overwritten", "over"] {
        let (mut visitor, slow) = forgetting().await;
        match way {
            "destroyed" => {
                let mut signing_out = visitor.open().await;
                signing_out.destroy();
                assert_eq!(visitor.close(signing_out).await, Sent::Removal);
            }
            "overwritten" => visitor.sessions.store().overwrite_all(b"not a session").await,
            _ => visitor.clock.advance(Ttl::hours(1).as_duration()),
        }
        visitor.clock.advance(LATE);
        assert_eq!(visitor.close(slow).await, Sent::Nothing, "{way}");
    }
}

#[tokio::test]
async fn a_slow_request_of_a_live_session_sends_the_cookie_that_is_due() {
    for (millis, calls) in [(100, &[][..]), (101, &["load"])] {
        let (mut visitor, slow) = forgetting().await;
        visitor.clock.advance(Duration::from_millis(millis));
        assert_eq!(visitor.close(slow).await, Sent::Cookie);
        assert_eq!(visitor.calls(), calls);
    }
}

#[tokio::test]
async fn a_slow_request_that_writes_needs_no_other_look() {
    let (mut visitor, mut slow) = forgetting().await;
    visitor.clock.advance(LATE);
    slow.visits += 1;
    assert_eq!(visitor.close(slow).await, Sent::Cookie);
    assert_eq!(visitor.calls(), ["update"]);
}

#[tokio::test]
async fn a_slow_reader_with_a_cookie_of_an_older_key_sends_none_that_was_replaced() {
    // After half of the idle timeout, the reader writes the record to renew it.
    for waits in [LATE, Ttl::minutes(30).as_duration()] {
        for meets_a_sign_in in [false, true] {
            let clock = Clock::manual();
            let store = Journal::new(&clock);
            let config = || {
                let config = Config::new().store(store.clone()).data::<Account>().signed();
                config.idle_timeout(Ttl::hours(1)).clock(clock.clone())
            };
            let [old, new] = [1, 2].map(|fill| move || SecretKey::new([fill; 32]));
            let before = config().secret_key(old()).build();
            let mut session = before.open(&HeaderMap::new()).await.expect("open");
            session.visits = 1;
            let cookies = HeaderMap::from_iter([(COOKIE, closed(session).await.expect("sent"))]);

            let rotated: Sessions<_, _, HmacSha256> =
                config().secret_key(new()).accept_older_key(old()).build();
            let slow = rotated.open(&cookies).await.expect("open");
            clock.advance(waits);
            let slow = match waits {
                LATE => slow,
                // It was used only now, so that it is renewed.
                _ => rotated.open(&cookies).await.expect("open"),
            };
            if meets_a_sign_in {
                let mut signing_in = rotated.open(&cookies).await.expect("open");
                signing_in.rotate();
                closed(signing_in).await.expect("sent");
            }
            store.take_calls();
            assert_eq!(closed(slow).await.is_some(), !meets_a_sign_in, "{waits:?}");
            assert_eq!(store.take_calls(), ["update"], "the write says whether it was replaced");
        }
    }
}

/// The pair in the cookie that was sent.
async fn closed(
    session: Session<Journal, MessagePack<Account>, HmacSha256>,
) -> Option<HeaderValue> {
    let mut response = HeaderMap::new();
    session.close(&mut response).await.expect("closed");
    let cookie = response.get(SET_COOKIE)?.to_str().expect("text");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    Some(pair.parse().expect("a header"))
}
