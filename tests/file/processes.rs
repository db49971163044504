//! Several processes in one directory. The others run this same test, and know
//! by an environment variable that they are the ones who work.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};

use cloakroom::{Config, File, MessagePack, Sessions, Unsigned};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::site::Site;

const DIRECTORY: &str = "CLOAKROOM_TEST_DIRECTORY";
const COOKIES: &str = "CLOAKROOM_TEST_COOKIES";
/// So many bytes that a process is often killed while it writes them.
const BALLAST: usize = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_count_in_one_session_lose_nothing() {
    const EACH: u64 = 500;
    if let Some(work) = Work::given() {
        work.wait_for_the_start();
        return work.count(0, EACH).await;
    }
    let site = Site::new();
    let sessions = sessions_in(&site.directory());
    let cookie = new_session(&sessions).await;
    let mut workers = [(); 2].map(|()| {
        Worker::start("two_processes_that_count_in_one_session_lose_nothing", &site, &cookie)
    });
    workers.iter_mut().for_each(Worker::let_go);
    workers.into_iter().for_each(Worker::succeed);
    assert_eq!(load(&sessions, &cookie).await.count, 1 + 2 * EACH);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_every_record_old_or_new() {
    const SESSIONS: usize = 4;
    if let Some(work) = Work::given() {
        work.wait_for_the_start();
        let counts = (0..SESSIONS).map(|session| work.count(session, u64::MAX));
        let [a, b, c, d] = counts.collect::<Vec<_>>().try_into().unwrap_or_else(|_| unreachable!());
        tokio::join!(a, b, c, d);
        return;
    }
    let site = Site::new();
    let sessions = sessions_in(&site.directory());
    let mut cookies = Vec::new();
    for _ in 0..SESSIONS {
        cookies.push(new_session(&sessions).await);
    }
    let mut before = [0; SESSIONS];
    for round in 0..40 {
        let name = "a_killed_process_leaves_every_record_old_or_new";
        let mut worker = Worker::start(name, &site, &cookies.join("\n"));
        worker.let_go();
        for _ in 0..=round {
            let (session, count) = worker.report();
            before[session] = count;
        }
        // SIGKILL.
        drop(worker);

        for (cookie, before) in cookies.iter().zip(&mut before) {
            let counter = load(&sessions, cookie).await;
            assert!(counter.count >= *before, "what was reported as saved is there");
            assert!(counter.is_whole(), "old or new, in round {round}");
            *before = counter.count;
        }
    }
    assert!(site.files().len() > SESSIONS, "some were killed while they wrote");
    assert_eq!(sessions.sweep().await.expect("the sweep"), 0);
    assert_eq!(site.files().len(), SESSIONS, "a sweep removes what was left");
}

type Counters = Sessions<File, MessagePack<Counter>, Unsigned>;

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    count: u64,
    /// Each letter says which count it belongs to.
    ballast: String,
}

impl Counter {
    fn increment(&mut self) -> u64 {
        self.count += 1;
        self.ballast = ballast(self.count);
        self.count
    }

    fn is_whole(&self) -> bool {
        self.ballast == ballast(self.count)
    }
}

fn ballast(count: u64) -> String {
    char::from(b'a' + (count % 26) as u8).to_string().repeat(BALLAST)
}

fn sessions_in(directory: &Path) -> Counters {
    let store = File::new(directory).expect("a directory");
    Config::new().store(store).data::<Counter>().build()
}

/// Makes a session that was counted once, and says which cookie it has.
async fn new_session(sessions: &Counters) -> String {
    let mut session = sessions.open(&HeaderMap::new()).await.expect("the store answers");
    session.increment();
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("the session is saved");
    let cookie = headers[SET_COOKIE].to_str().expect("text");
    cookie.split(';').next().expect("a pair").to_owned()
}

fn headers(cookie: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(cookie).expect("a header"))])
}

async fn load(sessions: &Counters, cookie: &str) -> Counter {
    let session = sessions.open(&headers(cookie)).await.expect("the store answers");
    assert!(!session.is_new(), "the session is there");
    Counter { count: session.count, ballast: session.ballast.clone() }
}

/// What the process that a test started is to do.
struct Work {
    sessions: Counters,
    cookies: Vec<String>,
}

impl Work {
    fn given() -> Option<Self> {
        let directory = env::var(DIRECTORY).ok()?;
        let cookies = env::var(COOKIES).expect("the test names the sessions");
        Some(Self {
            sessions: sessions_in(Path::new(&directory)),
            cookies: cookies.lines().map(str::to_owned).collect(),
        })
    }

    fn wait_for_the_start(&self) {
        let mut byte = [0];
        std::io::stdin().read_exact(&mut byte).expect("the test writes a byte");
    }

    async fn count(&self, session: usize, times: u64) {
        let opened = self.sessions.open(&headers(&self.cookies[session])).await;
        let mut opened = opened.expect("the store answers");
        for _ in 0..times {
            let count = opened.update(Counter::increment).await.expect("the change is saved");
            eprintln!("{session} {count}");
        }
    }
}

/// A process that a test started. It ends with the test.
struct Worker {
    process: Child,
    start: ChildStdin,
    reports: BufReader<ChildStderr>,
}

impl Worker {
    fn start(test: &str, site: &Site, cookies: &str) -> Self {
        let mut process = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", "--nocapture", &format!("processes::{test}")])
            .env(DIRECTORY, site.directory())
            .env(COOKIES, cookies)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let start = process.stdin.take().expect("a pipe");
        let reports = BufReader::new(process.stderr.take().expect("a pipe"));
        Self { process, start, reports }
    }

    fn let_go(&mut self) {
        self.start.write_all(b"!").expect("the process reads");
    }

    /// Waits for the process to say which session it brought to which count.
    fn report(&mut self) -> (usize, u64) {
        let mut line = String::new();
        self.reports.read_line(&mut line).expect("text");
        let (session, count) = line.trim().split_once(' ').expect("a report");
        (session.parse().expect("a number"), count.parse().expect("a number"))
    }

    fn succeed(mut self) {
        let mut reports = String::new();
        self.reports.read_to_string(&mut reports).expect("text");
        let status = self.process.wait().expect("the process ends");
        assert!(status.success(), "{reports}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
