//! `Postcard` reads what the same type wrote, and nothing else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use allocation_counter::measure;
use cloakroom::{Codec, Postcard, PostcardData};
use postcard_schema::Schema;
use postcard_schema::schema::{DataModelType, NamedType, NamedValue};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MARK: usize = 8;
const ANOTHER_TYPE: &str = "the session data had another type, or the same one before a change";
const NO_FORM: &str = "the session data have no form in postcard";
const READ_OTHERWISE: &str = "the session data are read otherwise than their schema says";

fn encoded<T: PostcardData>(data: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    Postcard::encode(data, &mut bytes).expect("the data have a form in postcard");
    bytes
}

#[track_caller]
fn assert_comes_back<T: PostcardData + PartialEq + Debug>(data: &T) {
    let back = Postcard::<T>::decode(&encoded(data)).expect("the bytes are the data's");
    assert_eq!(&back, data);
}

#[track_caller]
fn assert_not_written<T: PostcardData>(data: &T) {
    let fault = Postcard::encode(data, &mut Vec::new()).expect_err("serde writes another form");
    assert_eq!(fault.to_string(), NO_FORM);
    let why = fault.source().expect("a reason").to_string();
    assert!(why.contains("use MessagePack or Json"), "{why}");
}

#[track_caller]
fn assert_not_read<T: PostcardData>(bytes: &[u8], why: &str) {
    let fault = Postcard::<T>::decode(bytes).err().expect("the bytes are not read");
    assert_eq!(fault.to_string(), why);
}

/// What can be kept inside an `Option`, without being `Default` itself.
trait Part: Serialize + DeserializeOwned + Schema + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Schema + Send + Sync + 'static> Part for T {}

/// Types as one version of the program has them.
macro_rules! version {
    ($version:ident: $($item:item)*) => {
        mod $version {
            #[allow(unused_imports, reason = "not all items need all")]
            use super::*;
            $(#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)] $item)*
        }
    };
}

/// What one type wrote, and how it reads.
struct Written {
    by: &'static str,
    shown: String,
    bytes: Vec<u8>,
    read: fn(&[u8]) -> Result<String, String>,
}

fn written<T: Part + Debug>(by: &'static str, value: T) -> Written {
    let data = Some(vec![value]);
    Written {
        by,
        shown: format!("{data:?}"),
        bytes: encoded(&data),
        read: |bytes| match Postcard::<Option<Vec<T>>>::decode(bytes) {
            Ok(data) => Ok(format!("{data:?}")),
            Err(fault) => Err(fault.source().expect("a reason").to_string()),
        },
    }
}

macro_rules! written {
    ($($value:expr),* $(,)?) => { [$(written(stringify!($value), $value)),*] };
}

/// Each is read by the type that wrote it, and by none of the others.
#[track_caller]
fn assert_read_by_their_own_type_only(all: &[Written]) {
    for reader in all {
        for writer in all {
            let read = (reader.read)(&writer.bytes);
            let expected = match std::ptr::eq(reader, writer) {
                true => Ok(writer.shown.clone()),
                false => Err(ANOTHER_TYPE.to_owned()),
            };
            assert_eq!(read, expected, "{} written, read as {}", writer.by, reader.by);
        }
    }
}

#[test]
fn a_stored_user_does_not_become_an_admin_when_a_variant_goes() {
    version! { before: pub(crate) enum Role { Anonymous, User, Admin } }
    version! { after: pub(crate) enum Role { User, Admin } }
    version! { moved: pub(crate) enum Role { Admin, User, Anonymous } }
    version! { grown: pub(crate) enum Role { Anonymous, User, Admin, Root } }
    assert_read_by_their_own_type_only(&written![
        before::Role::User,
        after::Role::User,
        moved::Role::User,
        grown::Role::User,
    ]);
}

#[test]
fn fields_inside_an_option_do_not_change_places() {
    version! { before: pub(crate) struct User { pub(crate) id: u64, pub(crate) team: u64, pub(crate) mfa: bool, pub(crate) is_admin: bool } }
    version! { after: pub(crate) struct User { pub(crate) team: u64, pub(crate) id: u64, pub(crate) is_admin: bool, pub(crate) mfa: bool } }
    assert_read_by_their_own_type_only(&written![
        Some(before::User { id: 1, team: 2, mfa: true, is_admin: false }),
        Some(after::User { team: 1, id: 2, is_admin: true, mfa: false }),
    ]);
}

#[test]
fn a_field_that_moves_into_the_struct_before_it_changes_the_type() {
    version! { before:
        pub(crate) struct U { pub(crate) id: u8 }
        pub(crate) struct R { pub(crate) user: Option<U>, pub(crate) admin: bool, pub(crate) z: Option<u8> }
    }
    version! { after:
        pub(crate) struct U { pub(crate) id: u8, pub(crate) admin: bool }
        pub(crate) struct R { pub(crate) user: Option<U>, pub(crate) z: Option<u8> }
    }
    assert_read_by_their_own_type_only(&written![
        before::R { user: Some(before::U { id: 1 }), admin: true, z: Some(1) },
        after::R { user: Some(after::U { id: 1, admin: true }), z: Some(1) },
    ]);
}

#[test]
fn the_end_of_a_name_is_no_beginning_of_a_type() {
    version! { one: pub(crate) struct Data { pub(crate) team: String } }
    version! { two: pub(crate) struct Data { pub(crate) tea: Option<String> } }
    version! { three: pub(crate) struct Data { pub(crate) tea: String, pub(crate) m: () } }
    version! { four: pub(crate) struct Dat { pub(crate) ateam: String } }
    version! { five: pub(crate) struct Data(pub(crate) String); }
    version! { six: pub(crate) struct Data { pub(crate) a: String, pub(crate) b: (u8, u8) } }
    version! { seven: pub(crate) struct Data { pub(crate) a: (String,), pub(crate) b: u8, pub(crate) c: u8 } }
    assert_read_by_their_own_type_only(&written![
        one::Data { team: "t".into() },
        two::Data { tea: Some("t".into()) },
        three::Data { tea: "t".into(), m: () },
        four::Dat { ateam: "t".into() },
        five::Data("t".into()),
        six::Data { a: "t".into(), b: (1, 2) },
        seven::Data { a: ("t".into(),), b: 1, c: 2 },
    ]);
}

#[test]
fn cents_are_not_euros() {
    version! { types: pub(crate) struct Cents(pub(crate) u64); pub(crate) struct Euros(pub(crate) u64); }
    assert_read_by_their_own_type_only(&written![types::Cents(1), types::Euros(1), 1_u64]);
}

#[test]
fn every_kind_of_value_is_a_type_of_its_own() {
    version! { types:
        pub(crate) struct Unit;
        pub(crate) struct Pair(pub(crate) u8, pub(crate) u8);
        pub(crate) enum Few { A(u8) }
        pub(crate) enum Tuple { A(u8, u8) }
        pub(crate) enum Named { A { a: u8 } }
    }
    assert_read_by_their_own_type_only(&written![
        1_u8,
        1_i8,
        1_u16,
        1_i16,
        1_u32,
        1_i32,
        1_u64,
        1_i64,
        1_u128,
        1_i128,
        true,
        1.0_f32,
        1.0_f64,
        'a',
        String::from("a"),
        Some(1_u8),
        Some(1_i8),
        Some(Some(1_u8)),
        vec![1_u8],
        vec![1_i8],
        vec![vec![1_u8]],
        (1_u8,),
        (1_u8, 1_u8),
        (1_u8, 1_i8),
        (1_i8, 1_u8),
        (1_u8, 1_u8, 1_u8),
        [1_u8; 2],
        [1_u8; 3],
        BTreeMap::from([(1_u8, 1_i8)]),
        BTreeMap::from([(1_i8, 1_u8)]),
        HashMap::from([(1_u8, 1_i8)]),
        HashSet::from([1_u8]),
        Duration::from_secs(1),
        Ipv4Addr::LOCALHOST,
        NonZeroU32::MIN,
        (types::Unit, 1_u8),
        types::Pair(1, 1),
        types::Few::A(1),
        types::Tuple::A(1, 1),
        types::Named::A { a: 1 },
    ]);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
struct Field<T> {
    id: u8,
    value: T,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
struct New<T>(T);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Schema)]
enum Either<T> {
    Neither,
    Of { id: u8, value: T },
}

/// A value alone, and inside of others.
fn written_at_depths<T: Part + Clone + Debug>(value: T) -> Vec<Written> {
    fn named<T: Part + Debug>(value: T) -> Written {
        written(std::any::type_name::<T>(), value)
    }
    let field = Field { id: 1, value: value.clone() };
    let either = Either::Of { id: 1, value: value.clone() };
    vec![
        named(value.clone()),
        named(Some(value.clone())),
        named(vec![value.clone()]),
        named((1_u8, value.clone(), 1_u8)),
        named(BTreeMap::from([(String::from("k"), value.clone())])),
        named(New(value.clone())),
        named(field.clone()),
        named(either.clone()),
        named(vec![Some(Field { id: 1, value: Either::Of { id: 2, value: New(value) } })]),
        named(BTreeMap::from([(1_u8, (field, vec![either]))])),
    ]
}

/// Each leaf takes one byte or two, whatever it means.
#[test]
fn a_type_that_changes_its_meaning_at_any_depth_is_another_type() {
    version! { cents: pub(crate) struct Amount(pub(crate) u8); }
    version! { euros: pub(crate) struct Euros(pub(crate) u8); }
    version! { named: pub(crate) struct Amount { pub(crate) cents: u8 } }
    version! { renamed: pub(crate) struct Amount { pub(crate) euros: u8 } }
    version! { rights: pub(crate) struct Rights { pub(crate) reads: bool, pub(crate) writes: bool } }
    version! { exchanged: pub(crate) struct Rights { pub(crate) writes: bool, pub(crate) reads: bool } }
    version! { role: pub(crate) enum Role { User, Admin } }
    version! { role_moved: pub(crate) enum Role { Admin, User } }
    version! { role_grown: pub(crate) enum Role { User, Admin, Owner } }
    version! { role_of: pub(crate) enum Role { User(bool), Admin(bool) } }
    let all = [
        written_at_depths(1_u8),
        written_at_depths(1_i8),
        written_at_depths(true),
        written_at_depths(cents::Amount(1)),
        written_at_depths(euros::Euros(1)),
        written_at_depths(named::Amount { cents: 1 }),
        written_at_depths(renamed::Amount { euros: 1 }),
        written_at_depths(rights::Rights { reads: true, writes: false }),
        written_at_depths(exchanged::Rights { writes: true, reads: false }),
        written_at_depths(role::Role::Admin),
        written_at_depths(role_moved::Role::Admin),
        written_at_depths(role_grown::Role::Admin),
        written_at_depths(role_of::Role::Admin(true)),
    ];
    let all: Vec<_> = all.into_iter().flatten().collect();
    assert_read_by_their_own_type_only(&all);
}

#[test]
fn what_the_schema_crate_describes_comes_back() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    struct Data {
        addresses: Vec<IpAddr>,
        pause: Duration,
        range: Option<std::ops::Range<u32>>,
        results: Vec<Result<u8, String>>,
        boxed: Box<Option<String>>,
        wrapped: std::num::Wrapping<i64>,
        path: std::path::PathBuf,
        marker: std::marker::PhantomData<u8>,
        nothing: [u8; 0],
    }
    assert_comes_back(&Data {
        addresses: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        pause: Duration::from_millis(1_500),
        range: Some(1..300),
        results: vec![Ok(1), Err("late".into())],
        path: "/tmp".into(),
        ..Data::default()
    });
}

#[test]
fn attributes_that_keep_the_form_are_fine() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    #[serde(rename_all = "camelCase", default)]
    struct Data {
        #[serde(alias = "name", alias = "label")]
        full_name: String,
        #[serde(rename = "sum")]
        total: Cents,
        role: Role,
        id: Id,
        seen: Seen,
    }
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    #[serde(transparent)]
    struct Cents(u64);
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    #[serde(transparent)]
    struct Id {
        parts: (u32, u32),
    }
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    #[serde(rename_all = "snake_case")]
    enum Role {
        #[default]
        Visitor,
        SiteAdmin {
            #[serde(alias = "from")]
            since: u32,
        },
    }
    /// Kept as text, and described so.
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Seen(#[serde(with = "as_text")] u64);
    impl Schema for Seen {
        const SCHEMA: &'static NamedType = &NamedType {
            name: "Seen",
            ty: &DataModelType::NewtypeStruct(<String as Schema>::SCHEMA),
        };
    }

    let data = Data {
        full_name: "Ada".into(),
        total: Cents(300),
        role: Role::SiteAdmin { since: 1_815 },
        id: Id { parts: (1, 2) },
        seen: Seen(7),
    };
    assert_comes_back(&data);
    assert_comes_back(&Some(vec![data]));
}

mod as_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A struct whose attribute changes what serde writes, beside the one without it: both
/// have one schema.
macro_rules! assert_refused_on_both_sides {
    ($(#[$attribute:meta])* $type:ty, $value:expr) => {{
        mod plain {
            use super::*;
            #[derive(Default, Serialize, Deserialize, Schema)]
            pub(crate) struct Data {
                pub(crate) field: $type,
                pub(crate) rest: Vec<u8>,
            }
        }
        mod changed {
            use super::*;
            #[derive(Debug, Default, Serialize, Deserialize, Schema)]
            pub(crate) struct Data {
                $(#[$attribute])*
                pub(crate) field: $type,
                pub(crate) rest: Vec<u8>,
            }
        }
        let bytes = encoded(&Some(vec![plain::Data { field: $value, rest: vec![0] }]));
        let back = Postcard::<Option<Vec<plain::Data>>>::decode(&bytes).expect("decoded");
        assert_eq!(encoded(&back), bytes);
        assert_not_read::<Option<Vec<changed::Data>>>(&bytes, READ_OTHERWISE);
        let data = changed::Data { field: $value, rest: vec![0] };
        assert_eq!(data.field, $value);
        assert_not_written(&Some(vec![data]));
    }};
}

#[test]
fn an_attribute_that_the_schema_does_not_see_is_refused_on_both_sides() {
    assert_refused_on_both_sides!(
        #[serde(skip)]
        u8,
        1
    );
    assert_refused_on_both_sides!(
        #[serde(with = "as_text")]
        u64,
        1
    );
    assert_refused_on_both_sides!(#[serde(flatten)] HashMap<String, u8>, HashMap::new());
}

#[test]
fn a_field_that_is_sometimes_skipped_is_refused_then() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    struct Skipping {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        b: u8,
        c: Vec<u8>,
    }
    // Without the check, these bytes would be read as `b: 1, c: []`.
    assert_not_written(&Skipping { a: None, b: 0, c: vec![0] });
    assert_not_written(&vec![Some((1_u8, Skipping { a: None, b: 0, c: vec![0] }))]);
    assert_comes_back(&Skipping { a: Some(1), b: 0, c: vec![] });
}

#[test]
fn an_enum_with_a_tag_is_refused() {
    #[derive(Serialize, Deserialize, Schema)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { a: u8 },
    }
    #[derive(Serialize, Deserialize, Schema)]
    #[serde(tag = "kind", content = "value")]
    enum Adjacent {
        A(u8),
    }
    #[derive(Serialize, Deserialize, Schema)]
    #[serde(untagged)]
    enum Untagged {
        A(u8),
    }
    assert_not_written(&Some(Tagged::A { a: 1 }));
    assert_not_written(&Some(Adjacent::A(1)));
    assert_not_written(&Some(Untagged::A(1)));
}

/// Serde counts a skipped variant when it writes, and does not when it reads: `C` comes
/// back as `D`.
#[test]
fn an_enum_with_a_skipped_variant_is_not_read() {
    #[derive(Debug, Serialize, Deserialize, Schema)]
    enum Choice {
        A,
        #[serde(skip)]
        B,
        C,
        D,
    }
    let data = [Choice::A, Choice::C, Choice::D].map(Some);
    for data in data {
        assert_not_read::<Option<Choice>>(&encoded(&data), READ_OTHERWISE);
    }
    assert!(Postcard::encode(&Some(Choice::B), &mut Vec::new()).is_err());
}

/// The aliases of other variants hide that one is skipped.
#[test]
fn a_skipped_variant_makes_no_variant_another_whatever_the_aliases() {
    fn assert_never_another<T: PostcardData + PartialEq + Debug>(skipped: Option<T>, all: Vec<T>) {
        assert!(skipped.is_none_or(|skipped| Postcard::encode(&skipped, &mut Vec::new()).is_err()));
        for data in all {
            if let Ok(read) = Postcard::<T>::decode(&encoded(&data)) {
                assert_eq!(read, data);
            }
        }
    }

    /// What was retired is read as its heir.
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    enum Inherited {
        #[serde(skip)]
        Guest,
        #[serde(alias = "Guest")]
        #[default]
        User,
        Admin,
    }
    assert_never_another(Some(Inherited::Guest), vec![Inherited::User, Inherited::Admin]);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    enum Aliased {
        #[default]
        A,
        #[serde(skip)]
        B,
        #[serde(alias = "x")]
        C,
        D,
    }
    assert_never_another(Some(Aliased::B), vec![Aliased::A, Aliased::C, Aliased::D]);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    enum Longer {
        #[serde(skip)]
        Alpha,
        #[serde(alias = "Alpha", alias = "beta")]
        #[default]
        Zeta,
        Omega,
    }
    assert_never_another(Some(Longer::Alpha), vec![Longer::Zeta, Longer::Omega]);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    enum LastSkipped {
        #[serde(alias = "x")]
        #[default]
        A,
        B,
        #[serde(skip)]
        C,
    }
    assert_never_another(Some(LastSkipped::C), vec![LastSkipped::A, LastSkipped::B]);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    enum Crosswise {
        #[serde(rename = "B")]
        #[default]
        A,
        #[serde(rename = "A")]
        B,
    }
    assert_never_another(None, vec![Crosswise::A, Crosswise::B]);
}

#[test]
fn a_variant_may_be_renamed_and_have_aliases() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    #[serde(rename_all = "kebab-case")]
    enum Role {
        #[default]
        NoUser,
        #[serde(alias = "administrator", alias = "boss")]
        Admin,
    }
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
    enum Renamed {
        #[default]
        #[serde(rename = "nobody")]
        Anonymous,
        #[serde(rename = "root")]
        Admin(u8),
    }
    assert_comes_back(&vec![Role::NoUser, Role::Admin]);
    assert_comes_back(&vec![Renamed::Anonymous, Renamed::Admin(7)]);
}

#[test]
fn a_schema_that_says_less_than_serde_writes_is_refused() {
    /// Says that it is one number.
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Liar(u8, u8);
    impl Schema for Liar {
        const SCHEMA: &'static NamedType =
            &NamedType { name: "Liar", ty: &DataModelType::NewtypeStruct(u8::SCHEMA) };
    }
    assert_not_written(&Liar(1, 2));
    // The mark, and two bytes.
    let mut bytes = encoded_mark::<Liar>();
    bytes.extend([1, 2]);
    assert!(Postcard::<Liar>::decode(&bytes).is_err());
}

/// The mark, taken from an encoding that is refused after it.
fn encoded_mark<T: PostcardData>() -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = Postcard::encode(&T::default(), &mut bytes);
    bytes.truncate(MARK);
    bytes
}

/// Two structs inside each other, without end, whose schema says only one level.
#[derive(Default, Serialize, Deserialize)]
struct Chain {
    next: Option<Box<Self>>,
}

impl Schema for Chain {
    const SCHEMA: &'static NamedType = &NamedType {
        name: "Chain",
        ty: &DataModelType::Struct(&[&NamedValue {
            name: "next",
            ty: &NamedType { name: "Next", ty: &DataModelType::Option(<()>::SCHEMA) },
        }]),
    };
}

/// One byte for each level.
#[derive(Default)]
struct Wrapped {
    levels: usize,
}

impl Schema for Wrapped {
    const SCHEMA: &'static NamedType = u8::SCHEMA;
}

impl Serialize for Wrapped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.levels.checked_sub(1) {
            Some(levels) => serializer.serialize_newtype_struct("Wrapped", &Self { levels }),
            None => serializer.serialize_u8(0),
        }
    }
}

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Endless;
        impl<'de> serde::de::Visitor<'de> for Endless {
            type Value = Wrapped;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a newtype")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, d: D) -> Result<Wrapped, D::Error> {
                Wrapped::deserialize(d).map(|inner| Wrapped { levels: inner.levels + 1 })
            }
        }
        deserializer.deserialize_newtype_struct("Wrapped", Endless)
    }
}

#[test]
fn data_that_nest_without_end_are_an_error_and_end_no_process() {
    let mut chain = Chain::default();
    for _ in 0..10_000 {
        chain = Chain { next: Some(Box::new(chain)) };
    }
    assert_not_written(&chain);
    // Dropped level by level: dropping it at once would take a frame for each.
    while let Some(next) = chain.next.take() {
        chain = *next;
    }
    let bytes = [encoded_mark::<Chain>(), vec![1; 100_000]].concat();
    assert!(Postcard::<Chain>::decode(&bytes).is_err());

    assert_not_written(&Wrapped { levels: 1_000_000 });
    let bytes = [encoded_mark::<Wrapped>(), vec![1; 100_000]].concat();
    assert_not_read::<Wrapped>(&bytes, READ_OTHERWISE);
}

#[test]
fn data_may_nest_as_deeply_as_the_documentation_says() {
    #[derive(Debug, PartialEq, Serialize, Deserialize, Schema)]
    enum Level<T> {
        Of { value: T },
    }
    type Five<T> = Level<Level<Level<Level<Level<T>>>>>;
    type Ten<T> = Five<Five<T>>;
    // With the `Option` and the number, 32.
    let value: Option<Ten<Ten<Ten<u8>>>> = read_zeros();
    assert_comes_back(&value);
}

/// The value whose bytes are 1, for `Some`, and zeros.
fn read_zeros<T: PostcardData>() -> T {
    let mut bytes = encoded(&T::default());
    bytes.truncate(MARK);
    bytes.push(1);
    bytes.extend([0; 31]);
    Postcard::decode(&bytes).expect("decoded")
}

/// A length in front of less than that.
#[test]
fn a_length_alone_takes_no_memory_and_no_time() {
    type Big = [u64; 6];
    fn assert_cheap<T: PostcardData>(rest: &[u8]) {
        let mut bytes = encoded(&T::default());
        bytes.truncate(MARK);
        for length in [vec![255, 255, 255, 255, 15], [vec![128; 8], vec![16]].concat(), vec![100]] {
            let bytes = [&bytes[..], &length, rest].concat();
            let info = measure(|| assert!(Postcard::<T>::decode(&bytes).is_err()));
            assert!(info.bytes_max < 16_000, "{} bytes", info.bytes_max);
        }
    }
    for rest in [&[][..], &[0; 20]] {
        assert_cheap::<Vec<u64>>(rest);
        assert_cheap::<Vec<Big>>(rest);
        assert_cheap::<HashMap<u8, Big>>(rest);
        assert_cheap::<HashSet<u64>>(rest);
        assert_cheap::<BTreeMap<String, Vec<u8>>>(rest);
        assert_cheap::<String>(rest);
        assert_cheap::<Vec<Vec<Vec<HashMap<u8, ()>>>>>(rest);
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
struct Everything {
    id: Option<u64>,
    flags: (bool, i8, char),
    names: Vec<String>,
    by_name: BTreeMap<String, Vec<Choice>>,
    by_number: HashMap<u16, Option<i32>>,
    last: Choice,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Schema)]
enum Choice {
    #[default]
    Empty,
    One(u32),
    Two(u8, Option<bool>),
    Named {
        items: Vec<u8>,
        ratio: f64,
    },
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Empty),
        any::<u32>().prop_map(Choice::One),
        any::<(u8, Option<bool>)>().prop_map(|(a, b)| Choice::Two(a, b)),
        (vec(any::<u8>(), 0..9), -1e9..1e9)
            .prop_map(|(items, ratio)| Choice::Named { items, ratio }),
    ]
}

fn everything() -> impl Strategy<Value = Everything> {
    let by_name = proptest::collection::btree_map(".{0,5}", vec(choice(), 0..4), 0..4);
    let by_number = proptest::collection::hash_map(any::<u16>(), any::<Option<i32>>(), 0..5);
    let flat = (any::<Option<u64>>(), any::<(bool, i8, char)>(), vec(".{0,9}", 0..5));
    (flat, by_name, by_number, choice()).prop_map(|(flat, by_name, by_number, last)| {
        let (id, flags, names) = flat;
        Everything { id, flags, names, by_name, by_number, last }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn data_come_back_as_they_were(data in everything()) {
        assert_comes_back(&data);
    }

    /// No bytes end the process, or take more than in proportion to their number.
    #[test]
    fn any_bytes_are_data_or_an_error(
        data in everything(),
        at in any::<prop::sample::Index>(),
        replaced in vec(any::<u8>(), 0..30),
        rest in any::<bool>(),
    ) {
        let mut bytes = encoded(&data);
        let at = MARK + at.index(bytes.len() - MARK);
        let end = if rest { (at + replaced.len()).min(bytes.len()) } else { bytes.len() };
        bytes.splice(at..end, replaced);

        let mut read = None;
        let info = measure(|| read = Postcard::<Everything>::decode(&bytes).ok());
        // A value of one byte takes up to `size_of::<Choice>()`, a map doubles.
        prop_assert!(info.bytes_max < 4_000 + 300 * bytes.len() as u64, "{info:?}");
        if let Some(data) = read {
            let back = Postcard::<Everything>::decode(&encoded(&data)).expect("decoded again");
            prop_assert_eq!(shown(data), shown(back));
        }
    }
}

/// A text in which NaN equals itself, and maps have an order.
fn shown(mut data: Everything) -> String {
    let by_number: BTreeMap<_, _> = data.by_number.drain().collect();
    format!("{data:?} {by_number:?}")
}
