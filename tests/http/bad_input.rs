//! Cookies that no honest browser would send.

use axum::Router;
use axum::routing::get;
use cloakroom::{Config, Cookie, MessagePack, SecretKey, Session, Ttl, Unsigned, cookie_name};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::site::{Account, Probe, Site, routes};
use crate::support::browser::{Browser, send};
use crate::support::watched::{Op, Watched};

/// Reads with these `Cookie` headers: there is no session, nothing is written, and the
/// browser keeps what it has. Another instance may know the id or the key.
async fn assert_no_session<V: AsRef<[u8]> + Sync>(site: &Site, cookies: &[V]) {
    let router = routes().layer(site.config().layer());
    site.take_calls();

    let reply = send(&router, "/read", headers(cookies)).await;
    let shown = cookies.iter().map(|cookie| {
        let start = &cookie.as_ref()[..cookie.as_ref().len().min(120)];
        String::from_utf8_lossy(start).into_owned()
    });
    let shown = shown.collect::<Vec<_>>();
    assert_eq!(reply.status, StatusCode::OK, "{shown:?}");
    assert_eq!(reply.body, "new", "{shown:?}");
    assert_eq!(reply.set_cookies(), [""; 0], "{shown:?}");
    assert!(site.take_calls().iter().all(|op| *op == Op::Load), "{shown:?}");
}

fn headers<V: AsRef<[u8]>>(cookies: &[V]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for cookie in cookies {
        headers.append(COOKIE, HeaderValue::from_bytes(cookie.as_ref()).expect("a header value"));
    }
    headers
}

/// A site, and the `Cookie` header of a session there.
async fn site_and_cookie() -> (Site, String) {
    let site = Site::new();
    let cookie = site.known_browser().await.cookies().expect("a cookie");
    (site, cookie)
}

#[tokio::test]
async fn a_signed_cookie_that_the_store_does_not_know_is_no_session() {
    let (_, cookie) = site_and_cookie().await;
    assert_no_session(&Site::new(), &[cookie]).await;
}

#[tokio::test]
async fn an_expired_session_is_no_session() {
    let (site, cookie) = site_and_cookie().await;
    site.advance(Ttl::days(31));
    assert_no_session(&site, &[cookie]).await;
}

#[tokio::test]
async fn a_cookie_with_any_character_changed_is_no_session_and_not_looked_up() {
    let (site, cookie) = site_and_cookie().await;
    site.take_calls();
    let start = "__Host-id=".len();
    for at in start..cookie.len() {
        let mut changed = cookie.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_no_session(&site, &[&changed]).await;
        assert_eq!(site.take_calls(), [], "nothing is looked up before the tag is verified");
    }
}

#[tokio::test]
async fn a_cookie_cut_anywhere_is_no_session() {
    let (site, cookie) = site_and_cookie().await;
    for end in "__Host-id=".len()..cookie.len() {
        assert_no_session(&site, &[&cookie[..end]]).await;
    }
}

#[tokio::test]
async fn a_cookie_with_anything_around_it_is_no_session() {
    let (site, cookie) = site_and_cookie().await;
    let signed = cookie.strip_prefix("__Host-id=").expect("the name");
    for value in [
        format!("\"{signed}\""),
        format!("{signed}="),
        format!("{signed}.{signed}"),
        format!("{signed}A"),
        format!("A{signed}"),
        format!("={signed}"),
        format!("%00{signed}"),
    ] {
        assert_no_session(&site, &[format!("__Host-id={value}")]).await;
    }
}

#[tokio::test]
async fn an_oversized_cookie_is_no_session() {
    const MIB: usize = 1 << 20;
    let (site, cookie) = site_and_cookie().await;
    assert_no_session(&site, &[format!("__Host-id={}", "A".repeat(MIB))]).await;
    assert_no_session(&site, &[format!("{cookie}{}", "A".repeat(MIB))]).await;
    assert_no_session(&site, &[format!("__Host-id=A{}", ";".repeat(MIB))]).await;
    assert_no_session(&site, &["__Host-id=A;".repeat(MIB / 12)]).await;
    assert_no_session(&site, &[format!("{};__Host-id=A", "A".repeat(MIB))]).await;
}

#[tokio::test]
async fn a_cookie_that_is_not_utf_8_is_no_session() {
    let (site, cookie) = site_and_cookie().await;
    assert_no_session(&site, &[b"__Host-id=\xff\xfe"]).await;
    let behind = [cookie.as_bytes(), b"\x80"].concat();
    assert_no_session(&site, &[behind]).await;
}

#[tokio::test]
async fn many_malformed_cookies_are_no_session() {
    let (site, cookie) = site_and_cookie().await;
    let cut = &cookie[..cookie.len() - 1];
    assert_no_session(&site, &["__Host-id=", cut, "__Host-id=A; __Host-id=B"]).await;
}

#[tokio::test]
async fn a_dead_cookie_stays_in_the_browser_until_a_new_session_takes_its_place() {
    let site = Site::new();
    let browser = site.known_browser().await;
    let dead = browser.cookies();
    site.advance(Ttl::days(31));
    for _ in 0..2 {
        assert_eq!(browser.get("/read").await.set_cookies(), [""; 0]);
        assert_eq!(browser.cookies(), dead);
    }
    assert_eq!(browser.get("/visit").await.set_cookies().len(), 1);
    assert_ne!(browser.cookies(), dead);
    assert_eq!(browser.get("/read").await.body, "1 visits");
}

#[tokio::test]
async fn other_cookies_are_none_of_our_business() {
    let site = Site::new();
    let router = routes().layer(site.config().layer());
    for cookie in ["theme=dark", "__Host-id", "x__Host-id=A", "__Host-idx=A", "__host-id=A", ";;="]
    {
        let reply = send(&router, "/read", headers(&[cookie])).await;
        assert_eq!(reply.body, "new");
        assert_eq!(reply.set_cookies(), [""; 0], "{cookie}");
    }
}

#[tokio::test]
async fn the_cookie_that_verifies_is_taken_in_whatever_order_it_comes() {
    let (site, cookie) = site_and_cookie().await;
    let router = routes().layer(site.config().layer());
    let cut = cookie[..cookie.len() - 1].to_owned();
    let pieces = [cookie, cut, "__Host-id=".to_owned(), "theme=dark".to_owned()];

    for order in permutations(pieces.to_vec()) {
        for cookies in [vec![order.join("; ")], vec![order.join(";")], order] {
            let reply = send(&router, "/read", headers(&cookies)).await;
            assert_eq!(reply.body, "1 visits", "{cookies:?}");
            assert_eq!(reply.set_cookies(), [""; 0], "{cookies:?}");
        }
    }
}

#[tokio::test]
async fn a_cookie_beside_one_that_is_not_utf_8_is_found() {
    let (site, cookie) = site_and_cookie().await;
    let router = routes().layer(site.config().layer());
    for cookies in [
        [b"__Host-id=\xff; ".as_slice(), cookie.as_bytes()].concat(),
        [cookie.as_bytes(), b"; theme=\xff"].concat(),
    ] {
        assert_eq!(send(&router, "/read", headers(&[cookies])).await.body, "1 visits");
    }
}

#[tokio::test]
async fn an_id_that_a_client_made_up_is_never_adopted() {
    type Unsealed = Session<Watched<Probe>, MessagePack<Account>, Unsigned>;

    // Unsigned, so that nothing but this promise stands in the way.
    let site = Site::new();
    let sessions = Config::new().store(site.store.clone()).data::<Account>().build();
    let visit = get(|mut session: Unsealed| async move {
        session.visits += 1;
        session.save().await.expect("saved");
        session.id().expect("an id").as_str().to_owned()
    });
    let router = Router::new().route("/", visit).layer(sessions.layer());

    let planted = "A".repeat(43);
    let reply = send(&router, "/", headers(&[format!("__Host-id={planted}")])).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.body.len(), planted.len());
    assert_ne!(reply.body, planted);
    assert!(reply.set_cookies()[0].starts_with(&format!("__Host-id={};", reply.body)));

    let again = send(&router, "/", headers(&[format!("__Host-id={planted}")])).await;
    assert_ne!(again.body, reply.body, "the planted id leads nowhere");
}

#[tokio::test]
async fn a_value_of_another_cookie_is_refused_though_the_same_key_signed_it() {
    let site = Site::new();
    let carts = site.config().cookie(Cookie::host(cookie_name!("cart")));
    let shop = Browser::new(routes().layer(carts.layer()));
    shop.get("/visit").await;
    let cookie = shop.cookies().expect("a cookie");
    let value = cookie.strip_prefix("__Host-cart=").expect("the name");

    assert_no_session(&site, &[format!("__Host-id={value}")]).await;
    assert_eq!(shop.get("/read").await.body, "1 visits", "it is good where it belongs");
}

#[tokio::test]
async fn a_cookie_that_another_key_signed_is_refused() {
    let (site, _) = site_and_cookie().await;
    let other = Config::new()
        .store(site.store.clone())
        .data::<Account>()
        .signed()
        .secret_key(SecretKey::new([8; 32]))
        .clock(site.clock.clone());
    let browser = Browser::new(routes().layer(other.layer()));
    let reply = browser.get("/visit").await;
    assert_eq!(reply.body, "1");
    assert_no_session(&site, &[browser.cookies().expect("a cookie")]).await;
}

fn permutations(items: Vec<String>) -> Vec<Vec<String>> {
    let Some((last, rest)) = items.split_last() else { return vec![vec![]] };
    let shorter = permutations(rest.to_vec());
    let insert = |order: &Vec<String>, at: usize| {
        let mut order = order.clone();
        order.insert(at, last.clone());
        order
    };
    shorter.iter().flat_map(|order| (0..=order.len()).map(move |at| insert(order, at))).collect()
}
