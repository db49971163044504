//! The cookie as it is written.

use axum::Router;
use axum::routing::get;
use cloakroom::{Cookie, CookieDomain, CookiePath, SameSite, Ttl, cookie_name};

use crate::site::{Site, Visitor, expires, routes};
use crate::support::browser::{Browser, Reply};

#[tokio::test]
async fn the_default_cookie_has_the_safest_attributes() {
    let site = Site::new();
    let reply = site.browser().get("/visit").await;

    let (value, attributes) = split(&reply);
    let in_400_days = expires(&site.clock, Ttl::days(400).as_duration());
    assert_eq!(
        attributes,
        format!("Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=34560000; Expires={in_400_days}")
    );
    let signed = value.strip_prefix("__Host-id=").expect("the default name");
    let (id, tag) = signed.split_once('.').expect("a tag");
    for part in [id, tag] {
        assert_eq!(part.len(), 43, "32 bytes in base64url without padding");
        assert!(part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }
}

#[tokio::test]
async fn max_age_and_expires_tell_the_absolute_end() {
    let site = Site::new();
    let config = site.config().idle_timeout(Ttl::minutes(5)).absolute_timeout(Ttl::minutes(90));
    let reply = Browser::new(routes().layer(config.layer())).get("/visit").await;
    let in_90_minutes = expires(&site.clock, Ttl::minutes(90).as_duration());
    assert!(
        split(&reply).1.ends_with(&format!("; Max-Age=5400; Expires={in_90_minutes}")),
        "{}",
        split(&reply).1
    );
}

#[tokio::test]
async fn a_cookie_that_is_not_permanent_ends_with_the_browser() {
    let site = Site::new();
    let browser = Browser::new(routes().layer(site.config().permanent(false).layer()));
    let reply = browser.get("/visit").await;
    assert_eq!(split(&reply).1, "Path=/; Secure; HttpOnly; SameSite=Lax");
    assert_eq!(browser.get("/visit").await.body, "2");
}

#[tokio::test]
async fn a_session_chooses_whether_its_cookie_is_permanent() {
    async fn forget(mut session: Visitor) {
        session.set_permanent(false);
    }
    async fn remember(mut session: Visitor) {
        session.set_permanent(true);
    }

    let site = Site::new();
    let browser =
        site.browser_on(routes().route("/forget", get(forget)).route("/remember", get(remember)));
    browser.get("/visit").await;

    let reply = browser.get("/forget").await;
    assert_eq!(split(&reply).1, "Path=/; Secure; HttpOnly; SameSite=Lax");
    assert!(browser.get("/forget").await.set_cookies().is_empty(), "nothing changed");
    assert!(browser.get("/visit").await.set_cookies().is_empty(), "the record remembers it");

    let reply = browser.get("/remember").await;
    assert!(split(&reply).1.contains("; Max-Age=34560000; "), "{}", split(&reply).1);
    assert_eq!(browser.get("/read").await.body, "2 visits");
}

#[tokio::test]
async fn every_setting_of_the_cookie_appears() {
    let domain = || CookieDomain::new("example.org").expect("a domain");
    let path = || CookiePath::new("/shop").expect("a path");
    let secure = || Cookie::unprefixed(cookie_name!("cart"));

    let host = Cookie::host(cookie_name!("cart"));
    assert_written(host, "__Host-cart", "Path=/; Secure; HttpOnly; SameSite=Lax").await;
    assert_written(
        Cookie::secure_prefixed(cookie_name!("cart")).domain(domain()).path(path()).partitioned(),
        "__Secure-cart",
        "Domain=example.org; Path=/shop; Secure; HttpOnly; Partitioned; SameSite=Lax",
    )
    .await;
    assert_written(
        secure().domain(domain()).path(path()).same_site(SameSite::Strict),
        "cart",
        "Domain=example.org; Path=/shop; Secure; HttpOnly; SameSite=Strict",
    )
    .await;
    assert_written(
        secure().same_site_none().partitioned(),
        "cart",
        "Path=/; Secure; HttpOnly; Partitioned; SameSite=None",
    )
    .await;
    assert_written(secure().readable_by_scripts(), "cart", "Path=/; Secure; SameSite=Lax").await;
    assert_written(
        secure().same_site_none().partitioned().insecure_for_development(),
        "cart",
        "Path=/; HttpOnly; SameSite=Lax",
    )
    .await;
}

/// The cookie is written with these attributes, and so is its removal.
async fn assert_written<Kind>(cookie: Cookie<Kind>, name: &str, attributes: &str) {
    let site = Site::new();
    let browser = Browser::new(routes().layer(site.config().cookie(cookie).layer()));

    let reply = browser.get("/visit").await;
    let (value, written) = split(&reply);
    assert!(value.starts_with(&format!("{name}=")), "{value}");
    let (written, _) = written.split_once("; Max-Age=").expect("a permanent cookie");
    assert_eq!(written, attributes);

    let removal =
        format!("{name}=; {attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(browser.get("/sign-out").await.set_cookies(), [removal]);
    assert_eq!(browser.cookies(), None);
}

#[tokio::test]
async fn cookies_of_the_application_stay() {
    async fn visit(mut session: Visitor) -> [(&'static str, &'static str); 1] {
        session.visits += 1;
        [("set-cookie", "theme=dark; Path=/")]
    }
    let site = Site::new();
    let reply = site.browser_on(Router::new().route("/visit", get(visit))).get("/visit").await;
    let cookies = reply.set_cookies();
    assert_eq!(cookies[0], "theme=dark; Path=/");
    assert!(cookies[1].starts_with("__Host-id="));
    assert_eq!(cookies.len(), 2);
}

/// The name and value of the one cookie, and its attributes.
#[track_caller]
fn split(reply: &Reply) -> (&str, &str) {
    let cookies = reply.set_cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    cookies[0].split_once("; ").expect("attributes")
}
