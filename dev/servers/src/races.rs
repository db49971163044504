//! Races that every store at a server has to pass.

use std::env;
use std::future::poll_fn;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::Poll;

use cloakroom::store::{Create, Update};
use cloakroom::{IdLength, Key, KeyPrefix, SessionId, Store, Ttl, Writable};
use http::header::COOKIE;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::visitor::{CounterSession, close, cookie_header, open, sessions, visit};

const LONG: Ttl = Ttl::hours(1);

/// In a process that a test has started to help it: the server, and the cookie.
const HELPERS_URL: &str = "CLOAKROOM_TEST_URL";
const HELPERS_COOKIE: &str = "CLOAKROOM_TEST_COOKIE";

/// Two processes increment one session, 5,000 times each. `test` is the name of
/// the test that calls: the processes are this program, with that test alone.
pub async fn two_processes_lose_nothing<S: Writable + Clone>(
    test: &str,
    url: impl FnOnce() -> String,
    connect: impl AsyncFn(String) -> S,
) {
    const TIMES: u64 = 5_000;
    if let (Ok(url), Ok(cookie)) = (env::var(HELPERS_URL), env::var(HELPERS_COOKIE)) {
        return increment(connect(url).await, &cookie, TIMES).await;
    }

    let url = url();
    let sessions = sessions(connect(url.clone()).await);
    let cookies = visit(&sessions).await;
    let helpers = [(); 2].map(|()| {
        Command::new(env::current_exe().expect("a program"))
            .args([test, "--exact"])
            .env(HELPERS_URL, &url)
            .env(HELPERS_COOKIE, cookies[COOKIE].to_str().expect("text"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again")
    });
    for helper in helpers {
        let output = helper.wait_with_output().expect("the helper ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(open(&sessions, &cookies).await.count, 1 + 2 * TIMES);
}

async fn increment<S: Writable + Clone>(store: S, cookie: &str, times: u64) {
    const TASKS: u64 = 2;
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (sessions, cookies) = (sessions(store.clone()), cookie_header(cookie));
        tasks.spawn(async move {
            for _ in 0..times / TASKS {
                let mut session = open(&sessions, &cookies).await;
                session.update(|counter| counter.count += 1).await.expect("updated");
                close(session).await;
            }
        });
    }
    tasks.join_all().await;
}

/// A logout meets 100 saves of the same session, 20 times.
pub async fn no_save_outlives_a_logout<S: Writable + Clone>(store: S) {
    for round in 0..20 {
        let sessions = sessions(store.clone());
        let cookies = visit(&sessions).await;
        let key = key_of(&open(&sessions, &cookies).await);
        let start = Arc::new(Barrier::new(101));
        let mut tasks = JoinSet::new();
        for n in 0..101 {
            let mut session = open(&sessions, &cookies).await;
            let start = start.clone();
            tasks.spawn(async move {
                start.wait().await;
                if n == 5 * round {
                    session.destroy();
                } else {
                    session.count = 1_000 + n;
                }
                close(session).await;
            });
        }
        tasks.join_all().await;
        assert!(open(&sessions, &cookies).await.is_new(), "a save brought the session back");
        // The note that the session ended stands for a minute.
        if let Some(left) = store.load(&key, None).await.expect("the store answers") {
            assert!(is_ended_note(left.value.as_ref()), "a save replaced the note");
        }
    }
}

/// The key of the session's record.
fn key_of<S: Writable>(session: &CounterSession<S>) -> Key {
    Key::hashed(&KeyPrefix::default(), "__Host-id", session.id().expect("a stored session"))
}

/// Whether the record is a note without data that a session ended: version 2, flag 4.
fn is_ended_note(record: &[u8]) -> bool {
    matches!(record, [2, 4, ..]) && record.len() == 28
}

/// 10,000 operations are dropped at random awaits, while others run on the same
/// connection and check whose data they get.
pub async fn dropped_operations_mix_nothing_up<S: Store + Clone>(store: S) {
    const KEYS: usize = 50;
    const TASKS: usize = 20;
    const DROPS: usize = 500;

    let keys: Arc<Vec<Key>> = Arc::new((0..KEYS).map(|_| fresh_key()).collect());
    for (owner, key) in keys.iter().enumerate() {
        let made = store.create(key, &value_of(owner, 0), LONG).await.expect("answers");
        assert!(matches!(made, Create::Created(_)));
    }
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (store, keys) = (store.clone(), keys.clone());
        tasks.spawn(async move {
            let mut random = Random(task as u64 + 1);
            for n in 0..DROPS {
                let owner = random.below(KEYS);
                drop_one(&store, &keys[owner], owner, n, &mut random).await;
                check_owner(&store, &keys, random.below(KEYS)).await;
            }
        });
    }
    tasks.join_all().await;
    for owner in 0..KEYS {
        check_owner(&store, &keys, owner).await;
    }
}

async fn drop_one<S: Store>(store: &S, key: &Key, owner: usize, n: usize, random: &mut Random) {
    let polls = random.below(4);
    let value = value_of(owner, n);
    match random.below(4) {
        0 => drop_after(polls, store.load(key, None)).await,
        1 => drop_after(polls, store.load(key, Some(LONG))).await,
        2 => drop_after(polls, store.create(key, &value, LONG)).await,
        _ => {
            let record = store.load(key, None).await.expect("answers").expect("kept");
            drop_after(polls, store.update(key, &value, LONG, &record.revision)).await;
        }
    }
}

async fn check_owner<S: Store>(store: &S, keys: &[Key], owner: usize) {
    let record = store.load(&keys[owner], None).await.expect("answers").expect("kept");
    assert!(record.value.as_ref().starts_with(&value_of(owner, 0)[..8]), "another task's data");
}

/// A value that begins with its owner, and has one of many lengths.
fn value_of(owner: usize, n: usize) -> Vec<u8> {
    let mut value = (owner as u64).to_be_bytes().to_vec();
    value.resize(8 + n % 300, owner as u8);
    value
}

/// Polls a future at most so often, and drops it.
pub async fn drop_after(polls: usize, operation: impl Future) {
    let mut operation = pin!(operation);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 || operation.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        left -= 1;
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Increments the number under a key, whatever other tasks do.
pub async fn increment_once<S: Store>(store: &S, key: &Key) -> Result<(), S::Error> {
    loop {
        let record = store.load(key, None).await?.expect("no task removes it");
        let next = (number(record.value.as_ref()) + 1).to_string();
        if let Update::Updated(_) =
            store.update(key, next.as_bytes(), LONG, &record.revision).await?
        {
            return Ok(());
        }
    }
}

pub async fn load_number<S: Store>(store: &S, key: &Key) -> Result<u64, S::Error> {
    let record = store.load(key, None).await?.expect("no task removes it");
    Ok(number(record.value.as_ref()))
}

/// A key that holds the number 0.
pub async fn fresh_number<S: Store>(store: &S) -> Key {
    let key = fresh_key();
    let made = store.create(&key, b"0", LONG).await.expect("the store answers");
    assert!(matches!(made, Create::Created(_)));
    key
}

pub fn fresh_key() -> Key {
    let id = SessionId::generate(IdLength::default()).expect("an id");
    Key::hashed(&KeyPrefix::default(), "id", &id)
}

pub fn number(text: &[u8]) -> u64 {
    str::from_utf8(text).expect("digits").parse().expect("a number")
}

/// Xorshift, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
