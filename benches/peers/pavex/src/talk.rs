//! Answers the questions of the benchmark, a line for a line.

use std::io::{Write, stdin, stdout};
use std::time::Instant;

use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use http_body_util::BodyExt;
use pavex::Response;
use pavex::http::{HeaderValue, Method, Uri, Version};
use pavex::request::RequestHead;
use tokio::runtime::{Builder, Runtime};

use crate::case::Case;
use crate::count::allocations;
use crate::site::{Site, answer_bare};

/// Until the input ends.
pub fn talk() {
    let mut talker = Talker {
        runtime: Builder::new_current_thread().enable_all().build().expect("a runtime"),
        site: Site::in_memory(),
        cookies: [const { Vec::new() }; 2],
        next: 0,
    };
    for line in stdin().lines() {
        let answer = talker.answer(&line.expect("text"));
        println!("{answer}");
        stdout().flush().expect("an open standard output");
    }
}

struct Talker {
    runtime: Runtime,
    site: Site,
    /// For requests without sessions, and with them.
    cookies: [Vec<HeaderValue>; 2],
    next: usize,
}

impl Talker {
    fn answer(&mut self, line: &str) -> String {
        let (which, question) = line.split_once(' ').expect("two words");
        let sessions = which == "session";
        let (verb, rest) = question.split_once(' ').expect("two words");
        match verb {
            "ask" => self.ask(sessions, rest),
            "cookie" => {
                let cookie = HeaderValue::from_str(rest).expect("ASCII");
                self.cookies[usize::from(sessions)].push(cookie);
                "kept".to_owned()
            }
            "run" => {
                let (case, requests) = rest.split_once(' ').expect("two numbers");
                let case = case_of(case);
                let requests: u32 = requests.parse().expect("a number");
                let Self { runtime, site, cookies, next } = self;
                let mut visitors = Visitors { cookies: &cookies[usize::from(sessions)], next };
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..requests {
                        drop(send(site, sessions, visitors.request(case)).await);
                    }
                    start.elapsed().as_nanos().to_string()
                })
            }
            "count" => {
                let case = case_of(rest);
                let Self { runtime, site, cookies, next } = self;
                let mut visitors = Visitors { cookies: &cookies[usize::from(sessions)], next };
                let mut one = || runtime.block_on(send(site, sessions, visitors.request(case)));
                allocations(|| drop(one())).to_string()
            }
            _ => panic!("{line}?"),
        }
    }

    fn ask(&self, sessions: bool, rest: &str) -> String {
        let (path, cookie) = rest.split_once(' ').expect("a path and a cookie");
        let mut head = head(path.parse().expect("a path"));
        if cookie != "-" {
            head.headers.insert(COOKIE, HeaderValue::from_str(cookie).expect("ASCII"));
        }
        let response = self.runtime.block_on(send(&self.site, sessions, head));
        let status = response.status().as_u16();
        let set = response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().expect("ASCII"));
        let cookie = set.and_then(|cookie| cookie.split(';').next()).unwrap_or("-").to_owned();
        let (_, body) = response.into_parts();
        let body = self.runtime.block_on(body.collect()).expect("a body").to_bytes();
        format!("{status}\t{cookie}\t{}", String::from_utf8_lossy(&body))
    }
}

/// The sessions, whose cookies the requests use in turn.
struct Visitors<'a> {
    cookies: &'a [HeaderValue],
    next: &'a mut usize,
}

impl Visitors<'_> {
    fn request(&mut self, case: Case) -> RequestHead {
        let mut head = head(Uri::from_static(case.path()));
        if case.has_cookie() {
            *self.next = (*self.next + 1) % self.cookies.len();
            head.headers.insert(COOKIE, self.cookies[*self.next].clone());
        }
        head
    }
}

async fn send(site: &Site, sessions: bool, head: RequestHead) -> Response {
    if sessions { site.answer(head).await } else { answer_bare(head).await }
}

fn head(target: Uri) -> RequestHead {
    let headers = HeaderMap::new();
    RequestHead { method: Method::GET, target, version: Version::HTTP_11, headers }
}

fn case_of(number: &str) -> Case {
    Case::ALL[number.parse::<usize>().expect("a number")]
}
