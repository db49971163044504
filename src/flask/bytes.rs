//! `bytes`: binary in MessagePack, base64 with padding in JSON.
//!
//! For a field of type `Vec<u8>`: `#[serde(with = "cloakroom::flask::bytes")]`.
//! Without it, bytes are an array of numbers.

use std::fmt;

use data_encoding::BASE64;
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

use super::form::{Form, Text, with};

with!(Vec<u8>);

impl Form for Vec<u8> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(&BASE64.encode_display(self)),
            false => serializer.serialize_bytes(self),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_str(Text::new("bytes in base64", |text| {
                BASE64.decode(text.as_bytes()).ok()
            })),
            false => deserializer.deserialize_byte_buf(Binary),
        }
    }
}

struct Binary;

impl Visitor<'_> for Binary {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}
