//! What a shared cache may keep of a response.

use std::collections::HashMap;

use axum::Router;
use axum::routing::get;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName};
use tracing::Level;

use crate::log::Log;
use crate::site::{Customer, Site};
use crate::support::browser::{Reply, send};

/// A site with one page, which says this to caches.
fn page(site: &Site, says: &'static [&'static str], act: fn(&mut Customer)) -> Router {
    let answer = move |mut session: Customer| async move {
        act(&mut session);
        let mut headers = HeaderMap::new();
        for value in says {
            headers.append(CACHE_CONTROL, value.parse().expect("a header"));
        }
        (headers, "a page")
    };
    Router::new().route("/", get(answer)).layer(site.sessions.layer())
}

fn directives(reply: &Reply) -> Vec<String> {
    let lists = reply.headers.get_all(CACHE_CONTROL).iter();
    let lists = lists.map(|list| list.to_str().expect("ASCII").to_ascii_lowercase());
    lists
        .flat_map(|list| list.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>())
        .collect()
}

/// A shared cache as RFC 9111 describes it, which obeys `Vary`.
#[derive(Default)]
struct SharedCache {
    kept: HashMap<String, HeaderMap>,
}

impl SharedCache {
    /// The headers that a visitor gets.
    async fn get(&mut self, router: &Router, request: HeaderMap) -> HeaderMap {
        let key = format!("{:?}", request.get("cookie"));
        if let Some(kept) = self.kept.get(&key) {
            return kept.clone();
        }
        let reply = send(router, "/", request).await;
        assert_eq!(reply.headers[VARY], "cookie", "what the key is made of");
        let says = directives(&reply);
        let has = |name: &str| says.iter().any(|one| one.split('=').next() == Some(name));
        let may_keep = !has("private")
            && !has("no-store")
            && (has("public") || has("s-maxage") || has("max-age"));
        if may_keep {
            self.kept.insert(key, reply.headers.clone());
        }
        reply.headers
    }
}

const SHAREABLE: [&[&str]; 6] = [
    &["public, max-age=60"],
    &["Public"],
    &["max-age=60, s-maxage=600"],
    &["S-MaxAge=600"],
    &["max-age=60", "public"],
    &["max-age=60"],
];

#[tokio::test]
async fn two_strangers_behind_a_shared_cache_have_two_sessions() {
    for says in SHAREABLE {
        let site = Site::new();
        let router = page(&site, says, |session| session.n += 1);
        let mut cache = SharedCache::default();
        let [one, other] = [
            cache.get(&router, HeaderMap::new()).await,
            cache.get(&router, HeaderMap::new()).await,
        ];
        assert_ne!(one[SET_COOKIE], other[SET_COOKIE], "{says:?}");
    }
}

#[tokio::test]
async fn a_response_that_carries_the_cookie_is_private_whatever_the_application_said() {
    for says in SHAREABLE {
        let site = Site::new();
        let router = page(&site, says, |session| session.n += 1);
        let reply = send(&router, "/", HeaderMap::new()).await;
        assert_eq!(reply.set_cookies().len(), 1);
        assert_private(&reply, says);
    }
}

#[tokio::test]
async fn a_response_that_removes_the_cookie_is_private_too() {
    for says in SHAREABLE {
        let site = Site::new();
        let ada = site.ada().await;
        let reply = send(&page(&site, says, |session| session.destroy()), "/", ada).await;
        assert!(reply.set_cookies().concat().contains("Max-Age=0"));
        assert_private(&reply, says);
    }
}

#[track_caller]
fn assert_private(reply: &Reply, says: &[&str]) {
    let directives = directives(reply);
    assert!(directives.iter().any(|one| one == "private"), "{says:?}: {directives:?}");
    let shares = |one: &String| one == "public" || one.starts_with("s-maxage");
    assert!(!directives.iter().any(shares), "{says:?}: {directives:?}");
    let names_an_age = says.concat().contains("max-age=60");
    assert_eq!(directives.iter().any(|one| one == "max-age=60"), names_an_age, "{directives:?}");
}

#[tokio::test]
async fn what_the_application_said_to_caches_stays_where_no_cache_may_share() {
    for says in [&["no-store"][..], &["private, max-age=60"]] {
        let site = Site::new();
        let router = page(&site, says, |session| session.n += 1);
        let reply = send(&router, "/", HeaderMap::new()).await;
        assert_eq!(values(&reply, CACHE_CONTROL), says);
    }
}

/// A cache that knows the status ignores `no-store` beside `must-understand` (RFC 9111,
/// section 5.2.2.3).
#[tokio::test]
async fn no_store_that_a_cache_may_ignore_keeps_no_cookie_private() {
    let says = &["max-age=60, must-understand, no-store"];
    let site = Site::new();
    let router = page(&site, says, |session| session.n += 1);
    let reply = send(&router, "/", HeaderMap::new()).await;
    assert_private(&reply, says);
    assert!(directives(&reply).iter().any(|one| one == "no-store"));
}

/// Some caches obey a header of their own, and `Cache-Control` only without it (RFC 9213).
#[test]
fn a_header_for_caches_of_one_kind_shares_no_cookie() {
    const OWN: [&str; 3] = ["cdn-cache-control", "surrogate-control", "example-cdn-cache-control"];
    Log::of(async |log| {
        for name in OWN {
            for (says, stays) in [("max-age=60", false), ("Public", false), ("no-store", true)] {
                let answer = move |mut session: Customer| async move {
                    session.n += 1;
                    ([(name, says)], "a page")
                };
                let site = Site::new();
                let router = Router::new().route("/", get(answer)).layer(site.sessions.layer());
                let reply = send(&router, "/", HeaderMap::new()).await;
                assert_eq!(reply.set_cookies().len(), 1);
                assert_eq!(directives(&reply), ["private"]);
                assert_eq!(reply.headers.contains_key(name), stays, "{name}: {says}");
                let warnings = log.take();
                assert_eq!(warnings.len(), usize::from(!stays), "{warnings:?}");
                assert!(warnings.iter().all(|(_, line)| line.contains(name)), "{warnings:?}");
            }
        }
    });
}

#[tokio::test]
async fn a_response_without_the_cookie_says_what_the_application_said() {
    for says in SHAREABLE {
        let site = Site::new();
        let ada = site.ada().await;
        for cookies in [ada, HeaderMap::new()] {
            let reply = send(&page(&site, says, |_| ()), "/", cookies).await;
            assert_eq!(reply.set_cookies().len(), 0);
            assert_eq!(values(&reply, CACHE_CONTROL), says);
        }
    }
}

#[test]
fn a_response_that_is_made_private_leaves_a_warning() {
    Log::of(async |log| {
        let site = Site::new();
        let router = page(&site, &["public"], |session| session.n += 1);
        send(&router, "/", HeaderMap::new()).await;
        let warnings = log.take();
        let [(Level::WARN, line)] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(line.to_ascii_lowercase().contains("cache-control"), "{line}");
    });
}

fn values(reply: &Reply, name: HeaderName) -> Vec<&str> {
    reply.headers.get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect()
}
