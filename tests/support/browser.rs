//! A tiny browser: it keeps cookies, and sends requests to a router.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use tower::ServiceExt;

/// Clones share their cookies, as the tabs of one browser do.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) router: Router,
    pub(crate) jar: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    pub(crate) fn new(router: Router) -> Self {
        Self { router, jar: Arc::default() }
    }

    /// Sends the cookies, and keeps those that the reply sets.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        let mut headers = HeaderMap::new();
        if let Some(cookies) = self.cookies() {
            headers.insert(COOKIE, HeaderValue::try_from(cookies).expect("cookies are ASCII"));
        }
        let reply = send(&self.router, path, headers).await;
        self.keep(&reply.headers);
        reply
    }

    /// Keeps the cookies that a response sets.
    pub(crate) fn keep(&self, response: &HeaderMap) {
        self.with_jar(|jar| set_cookies(response).iter().for_each(|cookie| keep(jar, cookie)));
    }

    /// The `Cookie` header; `None` without cookies.
    pub(crate) fn cookies(&self) -> Option<String> {
        let pairs =
            self.with_jar(|jar| jar.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>());
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn with_jar<R>(&self, use_it: impl FnOnce(&mut BTreeMap<String, String>) -> R) -> R {
        use_it(&mut self.jar.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// `Max-Age=0` removes a cookie.
fn keep(jar: &mut BTreeMap<String, String>, set_cookie: &str) {
    let (pair, attributes) = set_cookie.split_once("; ").expect("a cookie has attributes");
    let (name, value) = pair.split_once('=').expect("a cookie has a name");
    if attributes.split("; ").any(|attribute| attribute == "Max-Age=0") {
        jar.remove(name);
    } else {
        jar.insert(name.to_owned(), value.to_owned());
    }
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        set_cookies(&self.headers)
    }
}

fn set_cookies(response: &HeaderMap) -> Vec<&str> {
    let cookies = response.get_all(SET_COOKIE).iter();
    cookies.map(|cookie| cookie.to_str().expect("a cookie is ASCII")).collect()
}

/// A request with no cookies but those in `headers`.
pub(crate) async fn send(router: &Router, path: &str, headers: HeaderMap) -> Reply {
    let mut request = Request::get(path).body(Body::empty()).expect("a path");
    *request.headers_mut() = headers;
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a short body");
    let body = String::from_utf8(body.to_vec()).expect("a body of text");
    Reply { status: parts.status, headers: parts.headers, body }
}
