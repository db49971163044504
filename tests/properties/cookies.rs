//! Any bytes in the `Cookie` header.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cloakroom::store::{Create, Loaded, Update};
use cloakroom::{
    Config, HmacSha256, Key, Memory, MessagePack, SecretKey, Session, Sessions, Signer, Store, Ttl,
    Unsigned, Writable,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;
use tokio::runtime::{Builder, Runtime};

use crate::cases;

const NAME: &str = "__Host-id";

/// How many cookies of the session's name are looked at.
const LOOKED_AT: usize = 32;
/// How many of them, at most, the store is asked for.
const LOOKED_UP: usize = 8;

#[derive(Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Visits {
    count: u32,
}

/// A [`Memory`] that counts what is asked of it.
#[derive(Clone, Default)]
struct Counting {
    memory: Memory,
    reads: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
}

impl Writable for Counting {}

impl Store for Counting {
    type Error = Infallible;
    type Value = <Memory as Store>::Value;
    type Revision = <Memory as Store>::Revision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        self.reads.fetch_add(1, Relaxed);
        self.memory.load(key, extend).await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<Self::Revision>, Infallible> {
        self.writes.fetch_add(1, Relaxed);
        self.memory.create(key, value, ttl).await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &Self::Revision,
    ) -> Result<Update<Self::Revision>, Infallible> {
        self.writes.fetch_add(1, Relaxed);
        self.memory.update(key, value, ttl, seen).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Self::Value>, Infallible> {
        self.writes.fetch_add(1, Relaxed);
        self.memory.remove(key).await
    }
}

/// A site with one session, which was saved with a count of 7.
struct Site<K: Signer> {
    runtime: Runtime,
    sessions: Sessions<Counting, MessagePack<Visits>, K>,
    /// The value of that session's cookie.
    cookie: String,
}

/// What opening and closing a session did.
struct Outcome {
    visits: Visits,
    is_new: bool,
    set_cookie: Option<String>,
    reads: usize,
    writes: usize,
}

fn signed() -> Site<HmacSha256> {
    let config = Config::new().store(Counting::default()).data::<Visits>();
    Site::new(config.signed().secret_key(SecretKey::new([7; 32])).build())
}

fn unsigned() -> Site<Unsigned> {
    Site::new(Config::new().store(Counting::default()).data::<Visits>().build())
}

impl<K: Signer> Site<K> {
    fn new(sessions: Sessions<Counting, MessagePack<Visits>, K>) -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let mut response = HeaderMap::new();
        runtime.block_on(async {
            let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
            session.count = 7;
            session.close(&mut response).await.expect("closed");
        });
        let cookie = response[SET_COOKIE].to_str().expect("ASCII");
        let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
        let (name, value) = pair.expect("a cookie");
        assert_eq!(name, NAME);
        let cookie = value.to_owned();
        Self { runtime, sessions, cookie }
    }

    fn visit(&self, headers: &HeaderMap) -> Outcome {
        let Counting { reads, writes, .. } = self.sessions.store();
        let before = (reads.load(Relaxed), writes.load(Relaxed));
        let mut response = HeaderMap::new();
        let (visits, is_new) = self.runtime.block_on(async {
            let session: Session<_, _, _> = self.sessions.open(headers).await.expect("opened");
            let seen = (Visits { count: session.count }, session.is_new());
            session.close(&mut response).await.expect("closed");
            seen
        });
        let set_cookie = response.get(SET_COOKIE).map(|v| v.to_str().expect("ASCII").to_owned());
        Outcome {
            visits,
            is_new,
            set_cookie,
            reads: reads.load(Relaxed) - before.0,
            writes: writes.load(Relaxed) - before.1,
        }
    }

    fn visit_with(&self, value: &str) -> Outcome {
        self.visit(&cookie_headers([format!("{NAME}={value}").into_bytes()]))
    }
}

fn is_the_session(outcome: &Outcome) -> TestCaseResult {
    prop_assert!(!outcome.is_new);
    prop_assert_eq!(outcome.visits.count, 7);
    prop_assert_eq!((outcome.reads, outcome.writes), (1, 0));
    Ok(())
}

/// The browser keeps what it has.
fn is_no_session(outcome: &Outcome) -> TestCaseResult {
    prop_assert!(outcome.is_new);
    prop_assert_eq!(&outcome.visits, &Visits::default());
    prop_assert_eq!(outcome.writes, 0);
    prop_assert_eq!(&outcome.set_cookie, &None);
    Ok(())
}

fn cookie_headers(lines: impl IntoIterator<Item = Vec<u8>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(COOKIE, HeaderValue::from_bytes(&line).expect("a header can carry it"));
    }
    headers
}

/// Any bytes that a header can carry: no control character but the tab.
fn header_bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\t'), 0x20..=0x7eu8, 0x80..=0xffu8, Just(b';'), Just(b'=')];
    vec(byte, 0..longest)
}

/// A value in the alphabet of ids, or one that is about as long.
fn wrong_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{43}",
        "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]",
        "[!-:<-~]{0,200}",
        ("[A-Za-z0-9_.-]{43}", 200..400usize).prop_map(|(text, times)| text.repeat(times)),
    ]
}

/// A value that begins as an id does, so that its signature is verified. The last character
/// of an id has four bits.
fn forged_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]",
        "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\\.[A-Za-z0-9_-]{43}",
    ]
}

/// A `Cookie` header that names the session's cookie again and again, with
/// whatever behind it.
fn hostile_line() -> impl Strategy<Value = Vec<u8>> {
    let named = |value: Vec<u8>| [b"__Host-id=", &*value].concat();
    let pair = prop_oneof![
        header_bytes(60),
        header_bytes(60).prop_map(named),
        wrong_value().prop_map(move |value| named(value.into_bytes())),
        Just(b"__Host-id".to_vec()),
        Just(b"__Host-idle=1".to_vec()),
    ];
    vec(pair, 0..12).prop_map(|pairs| pairs.join(&b"; "[..]))
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn no_header_makes_a_session(lines in vec(hostile_line(), 0..5)) {
        let site = signed();
        let outcome = site.visit(&cookie_headers(lines));
        is_no_session(&outcome)?;
        // A forged tag is noticed before the store is asked.
        prop_assert_eq!(outcome.reads, 0);
        prop_assert_eq!(site.sessions.store().memory.len(), 1);
    }

    #[test]
    fn without_signing_too_no_header_makes_a_session(lines in vec(hostile_line(), 0..5)) {
        let site = unsigned();
        let outcome = site.visit(&cookie_headers(lines));
        is_no_session(&outcome)?;
        prop_assert!(outcome.reads <= LOOKED_UP, "{} reads", outcome.reads);
        prop_assert_eq!(site.sessions.store().memory.len(), 1);
    }

    #[test]
    fn the_valid_one_of_several_is_taken_wherever_it_stands(
        wrong in vec(wrong_value(), 0..LOOKED_AT),
        others in vec("[a-z]{1,8}=[a-z]{0,8}", 0..4),
        position in any::<Index>(),
        breaks in any::<[bool; 16]>(),
    ) {
        let site = signed();
        let mut pairs: Vec<_> = wrong.iter().map(|value| format!("{NAME}={value}")).collect();
        pairs.insert(position.index(pairs.len() + 1), format!("{NAME}={}", site.cookie));
        pairs.extend(others);
        is_the_session(&site.visit(&spread(&pairs, breaks)))?;
    }

    #[test]
    fn one_behind_many_that_are_none_is_found(
        wrong in vec("[!-:<-~]{0,42}", 0..100),
        forged in vec(forged_value(), 0..LOOKED_AT),
        breaks in any::<[bool; 16]>(),
    ) {
        let site = signed();
        let wrong = wrong.iter().chain(&forged);
        let mut pairs: Vec<_> = wrong.map(|value| format!("{NAME}={value}")).collect();
        pairs.push(format!("{NAME}={}", site.cookie));
        is_the_session(&site.visit(&spread(&pairs, breaks)))?;
    }

    #[test]
    fn one_behind_thirty_two_that_are_forged_is_not_looked_at(
        wrong in vec(forged_value(), LOOKED_AT..40),
        breaks in any::<[bool; 16]>(),
    ) {
        let site = signed();
        let mut pairs: Vec<_> = wrong.iter().map(|value| format!("{NAME}={value}")).collect();
        pairs.push(format!("{NAME}={}", site.cookie));
        is_no_session(&site.visit(&spread(&pairs, breaks)))?;
    }

    #[test]
    fn a_cookie_with_a_changed_character_leads_to_no_session(
        at in any::<Index>(),
        replacement in "[!-:<-~]",
    ) {
        let site = signed();
        let mut value = site.cookie.clone();
        let at = at.index(value.len());
        value.replace_range(at..=at, &replacement);
        prop_assume!(value != site.cookie);
        let outcome = site.visit_with(&value);
        is_no_session(&outcome)?;
        prop_assert_eq!(outcome.reads, 0);
    }

    #[test]
    fn a_cookie_with_an_added_or_missing_character_leads_to_no_session(
        at in any::<Index>(),
        added in "[!-:<-~]{1,3}",
    ) {
        let site = signed();
        let at = at.index(site.cookie.len());
        let (start, end) = site.cookie.split_at(at);
        for value in [
            start.to_owned(),
            end.to_owned() + &start[1.min(at)..],
            format!("{start}{}", &end[1..]),
            format!("{start}{added}{end}"),
            format!("{}{added}", site.cookie),
        ] {
            if value != site.cookie {
                let outcome = site.visit_with(&value);
                is_no_session(&outcome)?;
                prop_assert_eq!(outcome.reads, 0);
            }
        }
    }

    #[test]
    fn a_value_of_another_cookie_is_worth_nothing(name in "[A-Za-z0-9_-]{1,20}") {
        let site = signed();
        prop_assume!(name != NAME);
        let headers = cookie_headers([format!("{name}={}", site.cookie).into_bytes()]);
        let outcome = site.visit(&headers);
        is_no_session(&outcome)?;
    }
}

/// The pairs in one or more headers, with a new one after every break.
fn spread(pairs: &[String], breaks: [bool; 16]) -> HeaderMap {
    let mut lines = vec![Vec::new()];
    for (pair, breaks) in pairs.iter().zip(breaks.into_iter().cycle()) {
        lines.last_mut().expect("never empty").push(pair.as_str());
        if breaks {
            lines.push(Vec::new());
        }
    }
    cookie_headers(lines.into_iter().map(|line| line.join("; ").into_bytes()))
}
