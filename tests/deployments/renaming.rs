//! A field that gets another name and another form, in two deployments. The page on
//! deployments shows the program.

use cloakroom::{Clock, Codec, Config, Json, Memory, MessagePack, Sessions, Unsigned};
use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestCaseResult};

use crate::programs::Browser;

// The page begins here.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct FullName {
    given: String,
    family: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Account {
    visits: u32,
    /// The field of the version before: the whole name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    full_name: Option<FullName>,
}

impl Account {
    /// Both deployments read what there is.
    fn full_name(&self) -> FullName {
        match (&self.full_name, &self.name) {
            (Some(full_name), _) => full_name.clone(),
            (None, Some(name)) => {
                let (given, family) = name.split_once(' ').unwrap_or((name, ""));
                FullName { given: given.to_owned(), family: family.to_owned() }
            }
            (None, None) => FullName::default(),
        }
    }

    /// The first deployment still writes the old field: the version before reads it.
    fn set_name_in_first(&mut self, to: &FullName) {
        self.name = Some(format!("{} {}", to.given, to.family));
        self.full_name = None;
    }

    /// The second deployment writes the new one: every instance reads it now.
    fn set_name_in_second(&mut self, to: &FullName) {
        self.full_name = Some(to.clone());
        self.name = None;
    }
}

// The page ends here.

/// The version before.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Before {
    visits: u32,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Version {
    Before,
    First,
    Second,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Visit,
    Rename(u8),
    Rotate,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        Just(Act::Visit),
        any::<u8>().prop_map(|number| Act::Rename(number % 50)),
        Just(Act::Rotate)
    ]
}

fn name(number: u8) -> FullName {
    FullName { given: format!("Ada{number}"), family: format!("King{number}") }
}

struct Site<A: Codec, B: Codec> {
    before: Sessions<Memory, A, Unsigned>,
    both: Sessions<Memory, B, Unsigned>,
    browser: Browser,
}

impl<A: Codec<Data = Before>, B: Codec<Data = Account>> Site<A, B> {
    fn new(before: A, both: B) -> Self {
        let store = Memory::new();
        Self {
            before: Config::new().store(store.clone()).codec(before).build(),
            both: Config::new().store(store).codec(both).build(),
            browser: Browser::new(Clock::manual()),
        }
    }

    /// One request; the name and the visits that it has found.
    async fn request(&mut self, version: Version, act: Act) -> (FullName, u32) {
        let cookies = self.browser.headers();
        let mut headers = HeaderMap::new();
        let found = if version == Version::Before {
            let mut session = self.before.open(&cookies).await.expect("opened");
            let (given, family) = session.name.split_once(' ').unwrap_or_default();
            let found = FullName { given: given.to_owned(), family: family.to_owned() };
            let found = (found, session.visits);
            match act {
                Act::Visit => session.visits += 1,
                Act::Rename(to) => {
                    let FullName { given, family } = name(to);
                    session.name = format!("{given} {family}");
                }
                Act::Rotate => session.rotate(),
            }
            session.close(&mut headers).await.expect("closed");
            found
        } else {
            let mut session = self.both.open(&cookies).await.expect("opened");
            let found = (session.full_name(), session.visits);
            match (act, version) {
                (Act::Visit, _) => session.visits += 1,
                (Act::Rename(to), Version::First) => session.set_name_in_first(&name(to)),
                (Act::Rename(to), _) => session.set_name_in_second(&name(to)),
                (Act::Rotate, _) => session.rotate(),
            }
            session.close(&mut headers).await.expect("closed");
            found
        };
        self.browser.keep(&headers);
        found
    }

    /// Each request finds the name that was written last, whichever version wrote it.
    async fn run(&mut self, requests: &[(Version, Act)]) -> TestCaseResult {
        let mut expected = (name(0), 1);
        self.request(requests.first().map_or(Version::Before, |it| it.0), Act::Rename(0)).await;
        self.request(requests.first().map_or(Version::Before, |it| it.0), Act::Visit).await;
        for (version, act) in requests {
            let found = self.request(*version, *act).await;
            prop_assert_eq!(&found, &expected, "{:?}", version);
            match act {
                Act::Visit => expected.1 += 1,
                Act::Rename(to) => expected.0 = name(*to),
                Act::Rotate => {}
            }
        }
        Ok(())
    }
}

/// The first deployment and the second one, which may be rolled back.
fn requests() -> impl Strategy<Value = Vec<(Version, Act)>> {
    fn during(versions: [Version; 2]) -> impl Strategy<Value = Vec<(Version, Act)>> {
        vec((proptest::sample::select(versions.to_vec()), act()), 0..8)
    }
    let first = during([Version::Before, Version::First]);
    let second = during([Version::First, Version::Second]);
    let back = during([Version::First, Version::First]);
    (first, second, back, any::<bool>()).prop_map(|(mut all, second, back, goes_back)| {
        all.extend(second);
        if goes_back {
            all.extend(back);
        }
        all
    })
}

proptest! {
    #![proptest_config(Cases { cases: 200, failure_persistence: None, ..Cases::default() })]

    #[test]
    fn a_field_gets_a_new_name_and_form_in_two_deployments_and_every_version_reads_the_last_name(
        requests in requests(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut site = Site::new(MessagePack::<Before>::new(), MessagePack::<Account>::new());
        runtime.block_on(site.run(&requests))?;
        let mut site = Site::new(Json::<Before>::new(), Json::<Account>::new());
        runtime.block_on(site.run(&requests))?;
    }
}

/// Without the first deployment.
#[tokio::test]
async fn a_field_that_gets_a_new_name_in_one_deployment_is_lost_for_the_version_before() {
    let mut site = Site::new(MessagePack::<Before>::new(), MessagePack::<Account>::new());
    site.request(Version::Before, Act::Rename(1)).await;
    assert_eq!(site.request(Version::Second, Act::Rename(2)).await.0, name(1));
    assert_eq!(site.request(Version::Before, Act::Visit).await.0, FullName::default());
}
