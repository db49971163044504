//! What the browser is told, and how long the session is kept.

use std::time::{Duration, SystemTime};

use cloakroom::{Cookie, CookieDomain, CookiePath, SameSite, cookie_name};
use serde_json::{Value, json};

use crate::application::serve;
use crate::browser::{Address, Browser, SetCookie};
use crate::site::{Place, SECRET, Site};

const MONTH: f64 = 31.0 * 24.0 * 3600.0;

pub(crate) async fn the_cookies_of_both_sides_are_alike<P: Place>() {
    let site = Site::<P>::open().await;
    let flask = site.flask();
    let rust = site.rust().await;
    let cookie = assert_alike(&flask, &rust).await;
    assert_eq!((&*cookie.name, cookie.value.len()), ("session", 43));
    assert_eq!(cookie.attributes, ["HttpOnly", "Path=/"]);
    let time = cookie.time().expect("a permanent cookie");
    assert!((time - MONTH).abs() < 30.0, "{time}");

    let flask = site.flask_with(json!({ "SESSION_USE_SIGNER": true, "SECRET_KEY": SECRET }));
    let rust = serve(site.signed_config(SECRET)).await.0;
    assert_eq!(assert_alike(&flask, &rust).await.value.len(), 43 + 1 + 27);

    let flask = site.flask_with(json!({ "SESSION_PERMANENT": false }));
    let rust = serve(site.config().permanent(false)).await.0;
    assert_eq!(assert_alike(&flask, &rust).await.time(), None);
}

pub(crate) async fn the_cookies_of_both_sides_have_the_attributes_that_were_chosen<P: Place>() {
    let site = Site::<P>::open().await;
    let alike = async |settings: Value, cookie| {
        let rust = serve(site.config().cookie(cookie)).await.0;
        assert_alike(&site.flask_with(settings), &rust).await.attributes
    };

    let settings = json!({ "SESSION_COOKIE_SECURE": true, "SESSION_COOKIE_SAMESITE": "Lax" });
    let cookie = Cookie::unprefixed(cookie_name!("session"));
    assert_eq!(alike(settings, cookie).await, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);

    let settings = json!({
        "SESSION_COOKIE_SECURE": true,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_HTTPONLY": false,
        "SESSION_COOKIE_DOMAIN": "example.org",
        "SESSION_COOKIE_PATH": "/shop",
    });
    let cookie = Cookie::unprefixed(cookie_name!("session"))
        .same_site(SameSite::Strict)
        .readable_by_scripts()
        .domain(CookieDomain::new("example.org").expect("a domain"))
        .path(CookiePath::new("/shop").expect("a path"));
    let written = ["Domain=example.org", "Path=/shop", "SameSite=Strict", "Secure"];
    assert_eq!(alike(settings, cookie).await, written);
}

pub(crate) async fn a_permanent_session_is_permanent_on_both_sides<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    for (first, second) in [(&flask, &rust), (&rust, &flask)] {
        let mut browser = Browser::default();
        browser.post(first, "/sign-in", &[("user", "ada")]).await;
        for (value, permanent) in [("no", false), ("yes", true), ("no", false)] {
            let reply = browser.post(first, "/permanent", &[("value", value)]).await;
            let time = reply.set_cookie().expect("the browser hears of it").time();
            assert_eq!(time.is_some(), permanent);
            let reply = browser.get(second, "/session").await;
            assert_eq!(reply.json()["permanent"], permanent, "{}", reply.body);
        }
    }
}

pub(crate) async fn a_session_is_kept_for_its_lifetime_even_when_it_is_not_permanent<P: Place>() {
    let site = Site::<P>::open().await;
    for permanent in [true, false] {
        let flask = site.flask_with(json!({ "SESSION_PERMANENT": permanent }));
        let rust = serve(site.config().permanent(permanent)).await.0;
        for address in [&flask, &rust] {
            let mut browser = Browser::default();
            browser.post(address, "/sign-in", &[("user", "ada")]).await;
            let sid = browser.cookie.expect("a cookie");
            let left = site.time_left(&sid).await.expect("a record");
            assert!((left - MONTH).abs() < 30.0, "{left}");
        }
    }
}

pub(crate) async fn a_page_that_depends_on_the_session_says_so<P: Place>() {
    let site = Site::<P>::open().await;
    for address in [site.flask(), site.rust().await] {
        let mut browser = Browser::default();
        let reply = browser.post(&address, "/sign-in", &[("user", "ada")]).await;
        assert_eq!(reply.header("vary").to_lowercase(), "cookie");
        let reply = browser.get(&address, "/session").await;
        assert_eq!(reply.header("vary").to_lowercase(), "cookie");
    }
}

/// Both set a cookie of the same name, attributes and time, and remove it for
/// the same place. Returns Flask's.
async fn assert_alike(flask: &Address, rust: &Address) -> SetCookie {
    let (flasks, mut flasks_removal) = set_and_removed(flask).await;
    let (ours, mut our_removal) = set_and_removed(rust).await;
    assert_eq!((&flasks.name, &flasks.attributes), (&ours.name, &ours.attributes));
    assert_eq!((&flasks.max_age, flasks.value.len()), (&ours.max_age, ours.value.len()));
    match (flasks.time(), ours.time()) {
        (Some(theirs), Some(our)) => assert!((theirs - our).abs() < 10.0, "{theirs} {our}"),
        (theirs, our) => assert_eq!(theirs, our),
    }
    for removal in [&mut flasks_removal, &mut our_removal] {
        assert!(removal.is_removal());
        // What a browser compares to find the cookie that is meant.
        removal.attributes.retain(|text| text.starts_with("Domain") || text.starts_with("Path"));
    }
    assert_eq!(flasks_removal, our_removal);
    flasks
}

async fn set_and_removed(address: &Address) -> (SetCookie, SetCookie) {
    let mut browser = Browser::default();
    let set = browser.post(address, "/sign-in", &[("user", "ada")]).await.set_cookie();
    let removed = browser.post(address, "/sign-out", &[]).await.set_cookie();
    (set.expect("a cookie"), removed.expect("a removal"))
}

impl SetCookie {
    /// Seconds until the browser drops it; none when it ends with the browser.
    fn time(&self) -> Option<f64> {
        let expires = self.expires.as_deref()?;
        let expires = httpdate::parse_http_date(expires).expect("a date");
        let left = expires.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        if let Some(max_age) = &self.max_age {
            let max_age: f64 = max_age.parse().expect("a number");
            assert!((max_age - left.as_secs_f64()).abs() < 10.0, "both times are the same");
        }
        Some(left.as_secs_f64())
    }
}
