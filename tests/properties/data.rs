//! Session data with one field of every kind, and random values of them.

use std::collections::HashMap;
use std::fmt;

use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Data {
    pub(crate) count: u64,
    pub(crate) balance: i64,
    pub(crate) small: (i8, u16, bool, char),
    pub(crate) ratio: Real,
    pub(crate) single: f32,
    pub(crate) text: String,
    pub(crate) choice: Option<Shape>,
    pub(crate) list: Vec<Shape>,
    pub(crate) by_name: HashMap<String, i32>,
    pub(crate) by_number: HashMap<u16, Option<String>>,
    pub(crate) bytes: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Shape {
    Empty,
    Wrapped(String),
    Pair(u32, Option<bool>),
    Named { items: Vec<u8>, inner: Box<Inner> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Inner {
    Leaf,
    Nested(Vec<Shape>),
}

/// Equal when every bit is, so that NaN equals itself.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Real(pub(crate) f64);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// Serialized as bytes, not as a sequence of numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Bytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = numbers.next_element()? {
            bytes.push(byte);
        }
        Ok(Bytes(bytes))
    }
}

/// Data that every format can represent.
pub(crate) fn data() -> impl Strategy<Value = Data> {
    let real = prop_oneof![any::<f64>(), any::<i32>().prop_map(|n| f64::from(n) / 100.0)];
    data_with(real.prop_filter("JSON has no infinity and no NaN", |real| real.is_finite()))
}

/// Data with any floating-point number, infinite ones and NaN included.
pub(crate) fn data_with_any_float() -> impl Strategy<Value = Data> {
    data_with(any::<u64>().prop_map(f64::from_bits))
}

fn data_with(real: impl Strategy<Value = f64>) -> impl Strategy<Value = Data> {
    let numbers =
        (any::<u64>(), any::<i64>(), any::<(i8, u16, bool, char)>(), real, -1e30f32..1e30);
    let maps =
        (hash_map(text(), any::<i32>(), 0..4), hash_map(any::<u16>(), option::of(text()), 0..4));
    let others = (option::of(shape()), vec(shape(), 0..4), vec(any::<u8>(), 0..40));
    (numbers, text(), maps, others).prop_map(|(numbers, text, maps, others)| {
        let (count, balance, small, ratio, single) = numbers;
        let (by_name, by_number) = maps;
        let (choice, list, bytes) = others;
        let (ratio, bytes) = (Real(ratio), Bytes(bytes));
        Data { count, balance, small, ratio, single, text, choice, list, by_name, by_number, bytes }
    })
}

/// Any Unicode, and what formats have to escape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\x00-\\x20\"\\\\{}:,a-c]{0,12}"]
}

fn shape() -> impl Strategy<Value = Shape> {
    let flat = prop_oneof![
        Just(Shape::Empty),
        text().prop_map(Shape::Wrapped),
        any::<(u32, Option<bool>)>().prop_map(|(a, b)| Shape::Pair(a, b)),
    ];
    flat.prop_recursive(2, 6, 3, |shape| {
        let inner = prop_oneof![Just(Inner::Leaf), vec(shape, 0..3).prop_map(Inner::Nested)];
        (vec(any::<u8>(), 0..4), inner)
            .prop_map(|(items, inner)| Shape::Named { items, inner: Box::new(inner) })
    })
}
