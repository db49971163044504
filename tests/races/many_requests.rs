//! Many requests at once through the layer, on several threads.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use cloakroom::{Config, Memory, MessagePack, Postcard, Session, Unsigned};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::bank::{ADA, Bank, Customer};
use crate::support::browser::{Browser, Reply, send};

/// Sends all the requests at once, and hands out the replies in the order in
/// which they came.
async fn at_once<P: Into<String>>(
    browser: &Browser,
    paths: impl IntoIterator<Item = P>,
) -> Vec<Reply> {
    let mut requests = JoinSet::new();
    for path in paths {
        let (browser, path) = (browser.clone(), path.into());
        requests.spawn(async move { browser.get(&path).await });
    }
    requests.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn five_hundred_concurrent_increments_all_survive() {
    async fn visit(mut session: Customer) -> Result<String, cloakroom::Error> {
        let visits = session
            .update(|account| {
                account.visits += 1;
                account.visits
            })
            .await?;
        Ok(visits.to_string())
    }
    let bank = Bank::new(1, 1);
    let browser = Browser::new(Router::new().route("/", get(visit)).layer(bank.sessions.layer()));
    assert_eq!(browser.get("/").await.body, "1");

    let replies = at_once(&browser, ["/"; 500]).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK));
    let mut counts = replies.iter().map(|reply| reply.body.parse::<u32>()).collect::<Vec<_>>();
    counts.sort_by_key(|count| count.clone().ok());
    assert!(counts.into_iter().map(|count| count.expect("a number")).eq(2..=501));
    assert_eq!(browser.get("/").await.body, "502");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_that_each_add_a_key_lose_none() {
    type Map = HashMap<String, u32>;
    type Bag = Session<Memory, MessagePack<Map>, Unsigned>;

    let together = Arc::new(Barrier::new(100));
    let add = move |mut bag: Bag, Path(name): Path<String>| async move {
        // All have opened the session before one of them saves it.
        together.wait().await;
        bag.insert(name, 1);
    };
    let list = async |bag: Bag| bag.len().to_string();
    let start = async |mut bag: Bag| {
        bag.insert("first".to_owned(), 0);
    };
    let routes = Router::new()
        .route("/start", get(start))
        .route("/add/{name}", get(add))
        .route("/list", get(list));
    let config = Config::new().store(Memory::new()).codec(MessagePack::<Map>::new());
    let browser = Browser::new(routes.layer(config.layer()));
    browser.get("/start").await;

    let replies = at_once(&browser, (0..100).map(|i| format!("/add/{i}"))).await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK));
    assert_eq!(browser.get("/list").await.body, "101");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_that_each_change_another_field_lose_no_change() {
    #[derive(Default, Serialize, Deserialize)]
    struct Form {
        name: String,
        age: Option<u32>,
        tags: Vec<String>,
        size: (u8, u8),
        total: u64,
        done: bool,
    }
    type FormSession = Session<Memory, Postcard<Form>, Unsigned>;

    let together = Arc::new(Barrier::new(6));
    let set = move |mut form: FormSession, Path(round_and_field): Path<(u32, u32)>| async move {
        together.wait().await;
        let (round, field) = round_and_field;
        match field {
            0 => form.name = "x".repeat(round as usize),
            1 => form.age = Some(round),
            2 => form.tags.push(round.to_string()),
            3 => form.size.1 = round as u8,
            4 => form.total += 1,
            _ => form.done = !form.done,
        }
    };
    let show = async |form: FormSession| {
        let Form { name, age, tags, size, total, done } = &*form;
        format!("{} {age:?} {} {} {total} {done}", name.len(), tags.len(), size.1)
    };
    let routes = Router::new().route("/{round}/{field}", get(set)).route("/", get(show));
    let sessions = Config::new().store(Memory::new()).codec(Postcard::<Form>::new()).build();
    let mut first = HeaderMap::new();
    let mut session = sessions.open(&first).await.expect("opened");
    session.tags.push("0".to_owned());
    session.close(&mut first).await.expect("closed");
    let browser = Browser::new(routes.layer(sessions.layer()));
    browser.keep(&first);

    for round in 1..=50 {
        at_once(&browser, (0..6).map(|field| format!("/{round}/{field}"))).await;
        let done = round % 2 == 1;
        let expected = format!("{round} Some({round}) {} {round} {round} {done}", round + 1);
        assert_eq!(browser.get("/").await.body, expected);
    }
}

/// Routes whose handlers wait for each other once they have their session, so
/// that `in_flight` requests really meet.
fn meeting(bank: &Bank, in_flight: usize) -> Router {
    let together = Arc::new(Barrier::new(in_flight));
    let [at_save, at_update, at_rotate, at_sign_out] = [(); 4].map(|()| together.clone());
    let save = move |mut session: Customer| async move {
        at_save.wait().await;
        session.visits += 1;
    };
    let update = move |mut session: Customer| async move {
        at_update.wait().await;
        session.update(|account| account.visits += 1).await
    };
    let rotate = move |mut session: Customer| async move {
        at_rotate.wait().await;
        session.rotate();
    };
    let sign_out = move |mut session: Customer| async move {
        at_sign_out.wait().await;
        session.destroy();
    };
    let sign_in = async |mut session: Customer| session.user = ADA.to_owned();
    let whoami = async |session: Customer| session.user.clone();
    Router::new()
        .route("/save", get(save))
        .route("/update", get(update))
        .route("/rotate", get(rotate))
        .route("/sign-out", get(sign_out))
        .route("/sign-in", get(sign_in))
        .route("/whoami", get(whoami))
        .layer(bank.sessions.layer())
}

/// Lets the requests of one browser meet, `rounds` times; hands the end of each
/// round to `check`: the browser, and every ticket that there was.
async fn rounds(rounds: usize, paths: &[&str], check: impl AsyncFn(&Bank, &Browser, Vec<Ticket>)) {
    for _ in 0..rounds {
        let bank = Bank::new(1, 0);
        let router = meeting(&bank, paths.len());
        let browser = Browser::new(router.clone());
        let mut replies = vec![browser.get("/sign-in").await];
        replies.extend(at_once(&browser, paths.iter().copied()).await);

        let status = |reply: &Reply| reply.status;
        let fine = [StatusCode::OK, StatusCode::CONFLICT];
        assert!(replies.iter().map(status).all(|status| fine.contains(&status)));
        let cookies = replies.iter().flat_map(Reply::set_cookies);
        let tickets = cookies.filter(|cookie| !cookie.contains("Max-Age=0"));
        let tickets = tickets.map(|ticket| Ticket::new(&router, ticket)).collect();
        check(&bank, &browser, tickets).await;
    }
}

struct Ticket {
    router: Router,
    headers: HeaderMap,
}

impl Ticket {
    fn new(router: &Router, set_cookie: &str) -> Self {
        let (pair, _) = set_cookie.split_once(';').expect("attributes");
        let cookie = HeaderValue::from_str(pair).expect("ASCII");
        Self { router: router.clone(), headers: HeaderMap::from_iter([(COOKIE, cookie)]) }
    }

    async fn leads_to_ada(self) -> bool {
        send(&self.router, "/whoami", self.headers).await.body == ADA
    }
}

async fn assert_signed_out(bank: &Bank, browser: &Browser, tickets: Vec<Ticket>) {
    assert_eq!(browser.get("/whoami").await.body, "");
    assert_eq!(bank.records_of_ada(), 0);
    for ticket in tickets {
        assert!(!ticket.leads_to_ada().await);
    }
}

async fn assert_one_session(bank: &Bank, _: &Browser, tickets: Vec<Ticket>) {
    assert_eq!(bank.records_of_ada(), 1);
    let mut good = 0;
    for ticket in tickets {
        good += usize::from(ticket.leads_to_ada().await);
    }
    assert_eq!(good, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_out_among_a_hundred_saves_leaves_no_record_and_no_usable_cookie() {
    let mut saves = vec!["/save"; 101];
    saves[50] = "/sign-out";
    rounds(20, &saves, assert_signed_out).await;
    for update in saves.iter_mut().step_by(2).filter(|path| **path == "/save") {
        *update = "/update";
    }
    rounds(20, &saves, assert_signed_out).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_out_among_rotations_leaves_no_record_and_no_usable_cookie() {
    rounds(100, &["/rotate", "/sign-out"], assert_signed_out).await;
    rounds(100, &["/rotate", "/save", "/sign-out", "/update", "/rotate"], assert_signed_out).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rotations_among_saves_leave_one_session_with_one_ticket() {
    rounds(100, &["/rotate", "/rotate"], assert_one_session).await;
    rounds(100, &["/rotate", "/save", "/rotate", "/update", "/update"], assert_one_session).await;
}
