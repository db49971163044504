//! Records that a program wrote before a field got another name, and what is kept of
//! them.

use std::collections::BTreeMap;
use std::fmt::Debug;

use cloakroom::{Codec, Json, MessagePack, SessionData, Strict};
use serde::{Deserialize, Serialize};

use crate::codecs::{decoded, encoded};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Before {
    old: u8,
    same: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct After {
    same: u8,
    #[serde(alias = "old")]
    new: u8,
}

/// Where a field may be missing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Skipping {
    #[serde(alias = "old", skip_serializing_if = "Option::is_none")]
    new: Option<u8>,
    same: u8,
}

/// serde has no list of the names of a type with `flatten`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Flat {
    same: u8,
    #[serde(flatten)]
    inner: Skipped,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Skipped {
    #[serde(alias = "old", skip_serializing_if = "Option::is_none")]
    new: Option<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Person {
    id: u8,
    home: Home,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Home {
    street: String,
}

/// The names of all entries.
type Entries = BTreeMap<String, serde_json::Value>;

/// Writes what `change` makes of a record over it.
fn write<C: Codec>(stored: &[u8], change: impl FnOnce(&mut C::Data)) -> Vec<u8> {
    let mut data = decoded::<C>(stored);
    let base = encoded::<C>(&data);
    change(&mut data);
    let mine = encoded::<C>(&data);
    let mut out = b"before".to_vec();
    C::retain(Some(&base), &mine, stored, &mut out).expect("retained");
    out.strip_prefix(b"before").expect("what was there").to_vec()
}

macro_rules! for_codec {
    ($name:ident, $codec:ident) => {
        mod $name {
            use super::*;

            fn record(json: serde_json::Value) -> Vec<u8> {
                let entries = serde_json::from_value(json).expect("a map");
                encoded::<$codec<Entries>>(&entries)
            }

            #[track_caller]
            fn assert_holds(record: &[u8], json: serde_json::Value) {
                let entries: Entries = decoded::<$codec<Entries>>(record);
                assert_eq!(serde_json::to_value(entries).expect("JSON"), json);
            }

            #[track_caller]
            fn assert_data<T: SessionData + PartialEq + Debug>(record: &[u8], data: T) {
                assert_eq!(decoded::<$codec<T>>(record), data);
            }

            #[test]
            fn the_old_name_is_read_and_replaced() {
                let stored = encoded::<$codec<Before>>(&Before { old: 7, same: 1 });
                assert_data(&stored, After { same: 1, new: 7 });
                let written = write::<$codec<After>>(&stored, |data| data.same = 2);
                assert_holds(&written, serde_json::json!({ "same": 2, "new": 7 }));
                assert_data(&written, After { same: 2, new: 7 });
            }

            #[test]
            fn two_programs_that_take_turns_leave_both_names_and_the_new_one_counts() {
                let stored = record(serde_json::json!({ "new": 9, "same": 1 }));
                let both = write::<$codec<Before>>(&stored, |data| data.same = 2);
                assert_holds(&both, serde_json::json!({ "new": 9, "same": 2, "old": 0 }));
                assert_data(&both, After { same: 2, new: 9 });
                assert_data(&both, Skipping { same: 2, new: Some(9) });
                assert_data(&both, Before { same: 2, old: 0 });

                let written = write::<$codec<After>>(&both, |data| data.same = 3);
                assert_holds(&written, serde_json::json!({ "new": 9, "same": 3 }));
            }

            #[test]
            fn the_new_name_counts_in_any_order_and_with_any_value() {
                for json in [
                    r#"{"old":1,"new":9,"same":1}"#,
                    r#"{"new":9,"old":1,"same":1}"#,
                    r#"{"new":9,"same":1,"old":"text"}"#,
                    r#"{"old":"text","same":1,"new":9}"#,
                ] {
                    let entries: Vec<(String, serde_json::Value)> =
                        serde_json::from_str::<Pairs>(json).expect("pairs").0;
                    let stored = encoded::<$codec<Pairs>>(&Pairs(entries));
                    assert_data(&stored, After { same: 1, new: 9 });
                    assert_data(&stored, Skipping { same: 1, new: Some(9) });
                }
            }

            #[test]
            fn what_was_removed_under_the_new_name_is_not_read_under_the_old_one() {
                let stored = record(serde_json::json!({ "old": 7, "same": 1 }));
                let written = write::<$codec<Skipping>>(&stored, |data| data.new = None);
                assert_holds(&written, serde_json::json!({ "same": 1 }));

                assert_data(&stored, Flat { same: 1, inner: Skipped { new: Some(7) } });
                let written = write::<$codec<Flat>>(&stored, |data| data.inner.new = None);
                assert_holds(&written, serde_json::json!({ "same": 1 }));
                let written = write::<$codec<Flat>>(&stored, |data| data.inner.new = Some(8));
                assert_holds(&written, serde_json::json!({ "new": 8, "same": 1 }));
            }

            #[test]
            fn another_request_that_knows_the_old_name_only_is_merged() {
                let base = encoded::<$codec<After>>(&After { same: 1, new: 7 });
                let mine = encoded::<$codec<After>>(&After { same: 2, new: 7 });
                let theirs = record(serde_json::json!({ "old": 9, "same": 1, "odd": [1] }));
                let merged = $codec::<After>::merge(&base, &mine, &theirs).expect("merged");
                assert_holds(&merged, serde_json::json!({ "same": 2, "new": 9, "odd": [1] }));

                let mine = encoded::<$codec<After>>(&After { same: 1, new: 8 });
                let merged = $codec::<After>::merge(&base, &mine, &theirs).expect("merged");
                assert_holds(&merged, serde_json::json!({ "same": 1, "new": 8, "odd": [1] }));
            }

            #[test]
            fn a_field_that_only_the_other_request_has_is_kept() {
                let base = encoded::<$codec<Skipping>>(&Skipping { new: None, same: 1 });
                let mine = encoded::<$codec<Skipping>>(&Skipping { new: None, same: 2 });
                let theirs = record(serde_json::json!({ "new": 9, "same": 1 }));
                let merged = $codec::<Skipping>::merge(&base, &mine, &theirs).expect("merged");
                assert_holds(&merged, serde_json::json!({ "new": 9, "same": 2 }));
            }

            #[test]
            fn unknown_entries_are_dropped_when_the_data_become_the_default() {
                let stored = record(serde_json::json!({ "new": 9, "same": 1, "mail": "a@b" }));
                let written = write::<$codec<Skipping>>(&stored, |data| *data = Skipping::default());
                assert_holds(&written, serde_json::json!({ "same": 0 }));

                let base = encoded::<$codec<Skipping>>(&Skipping { new: Some(9), same: 1 });
                let mine = encoded::<$codec<Skipping>>(&Skipping::default());
                let merged = $codec::<Skipping>::merge(&base, &mine, &stored).expect("merged");
                assert_holds(&merged, serde_json::json!({ "same": 0 }));
            }

            #[test]
            fn a_reset_leaves_nothing_inside_a_field_that_was_the_default_before() {
                let stored = record(serde_json::json!({
                    "id": 7, "home": { "street": "", "city": "of the first person" },
                }));
                let nothing = serde_json::json!({ "id": 0, "home": { "street": "" } });
                let written = write::<$codec<Person>>(&stored, |data| *data = Person::default());
                assert_holds(&written, nothing.clone());

                let base = encoded::<$codec<Person>>(&Person { id: 7, home: Home::default() });
                let mine = encoded::<$codec<Person>>(&Person::default());
                let merged = $codec::<Person>::merge(&base, &mine, &stored).expect("merged");
                assert_holds(&merged, nothing);
            }

            #[test]
            fn a_write_that_does_not_reset_keeps_what_is_inside_other_fields() {
                let stored = record(serde_json::json!({
                    "id": 7, "home": { "street": "", "city": "x" }, "odd": [{}],
                }));
                let written = write::<$codec<Person>>(&stored, |data| data.id = 8);
                assert_holds(&written, serde_json::json!({
                    "id": 8, "home": { "street": "", "city": "x" }, "odd": [{}],
                }));
                // Inside a changed field only what this program knows is written.
                let written = write::<$codec<Person>>(&written, |data| data.home.street.push('y'));
                assert_holds(&written, serde_json::json!({
                    "id": 8, "home": { "street": "y" }, "odd": [{}],
                }));
            }

            #[test]
            fn data_that_could_not_be_encoded_before_keep_unknown_entries_of_a_struct() {
                let stored = record(serde_json::json!({ "same": 1, "new": 2, "old": 3, "odd": 4 }));
                let mine = encoded::<$codec<After>>(&After { same: 5, new: 6 });
                let mut written = Vec::new();
                $codec::<After>::retain(None, &mine, &stored, &mut written).expect("retained");
                assert_holds(&written, serde_json::json!({ "same": 5, "new": 6, "odd": 4 }));
            }

            #[test]
            fn entries_that_were_removed_from_a_map_are_gone() {
                let stored = record(serde_json::json!({ "a": 1, "b": [2], "c": { "d": 3 } }));
                let written = write::<$codec<Entries>>(&stored, |data| {
                    data.remove("b");
                    data.insert("e".to_owned(), serde_json::json!(5));
                });
                assert_holds(&written, serde_json::json!({ "a": 1, "c": { "d": 3 }, "e": 5 }));
            }

            #[test]
            fn a_strict_codec_drops_what_it_does_not_know() {
                type Tested = Strict<$codec<After>>;
                let stored = record(serde_json::json!({ "odd": 1, "same": 1, "old": 7 }));
                let written = write::<Tested>(&stored, |data| data.same = 2);
                assert_holds(&written, serde_json::json!({ "same": 2, "new": 7 }));

                let base = encoded::<Tested>(&After { same: 1, new: 7 });
                let mine = encoded::<Tested>(&After { same: 1, new: 8 });
                let theirs = record(serde_json::json!({ "odd": 1, "same": 5, "new": 7 }));
                let merged = Tested::merge(&base, &mine, &theirs).expect("merged");
                assert_holds(&merged, serde_json::json!({ "same": 5, "new": 8 }));
            }

            #[test]
            fn an_enum_is_one_value() {
                macro_rules! assert_one_value {
                    ($form:ident, $theirs:expr) => {{
                        type Tested = $codec<$form>;
                        let [base, mine] = [$form::A { a: 1, b: 1 }, $form::A { a: 2, b: 1 }]
                            .map(|data| encoded::<Tested>(&data));
                        let theirs = record($theirs);
                        let merged = Tested::merge(&base, &mine, &theirs).expect("merged");
                        assert_eq!(merged, mine);
                        let merged = Tested::merge(&base, &base, &theirs).expect("merged");
                        assert_eq!(merged, theirs);
                        let mut written = Vec::new();
                        Tested::retain(Some(&base), &mine, &theirs, &mut written).expect("retained");
                        assert_eq!(written, mine);
                    }};
                }
                assert_one_value!(External, serde_json::json!({ "A": { "a": 1, "b": 2, "c": 3 } }));
                assert_one_value!(Internal, serde_json::json!({ "t": "A", "a": 1, "b": 2, "c": 3 }));
                assert_one_value!(
                    Adjacent,
                    serde_json::json!({ "t": "A", "c": { "a": 1, "b": 2 }, "d": 3 })
                );
                assert_one_value!(Untagged, serde_json::json!({ "a": 1, "b": 2, "c": 3 }));
            }
        }
    };
}

macro_rules! enums {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        $(#[derive(Debug, PartialEq, Serialize, Deserialize)]
        $(#[$attribute])*
        enum $name { A { a: u8, b: u8 }, B { b: u8 } }

        impl Default for $name {
            fn default() -> Self {
                Self::B { b: 0 }
            }
        })*
    };
}

enums! {
    External
    #[serde(tag = "t")] Internal
    #[serde(tag = "t", content = "c", rename = "another")] Adjacent
    #[serde(untagged)] Untagged
}

/// A map with its entries in a given order.
#[derive(Default)]
struct Pairs(Vec<(String, serde_json::Value)>);

impl Serialize for Pairs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

for_codec!(messagepack, MessagePack);
for_codec!(json, Json);
