//! `rotate`: a fresh id and the same rights, or an error; never a new session.

use axum::Router;
use axum::routing::get;
use cloakroom::{Error, Ttl};
use http::{HeaderMap, StatusCode};
use tracing::Level;

use crate::log::Log;
use crate::site::{Customer, Elsewhere, Sent, Site, close, request};
use crate::support::browser::send;

#[tokio::test]
async fn a_rotation_keeps_the_data_the_age_and_the_absolute_end() {
    let site = Site::new();
    let ada = site.ada().await;
    let created_at = site.open(&ada).await.created_at();
    site.advance(Ttl::hours(1));
    let answer = request(&site, &ada, |session| session.rotate()).await;
    answer.assert(StatusCode::OK, Sent::Cookie);
    assert_eq!(answer.max_age(), Some(23 * 3_600), "what is left of a day");

    let session = site.open(&answer.cookies()).await;
    assert_eq!((session.n, session.created_at()), (1, created_at));
    assert_eq!(site.account(&ada).await, None);
}

#[tokio::test]
async fn a_rotation_of_a_session_that_ended_or_moved_is_refused_and_makes_none() {
    for elsewhere in Elsewhere::ALL {
        for changes in [false, true] {
            for saves in [false, true] {
                let story = format!("{elsewhere:?}, changes: {changes}, saves: {saves}");
                let site = Site::new();
                let visitor = site.visitor().await;
                let mut session = site.open(&visitor).await;
                let held = elsewhere.happens(&site, &visitor).await;
                let before = site.records().await;

                if changes {
                    session.user = "mallory".into();
                }
                session.rotate();
                if saves {
                    let saved = session.save().await;
                    assert!(matches!(saved, Err(Error::Ended)), "{story}: {saved:?}");
                    assert_eq!(close(session).await.sent(), Sent::Nothing, "{story}");
                } else {
                    close(session).await.assert(StatusCode::CONFLICT, Sent::Nothing);
                }
                assert_eq!(site.records().await, before, "{story}");
                let account = site.account(&held).await.unwrap_or_default();
                assert_eq!(account.user, "", "no user is signed in: {story}");
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_under_an_id_that_has_just_moved_is_refused() {
    for elsewhere in [Elsewhere::Rotated, Elsewhere::SignedIn] {
        let site = Site::new();
        let visitor = site.visitor().await;
        elsewhere.happens(&site, &visitor).await;
        let answer = request(&site, &visitor, |session| {
            session.user = "mallory".into();
            session.rotate();
        });
        answer.await.assert(StatusCode::CONFLICT, Sent::Nothing);
        assert_eq!(site.records_from_before().await, 1, "{elsewhere:?}");
    }
}

/// A route whose handler is overtaken, and then does this with its session.
fn overtaken(site: &Site, by: Elsewhere, visitor: HeaderMap, act: fn(&mut Customer)) -> Router {
    let elsewhere = site.clone();
    let handler = move |mut session: Customer| async move {
        by.happens(&elsewhere, &visitor).await;
        act(&mut session);
        "signed in"
    };
    Router::new().route("/", get(handler)).layer(site.sessions.layer())
}

#[tokio::test]
async fn a_rotation_that_was_dropped_is_an_error_that_the_response_shows() {
    for elsewhere in Elsewhere::ALL {
        let site = Site::new();
        let visitor = site.visitor().await;
        let router = overtaken(&site, elsewhere, visitor.clone(), |session| {
            session.user = "mallory".into();
            session.rotate();
        });
        let reply = send(&router, "/", visitor).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::CONFLICT, ""), "{elsewhere:?}");
        assert_eq!(reply.set_cookies(), [""; 0], "{elsewhere:?}");
    }
}

#[test]
fn any_other_change_that_was_dropped_leaves_an_event_for_debugging_and_no_error() {
    Log::of(async |log| {
        for elsewhere in Elsewhere::ALL {
            let site = Site::new();
            let visitor = site.visitor().await;
            let router = overtaken(&site, elsewhere, visitor.clone(), |session| session.n = 9);
            log.take();
            let reply = send(&router, "/", visitor).await;
            assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "signed in"));
            assert_eq!(reply.set_cookies(), [""; 0], "{elsewhere:?}");
            let events = log.take();
            assert!(matches!(events[..], [(Level::DEBUG, _)]), "{elsewhere:?}: {events:?}");
        }
    });
}

#[test]
fn a_read_of_a_session_that_ended_meanwhile_leaves_no_event() {
    Log::of(async |log| {
        for elsewhere in Elsewhere::ALL {
            let site = Site::new();
            let visitor = site.visitor().await;
            let router = overtaken(&site, elsewhere, visitor.clone(), |_| ());
            assert_eq!(send(&router, "/", visitor).await.status, StatusCode::OK);
            assert_eq!(log.take(), [], "{elsewhere:?}");
        }
    });
}
