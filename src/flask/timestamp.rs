//! `datetime` with a time zone: a timestamp in MessagePack, ISO 8601 in JSON.
//!
//! For a field of type [`time::OffsetDateTime`]:
//! `#[serde(with = "cloakroom::flask::timestamp")]`. MessagePack knows no time zone,
//! and what is read from it is in UTC, as in Python. What is shorter than a
//! microsecond is cut off, and years are those from 1 to 9999, both as in Python.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::form::{Form, Text, with};
use super::{date, time as time_of_day};

/// How `rmp-serde` names a value of a type that the format has been extended by.
const EXTENSION: &str = rmp_serde::MSGPACK_EXT_STRUCT_NAME;
/// The type of a timestamp.
const TIMESTAMP: i8 = -1;

with!(::time::OffsetDateTime);

impl Form for OffsetDateTime {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let in_utc = self.checked_to_offset(UtcOffset::UTC);
        let in_utc = in_utc.ok_or_else(|| S::Error::custom("a time outside of UTC's years"))?;
        date::Iso(in_utc.date()).checked()?;
        if serializer.is_human_readable() {
            // ISO 8601 has no seconds in an offset.
            let zoned = if self.offset().seconds_past_minute() == 0 { *self } else { in_utc };
            let date = date::Iso(zoned.date()).checked()?;
            let (time, zone) = (time_of_day::Iso(zoned.time()), Zone(zoned.offset()));
            return serializer.collect_str(&format_args!("{date}T{time}{zone}"));
        }
        let seconds = self.unix_timestamp();
        let nanos = self.microsecond() * 1_000;
        let mut buffer = [0; 12];
        let content = Content(timestamp(seconds, nanos, &mut buffer));
        serializer.serialize_newtype_struct(EXTENSION, &(TIMESTAMP, content))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_str(Text::new("a date and time with zone", |text| {
                Self::parse(text, &Rfc3339).ok()
            })),
            false => deserializer.deserialize_newtype_struct(EXTENSION, Extension),
        }
    }
}

/// The shortest of the three forms: 32, 64 or 96 bits.
fn timestamp(seconds: i64, nanos: u32, buffer: &mut [u8; 12]) -> &[u8] {
    match (u32::try_from(seconds), u64::try_from(seconds)) {
        (Ok(seconds), _) if nanos == 0 => {
            buffer[..4].copy_from_slice(&seconds.to_be_bytes());
            &buffer[..4]
        }
        (_, Ok(seconds)) if seconds >> 34 == 0 => {
            buffer[..8].copy_from_slice(&(u64::from(nanos) << 34 | seconds).to_be_bytes());
            &buffer[..8]
        }
        _ => {
            buffer[..4].copy_from_slice(&nanos.to_be_bytes());
            buffer[4..].copy_from_slice(&seconds.to_be_bytes());
            buffer
        }
    }
}

fn read(content: &[u8]) -> Option<OffsetDateTime> {
    let (seconds, nanos) = match *content {
        [a, b, c, d] => (u32::from_be_bytes([a, b, c, d]).into(), 0),
        [a, b, c, d, e, f, g, h] => {
            let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
            // 34 bits fit.
            ((both & ((1 << 34) - 1)) as i64, (both >> 34) as u32)
        }
        [a, b, c, d, ref seconds @ ..] => {
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes([a, b, c, d]))
        }
        _ => return None,
    };
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.replace_nanosecond(nanos).ok()
}

/// `Z` or an offset, as Python writes it.
struct Zone(UtcOffset);

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_utc() {
            return f.write_str("Z");
        }
        let (hours, minutes, _) = self.0.as_hms();
        let sign = if self.0.is_negative() { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", hours.unsigned_abs(), minutes.unsigned_abs())
    }
}

/// The content of an extension, as bytes.
struct Content<'a>(&'a [u8]);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

/// Reads the pair of type and content.
struct Extension;

impl<'de> Visitor<'de> for Extension {
    type Value = OffsetDateTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a timestamp")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<OffsetDateTime, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<OffsetDateTime, A::Error> {
        let kind = pair.next_element::<i8>()?;
        let time = pair.next_element::<Time>()?;
        match (kind, time) {
            (Some(TIMESTAMP), Some(Time(Some(time)))) => Ok(time),
            _ => Err(A::Error::custom("not a timestamp")),
        }
    }
}

struct Time(Option<OffsetDateTime>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Time;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the bytes of a timestamp")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Time, E> {
                Ok(Time(read(bytes)))
            }
        }

        deserializer.deserialize_bytes(Bytes)
    }
}
