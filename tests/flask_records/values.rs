//! Values of struct fields, as msgspec writes them.

use std::collections::BTreeMap;
use std::fmt::Debug;

use cloakroom::flask::{self, Flashes};
use cloakroom::{Codec, Flask, Json, MessagePack, SessionData};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

use crate::shelf::hex;

/// MessagePack as it is shared: on its own it is written as for people.
type Packed<T> = Flask<MessagePack<T>>;

/// Both directions, in both formats.
#[track_caller]
fn assert_values<T: SessionData + PartialEq + Debug>(value: &T, packed: &str, json: &str) {
    let mut out = Vec::new();
    Packed::<T>::encode(value, &mut out).expect("encoded");
    assert_eq!(data_encoding::HEXLOWER.encode(&out), packed);
    assert_eq!(&Packed::<T>::decode(&hex(packed)).expect("decoded"), value);

    out.clear();
    Json::<T>::encode(value, &mut out).expect("encoded");
    assert_eq!(String::from_utf8(out).expect("text"), json);
    assert_eq!(&Json::<T>::decode(json.as_bytes()).expect("decoded"), value);
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mixed {
    user_id: u8,
    cart: (i64, String, Option<()>, bool, f64),
    t: (u8, u8),
    d: BTreeMap<String, Blob>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Blob(#[serde(with = "flask::bytes")] Vec<u8>);

#[test]
fn nested_values_are_those_of_flask() {
    let mixed = Mixed {
        user_id: 7,
        cart: (1, "é".to_owned(), None, true, 1.5),
        t: (1, 2),
        d: BTreeMap::from([("k".to_owned(), Blob(vec![0, 0xff]))]),
    };
    assert_values(
        &mixed,
        "84a7757365725f696407a4636172749501a2c3a9c0c3cb3ff8000000000000a174920102a16481a16bc40200ff",
        r#"{"user_id":7,"cart":[1,"é",null,true,1.5],"t":[1,2],"d":{"k":"AP8="}}"#,
    );
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Timed {
    #[serde(with = "flask::timestamp::option")]
    t: Option<OffsetDateTime>,
}

#[test]
fn times_with_a_zone_are_those_of_flask() {
    for (time, packed, json) in [
        ("2024-01-02T03:04:05.678901Z", "d7ffa1dcd42065937d25", "2024-01-02T03:04:05.678901Z"),
        ("2024-01-01T00:00:00Z", "d6ff65920080", "2024-01-01T00:00:00Z"),
        ("2106-02-07T06:28:16Z", "d7ff0000000100000000", "2106-02-07T06:28:16Z"),
        ("1969-01-01T00:00:00Z", "c70cff00000000fffffffffe1ecc80", "1969-01-01T00:00:00Z"),
        ("2600-01-01T00:00:00Z", "c70cff0000000000000004a0fe7280", "2600-01-01T00:00:00Z"),
        // Shorter than a microsecond is unknown to Python.
        ("2024-01-01T00:00:00.0000009Z", "d6ff65920080", "2024-01-01T00:00:00Z"),
    ] {
        let time = OffsetDateTime::parse(time, &Rfc3339).expect("a time");
        let cut = time.replace_microsecond(time.microsecond()).expect("in range");
        let mut out = Vec::new();
        Packed::encode(&Timed { t: Some(time) }, &mut out).expect("encoded");
        assert_eq!(data_encoding::HEXLOWER.encode(&out), format!("81a174{packed}"));
        let text = format!(r#"{{"t":"{json}"}}"#);
        assert_values(&Timed { t: Some(cut) }, &format!("81a174{packed}"), &text);
    }
    assert_values(&Timed { t: None }, "81a174c0", r#"{"t":null}"#);
}

#[test]
fn a_zone_is_kept_in_json_and_becomes_utc_in_messagepack() {
    let json = r#"{"t":"2024-01-01T00:00:00.500000+02:00"}"#;
    let timed = Json::<Timed>::decode(json.as_bytes()).expect("decoded");
    let mut out = Vec::new();
    Json::encode(&timed, &mut out).expect("encoded");
    assert_eq!(String::from_utf8(out).expect("text"), json);

    let mut out = Vec::new();
    Packed::encode(&timed, &mut out).expect("encoded");
    assert_eq!(data_encoding::HEXLOWER.encode(&out), "81a174d7ff773594006591e460");
}

#[test]
fn times_that_python_does_not_know_are_refused() {
    for year in [0, -1] {
        let date = Date::from_calendar_date(year, time::Month::January, 1).expect("a date");
        let timed = Timed { t: Some(date.midnight().assume_utc()) };
        assert!(Packed::encode(&timed, &mut Vec::new()).is_err());
        assert!(Json::encode(&timed, &mut Vec::new()).is_err());
    }
    for wrong in [
        "d4ff00",
        "d6fe00000000",
        "d7ffffffffffffffffff",
        "00",
        "a0",
        "c70cff000000007fffffffffffffff",
    ] {
        assert!(Packed::<Timed>::decode(&hex(&format!("81a174{wrong}"))).is_err(), "{wrong}");
    }
    assert!(Json::<Timed>::decode(br#"{"t":"2024-01-01T00:00:00"}"#).is_err());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Naive {
    #[serde(with = "flask::datetime")]
    dt: PrimitiveDateTime,
    #[serde(with = "flask::date::option")]
    d: Option<Date>,
    #[serde(with = "flask::time")]
    t: Time,
}

impl Default for Naive {
    fn default() -> Self {
        Self { dt: PrimitiveDateTime::MIN, d: None, t: Time::MIDNIGHT }
    }
}

#[test]
fn times_without_a_zone_are_texts() {
    let text = "2024-01-02T03:04:05.678901";
    let dt = PrimitiveDateTime::parse(text, &Iso8601::PARSING).expect("a time");
    assert_values(
        &Naive { dt, d: Some(dt.date()), t: Time::from_hms(3, 4, 5).expect("a time") },
        "83a26474ba323032342d30312d30325430333a30343a30352e363738393031a164aa323032342d30312d3032a174a830333a30343a3035",
        r#"{"dt":"2024-01-02T03:04:05.678901","d":"2024-01-02","t":"03:04:05"}"#,
    );
}

#[test]
fn what_a_time_without_a_zone_would_lose_is_refused() {
    let read = |dt: &str, d: &str, t: &str| {
        let json = format!(r#"{{"dt":"{dt}","d":"{d}","t":"{t}"}}"#);
        Json::<Naive>::decode(json.as_bytes())
    };
    let (dt, d, t) = ("2024-01-02T03:04:05", "2024-01-02", "03:04:05");
    assert!(read(dt, d, t).is_ok());
    for zone in ["Z", "+00:00", "-02:30"] {
        assert!(read(&format!("{dt}{zone}"), d, t).is_err(), "{zone}");
        assert!(read(dt, d, &format!("{t}{zone}")).is_err(), "{zone}");
    }
    assert!(read(dt, dt, t).is_err(), "a date has no time");
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bytes {
    #[serde(with = "flask::bytes")]
    b: Vec<u8>,
    #[serde(with = "flask::bytes::option")]
    o: Option<Vec<u8>>,
}

#[test]
fn bytes_are_binary_or_base64() {
    let json = r#"{"b":"AP8=","o":""}"#;
    let bytes = Bytes { b: vec![0, 0xff], o: Some(vec![]) };
    assert_values(&bytes, "82a162c40200ffa16fc400", json);
    assert_values(&Bytes::default(), "82a162c400a16fc0", r#"{"b":"","o":null}"#);
    assert!(Json::<Bytes>::decode(br#"{"b":"AP8","o":null}"#).is_err());
    assert!(Packed::<Bytes>::decode(&hex("82a162a141a16fc0")).is_err(), "text is no bytes");
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Number<N> {
    n: N,
}

#[test]
fn integers_are_as_short_as_they_can_be() {
    for (int, packed) in [
        (0, "00"),
        (127, "7f"),
        (128, "cc80"),
        (256, "cd0100"),
        (65_536, "ce00010000"),
        (1 << 32, "cf0000000100000000"),
        (-1, "ff"),
        (-32, "e0"),
        (-33, "d0df"),
        (-129, "d1ff7f"),
        (-32_769, "d2ffff7fff"),
        (i64::MIN, "d38000000000000000"),
    ] {
        let (packed, json) = (format!("81a16e{packed}"), format!(r#"{{"n":{int}}}"#));
        assert_values(&Number { n: int }, &packed, &json);
    }
    let json = r#"{"n":18446744073709551615}"#;
    assert_values(&Number { n: u64::MAX }, "81a16ecfffffffffffffffff", json);
    let big = "123456789012345678901234567890";
    let int = Json::<i128>::decode(big.as_bytes()).expect("decoded");
    assert_eq!(int.to_string(), big);
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Page {
    #[serde(rename = "_flashes", skip_serializing_if = "Flashes::is_empty")]
    flashes: Flashes,
}

#[test]
fn flashed_messages_are_pairs_of_category_and_message() {
    let mut page = Page::default();
    page.flashes.push("info", "hello");
    assert_values(
        &page,
        "81a85f666c61736865739192a4696e666fa568656c6c6f",
        r#"{"_flashes":[["info","hello"]]}"#,
    );
    assert_eq!(page.flashes.as_slice().len(), 1);
    assert_eq!(page.flashes.take(), [("info".to_owned(), "hello".to_owned())]);
    assert_values(&page, "80", "{}");
}
