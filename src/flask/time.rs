//! `time`: text such as `03:04:05` or `03:04:05.678901`.
//!
//! For a field of type [`time::Time`]:
//! `#[serde(with = "cloakroom::flask::time")]`. As in Python, what is shorter than a
//! microsecond is cut off.

use std::fmt;

use serde::de::Deserializer;
use serde::ser::Serializer;
use time::Time;
use time::format_description::well_known::Iso8601;

use super::form::{Form, Text, with};

with!(::time::Time);

impl Form for Time {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Iso(*self))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text::new("a time of day", |text| {
            // The parser skips a zone.
            if has_zone(text) { None } else { Self::parse(text, &Iso8601::PARSING).ok() }
        }))
    }
}

/// Whether a time of day says where on earth it is.
pub(super) fn has_zone(text: &str) -> bool {
    text.contains(['Z', '+', '-'])
}

/// As Python writes it.
pub(super) struct Iso(pub(super) Time);

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second, micros) = self.0.as_hms_micro();
        write!(f, "{hour:02}:{minute:02}:{second:02}")?;
        match micros {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}
