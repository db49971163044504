//! Contestants over axum: a router in this process.

use std::rc::Rc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Uri};
use tokio::runtime::Runtime;
use tower::Service;

use super::BARE;
use crate::app::{Answer, App};
use crate::case::Case;
use crate::count::allocations;

/// A router and the cookies of its sessions.
pub struct RouterApp {
    name: &'static str,
    router: Router,
    cookies: Vec<HeaderValue>,
    next: usize,
    runtime: Rc<Runtime>,
}

impl RouterApp {
    pub fn new(name: &'static str, router: Router, runtime: &Rc<Runtime>) -> Self {
        // Layers are made here, and one of them starts a task.
        let _guard = runtime.enter();
        // Without a state, axum would apply the layers again on every request.
        let router = router.with_state(());
        Self { name, router, cookies: Vec::new(), next: 0, runtime: runtime.clone() }
    }

    async fn answer(&mut self, case: Case) -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = Uri::from_static(case.path());
        if case.has_cookie() {
            request.headers_mut().insert(COOKIE, self.cookies[self.next].clone());
            self.next = (self.next + 1) % self.cookies.len();
        }
        call(&mut self.router, request).await
    }
}

impl App for RouterApp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn baseline(&self) -> &'static str {
        BARE
    }

    fn ask(&mut self, path: &str, cookie: Option<&str>) -> Answer {
        let runtime = self.runtime.clone();
        runtime.block_on(ask(&mut self.router, path, cookie))
    }

    fn use_cookies(&mut self, cookies: Vec<String>) {
        self.cookies = cookies
            .into_iter()
            .map(|cookie| HeaderValue::try_from(cookie).expect("ASCII"))
            .collect();
    }

    fn run(&mut self, case: Case, requests: u32) -> Duration {
        let runtime = self.runtime.clone();
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..requests {
                drop(self.answer(case).await);
            }
            start.elapsed()
        })
    }

    fn allocations(&mut self, case: Case) -> u64 {
        let runtime = self.runtime.clone();
        allocations(|| drop(runtime.block_on(self.answer(case))))
    }
}

/// One request and all of its response.
pub async fn ask(router: &mut Router, path: &str, cookie: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(path);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let response = call(router, request.body(Body::empty()).expect("a request")).await;
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    Answer {
        status: head.status.as_u16(),
        cookie: cookie_of(&head.headers),
        body: String::from_utf8(body.to_vec()).expect("text"),
    }
}

pub async fn call(router: &mut Router, request: Request<Body>) -> Response {
    match router.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The cookies as a browser sends them back.
fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let pairs: Vec<&str> = headers
        .get_all(SET_COOKIE)
        .iter()
        .map(|header| header.to_str().expect("ASCII"))
        .map(|cookie| cookie.split(';').next().expect("a pair"))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}
