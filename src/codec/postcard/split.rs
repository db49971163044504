//! Where the fields of a struct lie in its postcard encoding.
//!
//! The encoding of a struct is that of its fields, one after the other. Only
//! the lengths are measured on the data, the bytes are taken from the encoding
//! itself: a `HashMap` that was decoded anew has another order, but the same
//! length.

use ::postcard::ser_flavors::Size;
use ::postcard::serialize_with_flavor;
use serde::Serialize;
use serde::ser::{Impossible, SerializeStruct, Serializer};

use crate::codec::Field;

/// The fields of a struct; `None` for data of any other shape.
pub(super) fn fields<'a, T: Serialize>(data: &T, mut bytes: &'a [u8]) -> Option<Vec<Field<'a>>> {
    let lengths = data.serialize(Measure).ok()?;
    let mut fields = Vec::with_capacity(lengths.0.len());
    for (name, length) in lengths.0 {
        let (value, rest) = bytes.split_at_checked(length)?;
        fields.push(Field { name: name.as_bytes(), value });
        bytes = rest;
    }
    bytes.is_empty().then_some(fields)
}

/// The names and lengths of a struct's fields.
struct Lengths(Vec<(&'static str, usize)>);

/// Measures the fields of a struct, and refuses all else.
struct Measure;

impl SerializeStruct for Lengths {
    type Ok = Self;
    type Error = ::postcard::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> ::postcard::Result<()> {
        self.0.push((name, serialize_with_flavor(value, Size::default())?));
        Ok(())
    }

    fn end(self) -> ::postcard::Result<Self> {
        Ok(self)
    }
}

const NOT_A_STRUCT: ::postcard::Error = ::postcard::Error::WontImplement;

/// Methods of `Serializer` that refuse a value without fields.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> ::postcard::Result<$result> {
            Err(NOT_A_STRUCT)
        })*
    };
}

type Never = Impossible<Lengths, ::postcard::Error>;

impl Serializer for Measure {
    type Ok = Lengths;
    type Error = ::postcard::Error;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Lengths;
    type SerializeStructVariant = Never;

    fn serialize_struct(self, _: &'static str, len: usize) -> ::postcard::Result<Lengths> {
        Ok(Lengths(Vec::with_capacity(len)))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> ::postcard::Result<Lengths> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> ::postcard::Result<Lengths> {
        Err(NOT_A_STRUCT)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> ::postcard::Result<Lengths> {
        Err(NOT_A_STRUCT)
    }

    refuse! {
        serialize_bool(bool) -> Lengths;
        serialize_i8(i8) -> Lengths;
        serialize_i16(i16) -> Lengths;
        serialize_i32(i32) -> Lengths;
        serialize_i64(i64) -> Lengths;
        serialize_u8(u8) -> Lengths;
        serialize_u16(u16) -> Lengths;
        serialize_u32(u32) -> Lengths;
        serialize_u64(u64) -> Lengths;
        serialize_f32(f32) -> Lengths;
        serialize_f64(f64) -> Lengths;
        serialize_char(char) -> Lengths;
        serialize_str(&str) -> Lengths;
        serialize_bytes(&[u8]) -> Lengths;
        serialize_none() -> Lengths;
        serialize_unit() -> Lengths;
        serialize_unit_struct(&'static str) -> Lengths;
        serialize_unit_variant(&'static str, u32, &'static str) -> Lengths;
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }
}
