//! A codec refuses values that it could take for others, in writing and in reading.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cloakroom::codec::{Undecodable, Unrepresentable};
use cloakroom::{Codec, Json, MessagePack, SessionData};
use serde::{Deserialize, Deserializer, Serialize};

use crate::codecs::encoded;

/// The reason for which data are not written.
fn refusal<C: Codec>(data: &C::Data) -> Option<Unrepresentable> {
    let error = C::encode(data, &mut Vec::new()).err()?;
    error.source().and_then(|source| source.downcast_ref()).copied()
}

/// What is written is read back as it was.
#[track_caller]
fn assert_comes_back<T: SessionData + PartialEq + Debug>(data: &T) {
    assert_eq!(&MessagePack::<T>::decode(&encoded::<MessagePack<T>>(data)).expect("read"), data);
    assert_eq!(&Json::<T>::decode(&encoded::<Json<T>>(data)).expect("read"), data);
}

#[track_caller]
fn assert_unrepresentable<T: SessionData>(data: &T, reason: Unrepresentable) {
    assert_eq!(refusal::<MessagePack<T>>(data), Some(reason), "MessagePack");
    assert_eq!(refusal::<Json<T>>(data), Some(reason), "JSON");
}

/// What one type wrote is not read as another.
#[track_caller]
fn assert_not_read_as<B: SessionData + Debug, A: SessionData>(before: &A) {
    let bytes = encoded::<MessagePack<A>>(before);
    MessagePack::<B>::decode(&bytes).expect_err("MessagePack of another meaning");
    let bytes = encoded::<Json<A>>(before);
    Json::<B>::decode(&bytes).expect_err("JSON of another meaning");
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Maybe(Option<u8>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Holder<T> {
    held: T,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Role {
    #[default]
    User,
    Admin,
    Team(u8),
    Named {
        level: u8,
        is_admin: bool,
    },
    Pair(u8, bool),
}

#[test]
fn nothing_inside_some_is_refused_wherever_it_stands() {
    let reason = Unrepresentable::NothingInSome;
    assert_unrepresentable(&Some(None::<u8>), reason);
    assert_unrepresentable(&Some(Some(None::<u8>)), reason);
    assert_unrepresentable(&Some(()), reason);
    assert_unrepresentable(&Some(Unit), reason);
    assert_unrepresentable(&Some(Maybe(None)), reason);
    assert_unrepresentable(&Some(serde_json::Value::Null), reason);
    assert_unrepresentable(&Holder { held: Some(None::<u8>) }, reason);
    assert_unrepresentable(&vec![Some(()), None], reason);
    assert_unrepresentable(&(1, Some(Maybe(None))), reason);
    assert_unrepresentable(&HashMap::from([("a".to_owned(), Some(None::<u8>))]), reason);
    assert_unrepresentable(&Some(Holder { held: Some(()) }), reason);
}

#[test]
fn what_only_looks_like_nothing_inside_some_comes_back() {
    assert_comes_back(&None::<Option<u8>>);
    assert_comes_back(&Some(Some(1)));
    assert_comes_back(&Some(Maybe(Some(1))));
    assert_comes_back(&Some(vec![None::<u8>]));
    assert_comes_back(&Some(Holder { held: None::<u8> }));
    assert_comes_back(&Some((None::<u8>, ())));
    assert_comes_back(&vec![(), ()]);
    assert_comes_back(&Unit);
    assert_comes_back(&Some(String::new()));
    assert_comes_back(&Some(Role::User));
}

#[test]
fn every_form_of_a_variant_comes_back() {
    for role in [
        Role::User,
        Role::Admin,
        Role::Team(7),
        Role::Named { level: 1, is_admin: true },
        Role::Pair(1, true),
    ] {
        assert_comes_back(&role);
        assert_comes_back(&Holder { held: vec![Some(role.clone())] });
    }
    assert_comes_back(&HashMap::from([(Role::User, 1), (Role::Admin, 2)]));
}

#[test]
fn a_number_is_no_variant() {
    for number in 0..5 {
        assert_not_read_as::<Role, _>(&number);
        assert_not_read_as::<Holder<Role>, _>(&Holder { held: number });
        assert_not_read_as::<Holder<Option<Role>>, _>(&Holder { held: Some(number) });
        assert_not_read_as::<Vec<Role>, _>(&vec![number]);
        assert_not_read_as::<HashMap<Role, u8>, _>(&HashMap::from([(number, 1)]));
        assert_not_read_as::<Role, _>(&HashMap::from([(number, 1)]));
        assert_not_read_as::<Role, _>(&HashMap::from([(number, ())]));
        assert_not_read_as::<Role, _>(&Holder { held: f64::from(number) });
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Internal {
    User { id: u8 },
    Admin { id: u8 },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "of")]
enum Adjacent {
    User(u8),
    Admin(u8),
    Both(u8, bool),
}

macro_rules! default {
    ($($name:ident: $default:expr;)*) => {
        $(impl Default for $name {
            fn default() -> Self {
                $default
            }
        })*
    };
}

default! {
    Internal: Self::User { id: 0 };
    Adjacent: Self::User(0);
    Untagged: Self::Number(0);
    Contact: Self::Address { ip: IpAddr::V4(Ipv4Addr::LOCALHOST) };
    Flat: Self { rest: Rest { ip: IpAddr::V4(Ipv4Addr::LOCALHOST), since: None } };
}

#[test]
fn a_number_is_no_tag() {
    #[derive(Default, Serialize, Deserialize)]
    struct Numbered {
        kind: u8,
        id: u8,
        of: u8,
    }
    assert_comes_back(&Internal::Admin { id: 1 });
    assert_comes_back(&Adjacent::Both(1, true));
    for kind in 0..3 {
        assert_not_read_as::<Internal, _>(&Numbered { kind, id: 1, of: 1 });
        assert_not_read_as::<Adjacent, _>(&Numbered { kind, id: 1, of: 1 });
    }
    assert_not_read_as::<Adjacent, _>(&HashMap::from([(0, "Admin".to_owned())]));
}

#[test]
fn a_number_is_no_field() {
    #[derive(Debug, Default, Serialize, Deserialize)]
    #[serde(default)]
    struct User {
        id: u8,
        is_admin: u8,
    }
    let bytes = encoded::<MessagePack<HashMap<u8, u8>>>(&HashMap::from([(1, 1)]));
    MessagePack::<User>::decode(&bytes).expect_err("no field");
    assert_comes_back(&HashMap::from([(1, 1)]));
}

#[test]
fn a_list_is_no_struct() {
    #[derive(Debug, Default, Serialize, Deserialize)]
    struct Tup(u8, bool);
    #[derive(Debug, Default, Serialize, Deserialize)]
    struct Named {
        level: u8,
        is_admin: bool,
    }
    #[derive(Debug, Default, Serialize, Deserialize)]
    enum Form {
        #[default]
        None,
        Named(u8, bool),
    }

    assert_not_read_as::<Named, _>(&Tup(1, true));
    assert_not_read_as::<Named, _>(&(1, true));
    assert_not_read_as::<Holder<Option<Named>>, _>(&Holder { held: Some(Tup(1, true)) });
    assert_not_read_as::<Vec<Named>, _>(&vec![(1, true)]);
    assert_not_read_as::<Role, _>(&Form::Named(1, true));
    assert_not_read_as::<Adjacent, _>(&("Admin".to_owned(), 1));
    assert_not_read_as::<HashMap<String, u8>, _>(&vec![1]);
    assert_not_read_as::<Tup, _>(&Named { level: 1, is_admin: true });
}

#[test]
fn a_list_is_no_variant() {
    // Reading went on behind the list: the content was what follows it.
    assert_not_read_as::<(Role, u8), _>(&(["Team".to_owned()], 7, 7));
    assert_not_read_as::<Vec<Role>, _>(&(["Team".to_owned()], 7));
    assert_not_read_as::<Role, _>(&("Team".to_owned(), 7));
    assert_not_read_as::<Role, _>(&["Admin".to_owned()]);
    // Serde would take the tag from its beginning.
    assert_not_read_as::<Internal, _>(&("Admin".to_owned(), 1));
    assert_not_read_as::<Holder<Option<Internal>>, _>(&Holder { held: ("Admin".to_owned(), 1) });
    assert_not_read_as::<Vec<Internal>, _>(&vec![("Admin".to_owned(), 1)]);
    assert_not_read_as::<Internal, _>(&["Admin".to_owned()]);
}

#[test]
fn a_map_of_two_entries_is_no_variant() {
    let two = BTreeMap::from([("Team".to_owned(), 1), ("Admin".to_owned(), 2)]);
    assert_not_read_as::<Role, _>(&two);
    assert_not_read_as::<Vec<Role>, _>(&vec![two]);
    assert_not_read_as::<Role, _>(&BTreeMap::<String, u8>::new());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Address(IpAddr),
    Role(Role),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by")]
enum Contact {
    Address { ip: IpAddr },
    Mail { to: String },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Rest {
    ip: IpAddr,
    since: Option<std::time::SystemTime>,
}

#[test]
fn what_serde_holds_back_comes_back() {
    for ip in [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        assert_comes_back(&Contact::Address { ip });
        assert_comes_back(&Untagged::Address(ip));
        let since = Some(std::time::SystemTime::UNIX_EPOCH);
        assert_comes_back(&Flat { rest: Rest { ip, since } });
        assert_comes_back(&HashMap::from([(ip, vec![ip])]));
    }
    assert_comes_back(&Contact::Mail { to: "a@b".to_owned() });
    assert_comes_back(&vec![Untagged::Role(Role::Named { level: 1, is_admin: true })]);
}

#[test]
fn a_map_whose_keys_are_no_text_or_number_is_refused_in_json() {
    let data = HashMap::from([((1, 2), 3)]);
    assert_eq!(refusal::<Json<HashMap<(u8, u8), u8>>>(&data), Some(Unrepresentable::MapKey));
    let nothing = BTreeMap::from([(None::<u8>, 3)]);
    assert_eq!(refusal::<Json<BTreeMap<Option<u8>, u8>>>(&nothing), Some(Unrepresentable::MapKey));
    let bytes = encoded::<MessagePack<HashMap<(u8, u8), u8>>>(&data);
    assert_eq!(MessagePack::<HashMap<(u8, u8), u8>>::decode(&bytes).expect("read"), data);
}

/// Data that hold themselves.
mod nested {
    use super::*;

    /// As many levels as there may be, the data's own included.
    const LEVELS: usize = 101;
    const FAR_TOO_MANY: [usize; 2] = [130, 400];

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Node {
        name: u8,
        next: Option<Box<Self>>,
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct List(Vec<Self>);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Map(BTreeMap<String, Self>);

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    enum Chain {
        #[default]
        End,
        Next(Box<Self>),
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Loose {
        #[default]
        End,
        Next(Vec<Self>),
    }

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "t")]
    enum Tagged {
        #[default]
        End,
        Next {
            next: Box<Self>,
        },
    }

    /// Its levels leave no trace in the bytes.
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Traceless(Option<Box<Self>>);

    fn nested<T: Default>(levels: usize, level: impl Fn(T) -> T) -> T {
        (0..levels).fold(T::default(), |inner, _| level(inner))
    }

    fn node(levels: usize) -> Node {
        nested(levels - 1, |inner| Node { name: 1, next: Some(Box::new(inner)) })
    }

    fn list(levels: usize) -> List {
        nested(levels - 1, |inner| List(vec![inner]))
    }

    fn map(levels: usize) -> Map {
        nested(levels - 1, |inner| Map(BTreeMap::from([("a".to_owned(), inner)])))
    }

    fn chain(levels: usize) -> Chain {
        nested(levels, |inner| Chain::Next(Box::new(inner)))
    }

    fn loose(levels: usize) -> Loose {
        nested(levels, |inner| Loose::Next(vec![inner]))
    }

    fn tagged(levels: usize) -> Tagged {
        nested(levels - 1, |next| Tagged::Next { next: Box::new(next) })
    }

    fn value(levels: usize) -> serde_json::Value {
        nested(levels, |inner| serde_json::json!([inner]))
    }

    #[test]
    fn a_hundred_levels_come_back() {
        assert_comes_back(&node(LEVELS));
        assert_comes_back(&list(LEVELS));
        assert_comes_back(&map(LEVELS));
        assert_comes_back(&chain(LEVELS));
        assert_comes_back(&loose(LEVELS));
        assert_comes_back(&value(LEVELS));
        assert_comes_back(&tagged(50));
    }

    #[test]
    fn more_are_refused_when_they_are_written() {
        for levels in [LEVELS + 1].into_iter().chain(FAR_TOO_MANY) {
            let reason = Unrepresentable::TooDeep;
            assert_unrepresentable(&node(levels), reason);
            assert_unrepresentable(&list(levels), reason);
            assert_unrepresentable(&map(levels), reason);
            assert_unrepresentable(&chain(levels), reason);
            assert_unrepresentable(&loose(levels), reason);
            assert_unrepresentable(&value(levels), reason);
            assert_unrepresentable(&tagged(levels), reason);
            let traceless = nested(levels + 200, |inner| Traceless(Some(Box::new(inner))));
            assert_unrepresentable(&traceless, reason);
        }
    }

    /// The bytes of `levels`, each of which is opened and closed.
    fn bytes(levels: usize, open: &[u8], end: &[u8], close: &[u8]) -> Vec<u8> {
        [open.repeat(levels), end.to_vec(), close.repeat(levels)].concat()
    }

    #[test]
    fn more_are_refused_when_they_are_read() {
        fn assert_refused<T: SessionData + Debug>(packed: &[u8], json: &[u8]) {
            for reason in [
                reason(&MessagePack::<T>::decode(packed).expect_err("too deep")),
                reason(&Json::<T>::decode(json).expect_err("too deep")),
            ] {
                assert_eq!(reason, "they are nested too deeply");
            }
        }

        for levels in [LEVELS + 1].into_iter().chain(FAR_TOO_MANY).chain([1_000_000]) {
            let json =
                |open: &str, close: &str| bytes(levels, open.as_bytes(), b"[]", close.as_bytes());
            let (lists, json_lists) = (bytes(levels, b"\x91", b"\x90", b""), json("[", "]"));
            assert_refused::<List>(&lists, &json_lists);
            assert_refused::<Loose>(&lists, &json_lists);
            assert_refused::<serde_json::Value>(&lists, &json_lists);
            let maps = bytes(levels, b"\x81\xa1a", b"\x80", b"");
            assert_refused::<Map>(&maps, &json(r#"{"a":"#, "}"));
            let nodes = bytes(levels, b"\x82\xa4name\x01\xa4next", b"\xc0", b"");
            assert_refused::<Node>(&nodes, &json(r#"{"name":1,"next":"#, "}"));
            let chain = bytes(levels, b"\x81\xa4Next", b"\xa3End", b"");
            assert_refused::<Chain>(&chain, &json(r#"{"Next":"#, "}"));
        }
    }

    #[test]
    fn what_could_be_read_for_ever_is_refused() {
        MessagePack::<Traceless>::decode(b"\x00").expect_err("a number");
        Json::<Traceless>::decode(b"0").expect_err("a number");
        assert_comes_back(&Traceless::default());
    }

    #[test]
    fn unknown_fields_that_are_nested_deeply_do_no_harm() {
        for levels in FAR_TOO_MANY.into_iter().chain([1_000_000]) {
            let packed =
                [&b"\x82\xa4name\x01\xa3odd"[..], &b"\x91".repeat(levels), b"\x90"].concat();
            let _ = MessagePack::<Node>::decode(&packed);
            let _ = MessagePack::<Node>::retain(Some(b"\x80"), b"\x80", &packed, &mut vec![]);
            let _ = MessagePack::<Node>::merge(b"\x80", b"\x80", &packed);
            let json =
                [&br#"{"name":1,"odd":"#[..], &bytes(levels, b"[", b"", b"]"), b"}"].concat();
            let _ = Json::<Node>::decode(&json);
            let _ = Json::<Node>::retain(Some(b"{}"), b"{}", &json, &mut vec![]);
            let _ = Json::<Node>::merge(b"{}", b"{}", &json);
        }
    }
}

/// Takes no byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Free;

impl<'de> Deserialize<'de> for Free {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// More than four thousand million, in five bytes.
#[test]
fn a_length_without_what_it_counts_is_refused() {
    const LIST: &[u8] = b"\xdd\xff\xff\xff\xff";
    MessagePack::<Vec<()>>::decode(LIST).expect_err("no units");
    MessagePack::<Vec<Free>>::decode(LIST).expect_err("no units");
    MessagePack::<Vec<u64>>::decode(LIST).expect_err("no numbers");
    MessagePack::<Vec<[u64; 32]>>::decode(LIST).expect_err("no numbers");
    MessagePack::<serde_json::Value>::decode(LIST).expect_err("no values");
    for map in [&b"\xdf\xff\xff\xff\xff"[..], b"\xdf\xff\xff\xff\xff\xa1a\x01"] {
        MessagePack::<HashMap<String, u8>>::decode(map).expect_err("no entries");
        MessagePack::<HashMap<u8, Free>>::decode(map).expect_err("no entries");
        MessagePack::<Holder<u8>>::decode(map).expect_err("no entries");
        let _ = MessagePack::<HashMap<String, u8>>::merge(map, map, map);
    }
    for text in [&b"\xdb\xff\xff\xff\xffabc"[..], b"\xc6\xff\xff\xff\xffabc"] {
        MessagePack::<String>::decode(text).expect_err("no text");
    }
}

/// Why bytes were not read.
fn reason(error: &impl Error) -> String {
    let reason = error.source().and_then(|source| source.downcast_ref::<Undecodable>());
    reason.expect("a reason").to_string()
}

#[test]
fn the_reason_is_told_without_the_data() {
    fn assert_reason<T: SessionData + Debug>(packed: &[u8], json: &str, expected: &str) {
        let packed = MessagePack::<T>::decode(packed).expect_err("refused");
        let json = Json::<T>::decode(json.as_bytes()).expect_err("refused");
        assert_eq!((&*reason(&packed), &*reason(&json)), (expected, expected));
        for error in [packed.to_string(), json.to_string(), format!("{packed:?} {json:?}")] {
            assert!(!error.contains("secret") && !error.contains("77"), "{error}");
        }
    }

    let list = "a list stands where a struct or a map is due";
    assert_reason::<Holder<Holder<u8>>>(b"\x81\xa4held\x91\x4d", r#"{"held":[77]}"#, list);
    let missing = "a field is missing that has no `#[serde(default)]`";
    assert_reason::<Holder<u8>>(b"\x80", "{}", missing);
    let unknown = "a variant has a name that this program does not know";
    assert_reason::<Role>(b"\xa6secret", r#""secret""#, unknown);
    let value = "a value does not fit the data's type";
    assert_reason::<Holder<u8>>(b"\x81\xa4held\xa6secret", r#"{"held":"secret"}"#, value);
    assert_reason::<Holder<u8>>(b"\x81\xa4held", r#"{"held":"#, "they end too soon");
    let number = MessagePack::<Holder<Role>>::decode(b"\x81\xa4held\x02").expect_err("refused");
    assert_eq!(reason(&number), "a number stands where the name of a variant or field is due");
}
