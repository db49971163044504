//! What the browser gets and brings.

use cloakroom::{Clock, Config, Cookie, IdLength, Itsdangerous, Ttl, cookie_name};
use http::HeaderMap;

use crate::shelf::{Account, SID, Shelf, close, id_in, packed, with_cookie};

const RECORD: &[u8] = b"\x81\xa5value\xa242";
const PERMANENT: &[u8] = b"\x82\xaa_permanent\xc3\xa5value\xa242";
const UUID: &str = "4dd5e2a8-3f57-4b8a-9f3e-0d7f3f2f6c11";

/// The attributes, in alphabetical order.
fn attributes(cookie: &str) -> Vec<&str> {
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    attributes
}

#[tokio::test]
async fn the_cookie_is_that_of_flask() {
    let shelf = Shelf::default();
    shelf.put(SID, PERMANENT);
    let clock = Clock::manual();
    let expires = clock.now() + Ttl::days(31).as_duration();
    let config = Config::flask_session().store(shelf.clone()).data::<Account>();
    let session = config.clock(clock).build().open(&with_cookie(SID)).await.expect("opened");
    let cookie = close(session).await.expect("sent with every response");
    assert_eq!(id_in(&cookie), SID);
    let expires = format!("Expires={}", httpdate::fmt_http_date(expires));
    assert_eq!(attributes(&cookie), [&*expires, "HttpOnly", "Path=/"]);

    // Not permanent: it ends with the browser, and is sent only after a change.
    shelf.put(SID, RECORD);
    let session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    assert_eq!(close(session).await, None);
    let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.user_id = Some(7);
    let cookie = close(session).await.expect("a cookie");
    assert_eq!(cookie, format!("session={SID}; Path=/; HttpOnly"));

    let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.destroy();
    let cookie = close(session).await.expect("the removal");
    assert_eq!(
        cookie,
        "session=; Path=/; HttpOnly; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    );
    shelf.assert_ended(SID);
    assert_eq!(shelf.ids(), [SID]);
}

#[tokio::test]
async fn one_line_makes_the_cookie_secure() {
    let shelf = Shelf::default();
    shelf.put(SID, RECORD);
    let config = Config::flask_session().store(shelf.clone()).data::<Account>();
    let sessions = config.cookie(Cookie::unprefixed(cookie_name!("session"))).build();
    let mut session = sessions.open(&with_cookie(SID)).await.expect("opened");
    session.user_id = Some(7);
    let cookie = close(session).await.expect("a cookie");
    assert_eq!(attributes(&cookie), ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
}

#[tokio::test]
async fn a_signed_cookie_is_that_of_flask() {
    let shelf = Shelf::default();
    shelf.put(SID, PERMANENT);
    let config = Config::flask_session().store(shelf.clone()).data::<Account>();
    let signer = Itsdangerous::new("dev-secret-key").expect("a secret");
    let sessions = config.signer(signer).build();
    let signed = format!("{SID}.EZpzwDXbKU-tShDwbxxGrS8asEg");
    let session = sessions.open(&with_cookie(&signed)).await.expect("opened");
    assert_eq!(session.value.as_deref(), Some("42"));
    assert_eq!(id_in(&close(session).await.expect("a cookie")), signed);

    shelf.take_calls();
    let session = sessions.open(&with_cookie(SID)).await.expect("opened");
    assert!(session.is_new());
    assert_eq!(close(session).await, None);
    assert!(shelf.take_calls().is_empty(), "an id without a signature is not looked up");
}

#[tokio::test]
async fn uuids_are_read_under_the_preset_and_nowhere_else() {
    let shelf = Shelf::default();
    shelf.put(UUID, RECORD);
    let session = packed(&shelf).open(&with_cookie(UUID)).await.expect("opened");
    assert_eq!(session.value.as_deref(), Some("42"));
    close(session).await;

    // Upper case is another key at Flask, too.
    let session = packed(&shelf).open(&with_cookie(&UUID.to_uppercase())).await.expect("opened");
    assert!(session.is_new());
    close(session).await;

    shelf.take_calls();
    let config = Config::new().store(shelf.clone()).data::<Account>();
    let sessions = config.cookie(Cookie::unprefixed(cookie_name!("session"))).build();
    let session = sessions.open(&with_cookie(UUID)).await.expect("opened");
    assert!(session.is_new());
    close(session).await;
    assert!(shelf.take_calls().is_empty());
}

#[tokio::test]
async fn an_id_that_a_client_presents_is_never_adopted() {
    for id in [SID, UUID] {
        let shelf = Shelf::default();
        let mut session = packed(&shelf).open(&with_cookie(id)).await.expect("opened");
        session.value = Some("42".to_owned());
        let fresh = id_in(&close(session).await.expect("a cookie"));
        assert_ne!(fresh, id);
        assert_eq!(shelf.ids(), [fresh]);
    }
}

#[tokio::test]
async fn ids_have_the_length_that_flask_is_configured_for() {
    let shelf = Shelf::default();
    let config = Config::flask_session().store(shelf.clone()).data::<Account>();
    let sessions = config.id_length(IdLength::new(16).expect("in range")).build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.value = Some("42".to_owned());
    assert_eq!(id_in(&close(session).await.expect("a cookie")).len(), 22);
}

/// Flask may have exchanged the id, and the fresh one is on its way.
#[tokio::test]
async fn an_id_that_is_worth_nothing_is_left_alone_as_flask_does() {
    let shelf = Shelf::default();
    let session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    assert!(session.is_new());
    assert_eq!(close(session).await, None);
}
