//! A deserializer that takes nothing for what it is not.
//!
//! A self-describing format is laxer than a name: serde takes a number for the
//! position of a variant or field, and a list for the fields of a struct in their
//! order. A program that has changed since would then read one variant or field as
//! another. Content that serde holds back before it knows the type (`flatten`,
//! `untagged`, a tag behind the content) is out of sight from there on.

use std::any::type_name;
use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer, StringDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::Undecodable;
use super::depth::Depth;

const NUMBER_FOR_NAME: &str = "a number stands where the name of a variant or field is due";
const LIST_FOR_NAME: &str = "a list stands where a variant is due";
const LIST_FOR_STRUCT: &str = "a list stands where a struct or a map is due";
const TOO_DEEP: &str = "they are nested too deeply";

/// How the messages begin that tell more than that a value does not fit, and what an
/// error may say in their place, since it must quote no data.
const KINDS: [(&str, &str); 8] = [
    (NUMBER_FOR_NAME, NUMBER_FOR_NAME),
    (LIST_FOR_NAME, LIST_FOR_NAME),
    (LIST_FOR_STRUCT, LIST_FOR_STRUCT),
    (TOO_DEEP, TOO_DEEP),
    ("missing field", "a field is missing that has no `#[serde(default)]`"),
    ("unknown variant", "a variant has a name that this program does not know"),
    ("unknown field", "a field has a name that this program denies"),
    ("duplicate field", "a field is there twice"),
];

pub(super) const NESTED: Undecodable = Undecodable::new(TOO_DEEP);

/// The kind of mistake that a message of serde's tells.
pub(super) fn kind_of(message: &str) -> Undecodable {
    let kind = KINDS.iter().find(|(beginning, _)| message.starts_with(beginning));
    kind.map_or(Undecodable::MISFIT, |(_, kind)| Undecodable::new(kind))
}

#[cold]
fn refuse<T, E: Error>(why: &'static str) -> Result<T, E> {
    Err(E::custom(why))
}

fn inside<E: Error>(depth: Depth) -> Result<Depth, E> {
    depth.inside().map_or_else(|| refuse(TOO_DEEP), Ok)
}

fn wrapped<E: Error>(depth: Depth) -> Result<Depth, E> {
    depth.wrapped().map_or_else(|| refuse(TOO_DEEP), Ok)
}

/// Passes everything on to `D`, but what is refused.
pub(super) struct Reading<D> {
    inner: D,
    depth: Depth,
    /// Whether a number may stand where serde asks for an identifier: the key of a
    /// map, which may belong to a flattened one.
    numbers: bool,
}

impl<D> Reading<D> {
    pub(super) const fn new(inner: D) -> Self {
        Self { inner, depth: Depth::TOP, numbers: false }
    }
}

/// What a visitor expects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Anything,
    /// A struct or a map: no list.
    Named,
}

impl<D> Reading<D> {
    const fn watch<V>(&self, visitor: V) -> Watch<V> {
        Watch { visitor, depth: self.depth, expected: Expected::Anything, numbers: true }
    }
}

macro_rules! pass_on {
    ($($method:ident)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        })*
    };
}

macro_rules! watch {
    ($($method:ident($($name:ident: $type:ty),*))*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.watch(visitor);
            self.inner.$method($($name,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Reading<D> {
    type Error = D::Error;

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    // What has no parts.
    pass_on! {
        deserialize_bool deserialize_char deserialize_str deserialize_string
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_unit deserialize_ignored_any
    }

    /// What serde holds back of an enum with a `tag`: it would take a list for the fields
    /// in their order, behind the tag.
    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let expected = match is_of_tagged_enum::<V>() {
            true => Expected::Named,
            false => Expected::Anything,
        };
        let visitor = Watch { expected, ..self.watch(visitor) };
        self.inner.deserialize_any(visitor)
    }

    watch! {
        deserialize_bytes() deserialize_byte_buf() deserialize_option()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = Watch { expected: Expected::Named, ..self.watch(visitor) };
        self.inner.deserialize_map(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Watch { expected: Expected::Named, numbers: false, ..self.watch(visitor) };
        self.inner.deserialize_struct(name, fields, visitor)
    }

    /// The formats' own way is not taken: `rmp-serde` takes a list for a variant, and
    /// reads on behind it.
    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_any(Variants { visitor, depth: self.depth })
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        match self.numbers {
            true => self.inner.deserialize_identifier(visitor),
            false => self.inner.deserialize_identifier(Names(visitor)),
        }
    }
}

/// Whether this is serde's visitor of an internally tagged enum.
fn is_of_tagged_enum<V>() -> bool {
    let name = type_name::<V>().split('<').next().unwrap_or_default();
    name.starts_with("serde") && name.ends_with("::TaggedContentVisitor")
}

/// Passes on what it is shown, with an eye on its parts.
struct Watch<V> {
    visitor: V,
    depth: Depth,
    expected: Expected,
    /// Whether the names in a map may be numbers.
    numbers: bool,
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {
        $(#[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watch<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_char(char)
        visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_f32(f32) visit_f64(f64)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let depth = wrapped(self.depth)?;
        self.visitor.visit_some(Reading { inner, depth, numbers: false })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let depth = wrapped(self.depth)?;
        self.visitor.visit_newtype_struct(Reading { inner, depth, numbers: false })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if self.expected == Expected::Named {
            return refuse(LIST_FOR_STRUCT);
        }
        self.visitor.visit_seq(Parts { inner, depth: inside(self.depth)?, numbers: false })
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let (depth, numbers) = (inside(self.depth)?, self.numbers);
        self.visitor.visit_map(Parts { inner, depth, numbers })
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(access)
    }
}

/// The parts of a list or map.
struct Parts<A> {
    inner: A,
    depth: Depth,
    numbers: bool,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Parts<A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(Seed { seed, depth: self.depth, numbers: false })
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Parts<A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(Seed { seed, depth: self.depth, numbers: self.numbers })
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(Seed { seed, depth: self.depth, numbers: false })
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// A part to be read.
struct Seed<T> {
    seed: T,
    depth: Depth,
    numbers: bool,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.seed.deserialize(Reading { inner, depth: self.depth, numbers: self.numbers })
    }
}

/// Shown an identifier, which is a text, or its bytes.
struct Names<V>(V);

macro_rules! visit_name {
    ($($method:ident($type:ty))*) => {
        $(#[inline]
        fn $method<E: Error>(self, name: $type) -> Result<V::Value, E> {
            self.0.$method(name)
        })*
    };
}

macro_rules! refuse_numbers {
    ($($method:ident($type:ty))*) => {
        $(fn $method<E: Error>(self, _: $type) -> Result<V::Value, E> {
            refuse(NUMBER_FOR_NAME)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Names<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit_name! {
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    refuse_numbers! { visit_u64(u64) visit_i64(i64) visit_u128(u128) visit_i128(i128) visit_f64(f64) }
}

/// Shown a variant: its name, or a map from its name to its content.
struct Variants<V> {
    visitor: V,
    depth: Depth,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Variants<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<V::Value, E> {
        self.visitor.visit_enum(StrDeserializer::new(name))
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<V::Value, E> {
        self.visitor.visit_enum(BorrowedStrDeserializer::new(name))
    }

    fn visit_string<E: Error>(self, name: String) -> Result<V::Value, E> {
        self.visitor.visit_enum(StringDeserializer::new(name))
    }

    refuse_numbers! { visit_u64(u64) visit_i64(i64) visit_u128(u128) visit_i128(i128) visit_f64(f64) }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<V::Value, A::Error> {
        refuse(LIST_FOR_NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Variant { map, depth: inside(self.depth)? })
    }
}

/// A map from a variant's name to its content.
struct Variant<A> {
    map: A,
    depth: Depth,
}

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Variant<A> {
    type Error = A::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        mut self,
        seed: V,
    ) -> Result<(V::Value, Self), A::Error> {
        let seed = Seed { seed, depth: self.depth, numbers: false };
        match self.map.next_key_seed(seed)? {
            Some(name) => Ok((name, self)),
            None => Err(Error::custom("a map without entries stands where a variant is due")),
        }
    }
}

impl<'de, A: MapAccess<'de>> Variant<A> {
    fn content<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, A::Error> {
        self.map.next_value_seed(Seed { seed, depth: self.depth, numbers: false })
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Variant<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.content(std::marker::PhantomData)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.content(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.content(TupleContent { len, visitor })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.content(StructContent { fields, visitor })
    }
}

struct TupleContent<V> {
    len: usize,
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for TupleContent<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, content: D) -> Result<V::Value, D::Error> {
        content.deserialize_tuple(self.len, self.visitor)
    }
}

struct StructContent<V> {
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for StructContent<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, content: D) -> Result<V::Value, D::Error> {
        content.deserialize_struct("", self.fields, self.visitor)
    }
}
