//! The stores in memory: many tasks at once, and what a session takes.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use http::header::COOKIE;
use http::{HeaderValue, Request, Uri};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, yield_now};

use crate::app::filled;
use crate::apps::{
    BARE, CLOAKROOM, LIFETIME, REFERENCE, TOWER_SESSIONS, bare, cloakroom, reference,
    routers::{ask, call},
    tower_sessions,
};
use crate::children::{Talker, build};
use crate::count::bytes_kept;
use crate::report::{Goal, Table, median};

const TASKS: usize = 64;
const THREADS: usize = 2;
/// A store in memory never makes a task wait, so the tasks yield by themselves.
const REQUESTS_IN_A_TURN: usize = 16;

/// How long and how often.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub turn: Duration,
    pub many_sessions: usize,
}

fn router(name: &str, sessions: usize, lifetime: Duration) -> Router {
    match name {
        BARE => bare::router(),
        REFERENCE => reference::in_memory(lifetime),
        CLOAKROOM => cloakroom::in_memory(sessions, lifetime),
        TOWER_SESSIONS => tower_sessions::in_memory(lifetime),
        _ => panic!("{name} takes no part"),
    }
    // Without a state, axum would apply the layers again on every request.
    .with_state(())
}

pub fn measure(effort: Effort) -> Vec<Table> {
    let few = load(1_000, effort);
    let many = load(effort.many_sessions, effort);
    let title =
        format!("Reads per second, {TASKS} tasks on {THREADS} threads, by sessions in the store");
    let mut table = Table::new("memory-load", title, "1/s", [few.0, many.0]);
    for ((name, few), (_, many)) in few.1.into_iter().zip(many.1) {
        table.row(name, vec![Some(few), Some(many)]);
    }
    vec![table, bytes(effort.many_sessions)]
}

/// The contestants, and their requests per second with so many sessions.
fn load(sessions: usize, effort: Effort) -> (String, Vec<(&'static str, f64)>) {
    let runtime = Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let apps = [BARE, REFERENCE, CLOAKROOM, TOWER_SESSIONS].map(|name| {
        let mut router = router(name, sessions, LIFETIME);
        let cookies = runtime.block_on(cookies(name, &mut router, sessions));
        (name, router, Arc::<[HeaderValue]>::from(cookies))
    });
    let mut figures = [const { Vec::new() }; 4];
    for round in 0..effort.rounds {
        for turn in 0..apps.len() {
            let index = (round + turn) % apps.len();
            let (_, router, cookies) = &apps[index];
            figures[index].push(reads_per_second(&runtime, router, cookies, effort.turn));
        }
    }
    let medians = apps.iter().zip(figures).map(|((name, ..), all)| (*name, median(all)));
    (crate::report::readable(sessions as f64), medians.collect())
}

async fn cookies(name: &str, router: &mut Router, sessions: usize) -> Vec<HeaderValue> {
    let mut cookies = Vec::with_capacity(sessions);
    if name == BARE {
        cookies.push(HeaderValue::from_static("id=unknown"));
        return cookies;
    }
    for _ in 0..sessions {
        let cookie = filled(name, ask(router, "/fill/0", None).await);
        cookies.push(HeaderValue::try_from(cookie).expect("ASCII"));
    }
    cookies
}

fn reads_per_second(
    runtime: &Runtime,
    router: &Router,
    cookies: &Arc<[HeaderValue]>,
    time: Duration,
) -> f64 {
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let start = Instant::now();
        for task in 0..TASKS {
            let (mut router, cookies) = (router.clone(), cookies.clone());
            tasks.spawn(async move {
                let mut requests = 0_u64;
                let mut random = task as u64 * 7_919 + 1;
                while start.elapsed() < time {
                    for _ in 0..REQUESTS_IN_A_TURN {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        let cookie = &cookies[(random >> 33) as usize % cookies.len()];
                        let response = call(&mut router, request(cookie.clone())).await;
                        assert!(response.status().is_success());
                        requests += 1;
                    }
                    yield_now().await;
                }
                requests
            });
        }
        let requests: u64 = tasks.join_all().await.into_iter().sum();
        requests as f64 / start.elapsed().as_secs_f64()
    })
}

fn request(cookie: HeaderValue) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static("/read");
    request.headers_mut().insert(COOKIE, cookie);
    request
}

/// From the program that counts.
fn bytes(sessions: usize) -> Table {
    let columns = ["live", "after all have expired"];
    let title = "Bytes in the store for each session that was made";
    let mut table = Table::new("memory-bytes", title, "bytes", columns);
    let program = build("Cargo.toml", "count");
    for name in [REFERENCE, CLOAKROOM, TOWER_SESSIONS] {
        let mut counter = Talker::start(std::process::Command::new(&program).arg("-"));
        let answer = counter.ask(&format!("bytes {sessions} {name}"));
        let figures: [f64; 2] = serde_json::from_str(&answer).expect("two numbers");
        table.row(name, figures.map(Some).to_vec());
    }
    table
}

/// What the program that counts answers: bytes for each session while they live,
/// and once they are expired and the application went on answering.
pub fn count(name: &str, sessions: usize) -> [f64; 2] {
    let live = kept(name, sessions, LIFETIME, |_, _, _| {});
    let lifetime = Duration::from_secs(5);
    let expiring = sessions / 10;
    let expired = kept(name, expiring, lifetime, |runtime, router, cookies| {
        sleep(lifetime + Duration::from_millis(100));
        // Nothing asks the store to remove them: the requests carry dead ids.
        for cookie in cookies.iter().cycle().take(expiring) {
            drop(runtime.block_on(call(router, request(cookie.clone()))));
        }
    });
    [live, expired]
}

/// Bytes for each of so many sessions, after something was done with them.
fn kept(
    name: &str,
    sessions: usize,
    lifetime: Duration,
    then: impl Fn(&Runtime, &mut Router, &[HeaderValue]),
) -> f64 {
    const COOKIES: usize = 1_000;
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut router = router(name, sessions, lifetime);
    assert_eq!(runtime.block_on(ask(&mut router, "/show", None)).status, 200);
    let bytes = bytes_kept(|| {
        let mut cookies = Vec::with_capacity(COOKIES);
        for session in 0..sessions {
            let cookie = filled(name, runtime.block_on(ask(&mut router, "/fill/0", None)));
            if session < COOKIES {
                cookies.push(HeaderValue::try_from(cookie).expect("ASCII"));
            }
        }
        then(&runtime, &mut router, &cookies);
    });
    bytes as f64 / sessions as f64
}

/// The goals, as far as these tables tell.
pub fn goals(tables: &[Table]) -> Vec<Goal> {
    let table = |id: &str| tables.iter().find(|table| table.id == id).expect("measured");
    let load = table("memory-load");
    let mut goals = Vec::new();
    for (column, limit) in load.columns.iter().zip([3.0, 5.0]) {
        let figure = load.at(CLOAKROOM, column) / load.at(TOWER_SESSIONS, column);
        let what = format!("reads/s with {column} sessions in memory / tower-sessions");
        goals.push(Goal::at_least(what, figure, limit));
    }
    let bytes = table("memory-bytes");
    goals.push(Goal::at_most("bytes a session in memory", bytes.at(CLOAKROOM, "live"), 300.0));
    let left = bytes.at(CLOAKROOM, "after all have expired") / bytes.at(CLOAKROOM, "live");
    goals.push(Goal::at_most("part of the memory that is left after expiry", left, 0.1));
    goals
}
