//! `date`: text such as `2024-01-02`.
//!
//! For a field of type [`time::Date`]:
//! `#[serde(with = "cloakroom::flask::date")]`. Python knows the years 1 to 9999.

use std::fmt;

use serde::de::Deserializer;
use serde::ser::{Error, Serializer};
use time::Date;
use time::format_description::well_known::Iso8601;

use super::form::{Form, Text, with};

with!(::time::Date);

impl Form for Date {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Iso(*self).checked()?)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text::new("a date", |text| {
            // The parser skips a time.
            if text.contains('T') { None } else { Self::parse(text, &Iso8601::PARSING).ok() }
        }))
    }
}

/// As Python writes it.
pub(super) struct Iso(pub(super) Date);

impl Iso {
    pub(super) fn checked<E: Error>(self) -> Result<Self, E> {
        match self.0.year() {
            1..=9999 => Ok(self),
            _ => Err(E::custom("Python knows the years 1 to 9999")),
        }
    }
}

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}
