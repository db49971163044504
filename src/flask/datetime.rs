//! `datetime` without a time zone: text such as `2024-01-02T03:04:05.678901`.
//!
//! For a field of type [`time::PrimitiveDateTime`]:
//! `#[serde(with = "cloakroom::flask::datetime")]`. As in Python, what is shorter
//! than a microsecond is cut off, and years are those from 1 to 9999.

use serde::de::Deserializer;
use serde::ser::Serializer;
use time::PrimitiveDateTime;
use time::format_description::well_known::Iso8601;

use super::form::{Form, Text, with};
use super::{date, time as time_of_day};

with!(::time::PrimitiveDateTime);

impl Form for PrimitiveDateTime {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let date = date::Iso(self.date()).checked()?;
        serializer.collect_str(&format_args!("{date}T{}", time_of_day::Iso(self.time())))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text::new("a date and time without time zone", |text| {
            let (_, time) = text.split_once('T')?;
            // The parser skips a zone.
            if time_of_day::has_zone(time) {
                None
            } else {
                Self::parse(text, &Iso8601::PARSING).ok()
            }
        }))
    }
}
