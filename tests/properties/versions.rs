//! Three versions of a program at one store: what one of them does not know, or did
//! not change, outlives its writes.

use std::collections::BTreeMap;
use std::fmt::Debug;

use cloakroom::{Codec, Json, MessagePack, SessionData};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde::de::{Deserialize, IgnoredAny};
use serde::{Deserialize as Read, Serialize};
use serde_json::value::RawValue;

use crate::cases;
use crate::codecs::encoded;

/// The first version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
#[serde(default)]
struct First {
    name: Option<String>,
    visits: u64,
    role: FirstRole,
    home: FirstHome,
    prefs: BTreeMap<String, u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
enum FirstRole {
    #[default]
    Guest,
    User(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
struct FirstHome {
    street: String,
}

/// It has more fields, in another order; an enum and a struct inside have more, too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
#[serde(default)]
struct Second {
    theme: Option<String>,
    #[serde(rename = "role")]
    rights: SecondRole,
    visits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<Option<u16>>,
    home: SecondHome,
    #[serde(skip)]
    skipped: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
enum SecondRole {
    Owner {
        since: u32,
    },
    #[default]
    Guest,
    Admin(String),
    User(u8),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
#[serde(default)]
struct SecondHome {
    city: Option<String>,
    street: String,
}

/// It has what others wrote as a map, and one thing as a tagged enum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Read)]
#[serde(default)]
struct Third {
    visits: u64,
    contact: Option<Contact>,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Read)]
#[serde(tag = "by")]
enum Contact {
    Mail { to: String },
    Phone { number: u64 },
}

/// A version of the session data.
trait Version: SessionData + Clone + Debug + PartialEq {
    /// Changes a field, and says under which name it is stored.
    fn change(&mut self, field: u8, value: u8) -> &'static str;
}

fn text(value: u8) -> Option<String> {
    (!value.is_multiple_of(3)).then(|| "x".repeat(value.into()))
}

impl Version for First {
    fn change(&mut self, field: u8, value: u8) -> &'static str {
        match field % 5 {
            0 => {
                self.name = text(value);
                "name"
            }
            1 => {
                self.visits = u64::from(value) * 1_000;
                "visits"
            }
            2 => {
                self.role = FirstRole::User(value);
                "role"
            }
            3 => {
                self.home.street = text(value).unwrap_or_default();
                "home"
            }
            _ => {
                if self.prefs.remove("a").is_none() {
                    self.prefs.insert("a".to_owned(), value);
                }
                "prefs"
            }
        }
    }
}

impl Version for Second {
    fn change(&mut self, field: u8, value: u8) -> &'static str {
        match field % 6 {
            0 => {
                self.name = text(value);
                "name"
            }
            1 => {
                self.visits += u64::from(value);
                "visits"
            }
            2 => {
                self.rights = match value % 4 {
                    0 => SecondRole::Owner { since: value.into() },
                    1 => SecondRole::Admin(text(value).unwrap_or_default()),
                    2 => SecondRole::User(value),
                    _ => SecondRole::Guest,
                };
                "role"
            }
            3 => {
                self.home.city = text(value);
                "home"
            }
            4 => {
                self.theme = text(value);
                "theme"
            }
            _ => {
                self.history = vec![None; usize::from(value % 4)];
                "history"
            }
        }
    }
}

impl Version for Third {
    fn change(&mut self, field: u8, value: u8) -> &'static str {
        match field % 4 {
            0 => {
                self.visits = value.into();
                "visits"
            }
            1 => {
                self.contact = match value % 3 {
                    0 => None,
                    1 => Some(Contact::Mail { to: text(value).unwrap_or_default() }),
                    _ => Some(Contact::Phone { number: value.into() }),
                };
                "contact"
            }
            2 => {
                self.rest.insert("odd".to_owned(), serde_json::json!([value, { "a": null }]));
                "odd"
            }
            _ => {
                self.rest.remove("theme");
                "theme"
            }
        }
    }
}

/// The entries of a record, each value as encoded.
type Entries = BTreeMap<String, Vec<u8>>;

fn packed_entries(record: &[u8]) -> Entries {
    let mut rest = record;
    let len = rmp::decode::read_map_len(&mut rest).expect("a map");
    let mut take = |text: bool| {
        let before = rest;
        let mut deserializer = rmp_serde::Deserializer::new(&mut rest);
        let name = match text {
            true => String::deserialize(&mut deserializer).expect("a name"),
            false => {
                IgnoredAny::deserialize(&mut deserializer).expect("a value");
                String::new()
            }
        };
        (name, before[..before.len() - rest.len()].to_vec())
    };
    (0..len).map(|_| (take(true).0, take(false).1)).collect()
}

fn json_entries(record: &[u8]) -> Entries {
    let entries: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(record).expect("a map");
    entries.into_iter().map(|(name, value)| (name, value.get().as_bytes().to_vec())).collect()
}

/// A change of one field.
#[derive(Clone, Copy, Debug)]
struct Change {
    version: u8,
    field: u8,
    value: u8,
}

fn change() -> impl Strategy<Value = Change> {
    (0..3u8, any::<u8>(), any::<u8>()).prop_map(|(version, field, value)| Change {
        version,
        field,
        value,
    })
}

/// What happens to the record: one request, or two at the same time.
fn steps() -> impl Strategy<Value = Vec<(Change, Option<Change>)>> {
    vec((change(), proptest::option::of(change())), 1..12)
}

/// Entries, but one.
fn without(entries: Entries, name: &str) -> Entries {
    entries.into_iter().filter(|(other, _)| other != name).collect()
}

/// One request of one version.
struct Request {
    base: Vec<u8>,
    mine: Vec<u8>,
    changed: &'static str,
}

macro_rules! for_codec {
    ($name:ident, $codec:ident, $entries:ident) => {
        mod $name {
            use super::*;

            /// What the request makes of the record. `None` where this version cannot
            /// read a variant that it does not know.
            fn open<T: Version>(record: &[u8], change: Change) -> Option<Request> {
                let mut data = $codec::<T>::decode(record).ok()?;
                let base = encoded::<$codec<T>>(&data);
                let changed = data.change(change.field, change.value);
                let mine = encoded::<$codec<T>>(&data);
                Some(Request { base, mine, changed })
            }

            fn write<T: Version>(stored: &[u8], request: &Request) -> Vec<u8> {
                let mut out = Vec::new();
                $codec::<T>::retain(Some(&request.base), &request.mine, stored, &mut out)
                    .expect("retained");
                out
            }

            fn merge<T: Version>(theirs: &[u8], request: &Request) -> Option<Vec<u8>> {
                $codec::<T>::merge(&request.base, &request.mine, theirs).ok()
            }

            /// What a version sees in a record, as entries; `None` for what it cannot
            /// read.
            fn seen<T: Version>(record: &[u8]) -> Option<Entries> {
                let data = $codec::<T>::decode(record).ok()?;
                Some($entries(&encoded::<$codec<T>>(&data)))
            }

            /// After a write, everything but the field that was changed is as it was:
            /// the bytes, and what each version sees in them.
            fn assert_kept<T: Version>(
                before: &[u8],
                after: &[u8],
                request: &Request,
            ) -> TestCaseResult {
                let changed = request.changed;
                if request.base != request.mine
                    && request.mine == encoded::<$codec<T>>(&T::default())
                {
                    // Nothing of what stood there stays.
                    return Ok(());
                }
                let (stored, written) = ($entries(before), $entries(after));
                for (name, value) in &stored {
                    prop_assert!(
                        name == changed || written.get(name) == Some(value),
                        "{} of {:?} in {:?}",
                        name,
                        stored,
                        written,
                    );
                }
                // The version itself sees its change, and nothing else.
                let mine = $entries(&request.mine);
                let see = seen::<T>(after).expect("it is readable to the version that wrote it");
                prop_assert_eq!(see.get(changed), mine.get(changed));
                let before_it = seen::<T>(before).expect("it was read");
                prop_assert_eq!(without(see, changed), without(before_it, changed));

                fn same<T: Version>(before: &[u8], after: &[u8], changed: &str) -> TestCaseResult {
                    if let (Some(before), Some(after)) = (seen::<T>(before), seen::<T>(after)) {
                        // A field that was missing is now stored with its default.
                        let mut after = without(after, changed);
                        let before = without(before, changed);
                        after.retain(|name, _| before.contains_key(name));
                        prop_assert_eq!(without(before, changed), after);
                    }
                    Ok(())
                }
                same::<First>(before, after, changed)?;
                same::<Second>(before, after, changed)?;
                same::<Third>(before, after, changed)
            }

            fn step<T: Version, U: Version>(
                record: &mut Vec<u8>,
                change: Change,
                other: Option<Change>,
            ) -> TestCaseResult {
                let Some(request) = open::<T>(record, change) else { return Ok(()) };
                let Some(other) = other.and_then(|other| open::<U>(record, other)) else {
                    let written = write::<T>(record, &request);
                    assert_kept::<T>(record, &written, &request)?;
                    *record = written;
                    return Ok(());
                };
                // The other one is faster.
                let theirs = write::<U>(record, &other);
                assert_kept::<U>(record, &theirs, &other)?;
                *record = theirs;
                if let Some(merged) = merge::<T>(record, &request) {
                    // Where nothing was changed, theirs stays.
                    if request.base != request.mine {
                        assert_kept::<T>(record, &merged, &request)?;
                    } else {
                        assert_kept::<T>(record, &merged, &Request {
                            mine: encoded::<$codec<T>>(
                                &$codec::<T>::decode(record).expect("it was merged"),
                            ),
                            ..request
                        })?;
                    }
                    *record = merged;
                }
                Ok(())
            }

            fn run(steps: &[(Change, Option<Change>)]) -> TestCaseResult {
                let mut record = encoded::<$codec<First>>(&First {
                    name: Some("ada".to_owned()),
                    visits: 1,
                    ..First::default()
                });
                for &(change, other) in steps {
                    let of = other.map_or(0, |other| other.version);
                    let record = &mut record;
                    match (change.version, of) {
                        (0, 0) => step::<First, First>(record, change, other)?,
                        (0, 1) => step::<First, Second>(record, change, other)?,
                        (0, _) => step::<First, Third>(record, change, other)?,
                        (1, 0) => step::<Second, First>(record, change, other)?,
                        (1, 1) => step::<Second, Second>(record, change, other)?,
                        (1, _) => step::<Second, Third>(record, change, other)?,
                        (_, 0) => step::<Third, First>(record, change, other)?,
                        (_, 1) => step::<Third, Second>(record, change, other)?,
                        (_, _) => step::<Third, Third>(record, change, other)?,
                    }
                }
                Ok(())
            }

            proptest! {
                #![proptest_config(cases(400))]

                #[test]
                fn what_a_version_does_not_know_or_change_outlives_its_writes(steps in steps()) {
                    run(&steps)?;
                }

                #[test]
                fn arbitrary_records_do_no_harm(
                    all in [vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..80)],
                ) {
                    let [base, mine, stored] = &all;
                    let good = encoded::<$codec<Second>>(&Second::default());
                    for stored in [stored, &good] {
                        for base in [None, Some(&base[..]), Some(&good[..])] {
                            let _ = $codec::<First>::retain(base, mine, stored, &mut Vec::new());
                            let _ = $codec::<Second>::retain(base, &good, stored, &mut Vec::new());
                            let _ = $codec::<Third>::retain(base, mine, stored, &mut Vec::new());
                        }
                        let _ = $codec::<Second>::merge(base, mine, stored);
                        let _ = $codec::<Third>::merge(base, mine, stored);
                    }
                }
            }
        }
    };
}

for_codec!(messagepack, MessagePack, packed_entries);
for_codec!(json, Json, json_entries);
