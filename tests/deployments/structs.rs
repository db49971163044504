//! Three versions of a struct at one store: what a version does not know outlives its
//! changes, and no version ever reads a person that no version wrote last.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::pin::Pin;

use cloakroom::{Clock, Codec, Config, Error, Json, Memory, MessagePack, SessionData, Sessions};
use cloakroom::{Session, Unsigned};
use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestCaseResult};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::programs::Browser;

/// The first version. Every text of a person begins with `p` and a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct First {
    user: Option<String>,
    visits: u64,
    role: FirstRole,
    name: String,
    home: FirstHome,
    prefs: BTreeMap<String, u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum FirstRole {
    #[default]
    Guest,
    User(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct FirstHome {
    street: String,
}

/// It has more fields, in another order, and one under a new name; an enum and a struct
/// inside have more, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Second {
    #[serde(alias = "name", skip_serializing_if = "String::is_empty")]
    full_name: String,
    mails: Vec<Option<String>>,
    #[serde(rename = "role")]
    rights: SecondRole,
    visits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    home: SecondHome,
    #[serde(skip)]
    skipped: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum SecondRole {
    Owner {
        of: String,
    },
    #[default]
    Guest,
    Admin(Option<String>),
    User(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct SecondHome {
    city: Option<String>,
    street: String,
}

/// It has what others wrote as a map, one thing as a tagged enum, and one as a part of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Third {
    visits: u64,
    user: Option<String>,
    contact: Option<Contact>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by")]
enum Contact {
    Mail { to: String },
    Phone { of: String, number: u64 },
}

/// A version of the session data.
trait Version: SessionData + Clone + Debug + PartialEq {
    /// The data of a person, in each field that this version knows.
    fn of(person: &str) -> Self;

    /// Changes a field of a person, and says under which name it is stored.
    fn change(&mut self, person: &str, field: u8, value: u8) -> &'static str;

    /// Changes what belongs to no person.
    fn visit(&mut self, value: u8);

    /// Entries of this version that stand for one another.
    const SYNONYMS: &'static [&'static str] = &[];
}

/// The text of a person.
fn text(person: &str, value: u8) -> String {
    format!("{person}:{}", "x".repeat(value.into()))
}

impl Version for First {
    fn of(person: &str) -> Self {
        Self {
            user: Some(person.to_owned()),
            visits: 0,
            role: FirstRole::User(text(person, 1)),
            name: text(person, 2),
            home: FirstHome { street: text(person, 3) },
            prefs: BTreeMap::from([(text(person, 4), 1)]),
        }
    }

    fn change(&mut self, person: &str, field: u8, value: u8) -> &'static str {
        match field % 4 {
            0 => {
                self.name = text(person, value);
                "name"
            }
            1 => {
                self.role = match value % 3 {
                    0 => FirstRole::Guest,
                    _ => FirstRole::User(text(person, value)),
                };
                "role"
            }
            2 => {
                self.home.street = text(person, value);
                "home"
            }
            _ => {
                if self.prefs.remove(&text(person, 4)).is_none() {
                    self.prefs.insert(text(person, 4), value);
                }
                "prefs"
            }
        }
    }

    fn visit(&mut self, value: u8) {
        self.visits += u64::from(value) << 32;
    }
}

impl Version for Second {
    fn of(person: &str) -> Self {
        Self {
            full_name: text(person, 2),
            mails: vec![None, Some(text(person, 1))],
            rights: SecondRole::Admin(Some(text(person, 2))),
            visits: 0,
            user: Some(person.to_owned()),
            home: SecondHome { city: Some(text(person, 1)), street: text(person, 3) },
            skipped: 0,
        }
    }

    fn change(&mut self, person: &str, field: u8, value: u8) -> &'static str {
        match field % 4 {
            0 => {
                self.full_name = text(person, value);
                "full_name"
            }
            1 => {
                self.rights = match value % 5 {
                    0 => SecondRole::Owner { of: text(person, value) },
                    1 => SecondRole::Admin(Some(text(person, value))),
                    2 => SecondRole::Admin(None),
                    3 => SecondRole::User(text(person, value)),
                    _ => SecondRole::Guest,
                };
                "role"
            }
            2 => {
                self.home.city = (!value.is_multiple_of(3)).then(|| text(person, value));
                "home"
            }
            _ => {
                self.mails = vec![Some(text(person, value)); usize::from(value % 4)];
                "mails"
            }
        }
    }

    fn visit(&mut self, value: u8) {
        self.visits += u64::from(value);
    }

    const SYNONYMS: &'static [&'static str] = &["name", "full_name"];
}

impl Version for Third {
    fn of(person: &str) -> Self {
        Self {
            visits: 0,
            user: Some(person.to_owned()),
            contact: Some(Contact::Mail { to: text(person, 1) }),
            rest: BTreeMap::from([("odd".to_owned(), text(person, 2).into())]),
        }
    }

    fn change(&mut self, person: &str, field: u8, value: u8) -> &'static str {
        match field % 3 {
            0 => {
                self.contact = match value % 3 {
                    0 => None,
                    1 => Some(Contact::Mail { to: text(person, value) }),
                    _ => Some(Contact::Phone { of: text(person, value), number: value.into() }),
                };
                "contact"
            }
            1 => {
                let odd = serde_json::json!([value, { "a": null, "b": text(person, value) }]);
                self.rest.insert("odd".to_owned(), odd);
                "odd"
            }
            _ => {
                self.rest.remove("prefs");
                "prefs"
            }
        }
    }

    fn visit(&mut self, value: u8) {
        self.visits = self.visits.wrapping_mul(3) + u64::from(value);
    }
}

/// The persons whose data stand in a value.
fn persons(value: &Value, found: &mut BTreeSet<String>) {
    let mut note = |text: &str| {
        let person = text.split(':').next().unwrap_or_default();
        let number = person.strip_prefix('p').filter(|it| !it.is_empty());
        if number.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit())) {
            found.insert(person.to_owned());
        }
    };
    match value {
        Value::String(text) => note(text),
        Value::Array(values) => values.iter().for_each(|value| persons(value, found)),
        Value::Object(entries) => {
            entries.keys().for_each(|name| note(name));
            entries.values().for_each(|value| persons(value, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Of one of the user's fields.
    Change(u8, u8),
    Visit(u8),
    SignIn(u8),
    /// The data become the default.
    Reset,
    Restart,
    Rotate,
    Destroy,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => any::<(u8, u8)>().prop_map(|(field, value)| Act::Change(field, value % 9)),
        2 => (1..9u8).prop_map(Act::Visit),
        3 => (1..4u8).prop_map(Act::SignIn),
        1 => Just(Act::Reset),
        1 => Just(Act::Restart),
        1 => Just(Act::Rotate),
        1 => Just(Act::Destroy),
    ]
}

/// One request, or two that have opened the session before either closes it.
#[derive(Clone, Copy, Debug)]
struct Step {
    version: usize,
    act: Act,
    faster: Option<(usize, Act)>,
}

fn step() -> impl Strategy<Value = Step> {
    let faster = proptest::option::weighted(0.4, (0..3usize, act()));
    (0..3usize, act(), faster).prop_map(|(version, act, faster)| match faster {
        None => Step { version, act, faster },
        Some((other, theirs)) => {
            Step { version, act: beside(act, theirs), faster: Some((other, beside(theirs, act))) }
        }
    })
}

/// Beside a request that makes the session another person's, none changes what is the
/// user's: such a change would win, as in every conflict.
const fn beside(act: Act, other: Act) -> Act {
    match (act, other) {
        (Act::Change(_, value), Act::SignIn(_) | Act::Reset) => Act::Visit(value + 1),
        _ => act,
    }
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A program, whatever its version.
trait Program: Send + Sync {
    fn open<'a>(&'a self, cookies: &HeaderMap, act: Act) -> Pending<'a, Opened<'a>>;

    fn view<'a>(&'a self, cookies: &HeaderMap) -> Pending<'a, View>;
}

/// A request that has done its work.
struct Opened<'a> {
    was_readable: bool,
    /// The entry that it changed, and those that stand for it.
    changed: Vec<&'static str>,
    /// Whether the data have become the default, so that nothing stays of what stood there.
    is_reset: bool,
    close: Pending<'a, (Result<(), Error>, HeaderMap)>,
}

#[derive(Clone, Debug, PartialEq)]
enum View {
    Nothing,
    Unreadable,
    Data(Value),
}

impl<C: Codec<Data: Version>> Program for Sessions<Memory, C, Unsigned> {
    fn open<'a>(&'a self, cookies: &HeaderMap, act: Act) -> Pending<'a, Opened<'a>> {
        let cookies = cookies.clone();
        Box::pin(async move {
            let mut session: Session<_, C, _> = self.open(&cookies).await.expect("opened");
            let was_readable = !session.is_unreadable();
            let was_default = *session == C::Data::default();
            let mut changed = C::Data::SYNONYMS.to_vec();
            match act {
                Act::Change(field, value) => {
                    let mut found = BTreeSet::new();
                    persons(&value_of(&*session), &mut found);
                    match found.first() {
                        Some(person) => changed.push(session.change(person, field, value)),
                        None => {
                            session.visit(value);
                            changed.push("visits");
                        }
                    }
                }
                Act::Visit(value) => {
                    session.visit(value);
                    changed.push("visits");
                }
                Act::SignIn(person) => {
                    *session = C::Data::of(&format!("p{person}"));
                    session.sign_in();
                }
                Act::Reset => *session = C::Data::default(),
                Act::Restart => session.restart(),
                Act::Rotate => session.rotate(),
                Act::Destroy => session.destroy(),
            }
            let is_reset = *session == C::Data::default() && !was_default;
            let close = Box::pin(async move {
                let mut headers = HeaderMap::new();
                let closed = session.close(&mut headers).await;
                (closed, headers)
            });
            Opened { was_readable, changed, is_reset, close }
        })
    }

    fn view<'a>(&'a self, cookies: &HeaderMap) -> Pending<'a, View> {
        let cookies = cookies.clone();
        Box::pin(async move {
            let session = self.open(&cookies).await.expect("opened");
            match (session.is_unreadable(), session.is_new()) {
                (true, _) => View::Unreadable,
                (false, true) => View::Nothing,
                (false, false) => View::Data(value_of(&*session)),
            }
        })
    }
}

fn value_of(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("it has a form in JSON")
}

/// Every entry of a record.
type Raw = BTreeMap<String, Value>;

/// Three versions of one program.
struct Site {
    versions: [Box<dyn Program>; 3],
    raw: Box<dyn Fn(HeaderMap) -> Pending<'static, Raw> + Send + Sync>,
    browser: Browser,
    /// Whose session the browser has.
    person: Option<String>,
}

macro_rules! site_of {
    ($codec:ident) => {{
        let clock = Clock::manual();
        let store = Memory::new().clock(clock.clone());
        let config = || Config::new().store(store.clone()).clock(clock.clone());
        let raw = config().codec($codec::<Raw>::new()).build();
        Site {
            versions: [
                Box::new(config().codec($codec::<First>::new()).build()),
                Box::new(config().codec($codec::<Second>::new()).build()),
                Box::new(config().codec($codec::<Third>::new()).build()),
            ],
            raw: Box::new(move |cookies| {
                let raw = raw.clone();
                Box::pin(async move { Raw::clone(&*raw.open(&cookies).await.expect("opened")) })
            }),
            browser: Browser::new(clock),
            person: None,
        }
    }};
}

impl Site {
    async fn run(&mut self, steps: &[Step]) -> TestCaseResult {
        for step in steps {
            self.step(*step).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> TestCaseResult {
        let cookies = self.browser.headers();
        let before = (self.raw)(cookies.clone()).await;
        let done = carry_out(&self.versions, &mut self.browser, step).await;
        for (act, result) in &done.results {
            // What one request refuses because of another one, or of a record that it
            // cannot read, is never a fault.
            let is_expected = match result {
                Ok(()) => true,
                Err(Error::Ended | Error::Unreadable) => !done.is_alone || !done.was_readable,
                Err(_) => false,
            };
            prop_assert!(is_expected, "{:?}: {:?}", act, result);
        }
        let after = (self.raw)(self.browser.headers()).await;
        if done.keeps {
            for (name, value) in &before {
                if !done.changed.contains(&&**name) {
                    prop_assert_eq!(after.get(name), Some(value), "{} after {:?}", name, step);
                }
            }
        }
        self.look(&done).await
    }

    /// Looks at the session with each version.
    async fn look(&mut self, Done { results, is_alone, was_reset, .. }: &Done) -> TestCaseResult {
        let cookies = self.browser.headers();
        let mut seen = BTreeSet::new();
        let mut readable = 0;
        for program in &self.versions {
            match program.view(&cookies).await {
                View::Nothing => {}
                View::Unreadable => continue,
                View::Data(value) => persons(&value, &mut seen),
            }
            readable += 1;
        }
        prop_assert!(readable > 0, "no version can read it");
        prop_assert!(seen.len() < 2, "a person that no version wrote: {:?}", seen);

        let mut allowed: BTreeSet<String> = self.person.iter().cloned().collect();
        for (act, _) in results {
            match act {
                Act::SignIn(person) => {
                    if *is_alone {
                        allowed.clear();
                    }
                    allowed.insert(format!("p{person}"));
                }
                Act::Reset if *is_alone && *was_reset => allowed.clear(),
                Act::Restart | Act::Destroy if *is_alone => allowed.clear(),
                _ => {}
            }
        }
        prop_assert!(seen.is_subset(&allowed), "{:?} after {:?}", seen, results);
        if *is_alone && !allowed.is_empty() {
            prop_assert_eq!(&seen, &allowed, "the session is lost");
        }
        self.person = seen.pop_first();
        Ok(())
    }
}

/// What became of a step.
struct Done {
    /// In the order in which the requests were closed.
    results: Vec<(Act, Result<(), Error>)>,
    is_alone: bool,
    /// Whether the slower one could read the record, and let the data become the default.
    was_readable: bool,
    was_reset: bool,
    changed: Vec<&'static str>,
    /// Whether the entries are kept that no request has changed.
    keeps: bool,
}

async fn carry_out(versions: &[Box<dyn Program>; 3], browser: &mut Browser, step: Step) -> Done {
    let cookies = browser.headers();
    let mut opened = vec![(step.act, versions[step.version].open(&cookies, step.act).await)];
    if let Some((version, act)) = step.faster {
        opened.insert(0, (act, versions[version].open(&cookies, act).await));
    }
    let mut done = Done {
        results: Vec::new(),
        is_alone: opened.len() == 1,
        was_readable: true,
        was_reset: false,
        changed: Vec::new(),
        keeps: true,
    };
    for (act, request) in opened {
        (done.was_readable, done.was_reset) = (request.was_readable, request.is_reset);
        done.keeps &= is_kept(act, request.is_reset);
        done.changed.extend(request.changed);
        let (result, headers) = request.close.await;
        browser.keep(&headers);
        done.results.push((act, result));
    }
    done
}

/// Whether a request keeps the entries that it does not change.
fn is_kept(act: Act, is_reset: bool) -> bool {
    match act {
        Act::Change(..) | Act::Visit(_) | Act::Reset => !is_reset,
        Act::Rotate => true,
        Act::SignIn(_) | Act::Restart | Act::Destroy => false,
    }
}

/// A request of the third version, which reads every entry, and what the second one
/// writes meanwhile under a name that was not there before.
async fn entries_after_a_conflict<C, D>(
    third: Sessions<Memory, C, Unsigned>,
    second: Sessions<Memory, D, Unsigned>,
    act: fn(&mut Session<Memory, C, Unsigned>),
) -> Third
where
    C: Codec<Data = Third>,
    D: Codec<Data = Second>,
{
    let mut browser = Browser::new(Clock::manual());
    let mut session = third.open(&browser.headers()).await.expect("opened");
    *session = Third::of("p1");
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("closed");
    browser.keep(&headers);

    let cookies = browser.headers();
    let mut slower = third.open(&cookies).await.expect("opened");
    let mut faster = second.open(&cookies).await.expect("opened");
    faster.mails = vec![Some(text("p1", 1))];
    faster.save().await.expect("saved");
    act(&mut slower);
    let mut headers = HeaderMap::new();
    slower.close(&mut headers).await.expect("closed");
    browser.keep(&headers);
    Third::clone(&*third.open(&browser.headers()).await.expect("opened"))
}

macro_rules! for_codec {
    ($name:ident, $codec:ident) => {
        mod $name {
            use super::*;

            async fn after(act: fn(&mut Session<Memory, $codec<Third>, Unsigned>)) -> Third {
                let store = Memory::new();
                let third = Config::new().store(store.clone()).codec($codec::<Third>::new());
                let second = Config::new().store(store).codec($codec::<Second>::new());
                entries_after_a_conflict(third.build(), second.build(), act).await
            }

            #[tokio::test]
            async fn an_entry_that_another_request_adds_to_a_map_stays_at_a_change() {
                let third = after(|session| session.visits = 5).await;
                assert_eq!(third.visits, 5);
                assert!(third.rest.contains_key("mails"), "{third:?}");
            }

            #[tokio::test]
            async fn an_entry_that_another_request_adds_to_a_map_goes_where_rights_change() {
                let third = after(|session| {
                    **session = Third::of("p2");
                    session.sign_in();
                })
                .await;
                assert_eq!(third, Third::of("p2"));
                // The data are those of the user who was there.
                let third = after(|session| session.sign_in()).await;
                assert_eq!(third, Third::of("p1"));
                let third = after(|session| **session = Third::default()).await;
                assert_eq!(third, Third::default());
            }

            proptest! {
                #![proptest_config(Cases { cases: 300, failure_persistence: None, ..Cases::default() })]

                #[test]
                fn no_version_reads_a_person_that_no_version_wrote_last_and_none_loses_what_it_does_not_know(
                    steps in vec(step(), 1..16),
                ) {
                    let runtime = tokio::runtime::Builder::new_current_thread().build();
                    runtime.expect("a runtime").block_on(site_of!($codec).run(&steps))?;
                }
            }
        }
    };
}

for_codec!(messagepack, MessagePack);
for_codec!(json, Json);
