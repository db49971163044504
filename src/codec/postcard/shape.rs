//! Which struct wrote an encoding, as far as four bytes can tell.
//!
//! The encoding has neither names nor types. Were the fields of a struct given
//! another order while sessions live, a number could be read as somebody else's
//! user id. So a mark of the struct stands in front of the encoding.
//!
//! It covers the names and kinds of fields, also in structs and tuples inside. What
//! only some values have is left out, so that all values of a type share one mark:
//! the variant of an enum, and what is in an `Option`, a list or a map.

use std::fmt;

use serde::Serialize;
use serde::ser::{Impossible, SerializeStruct, SerializeTuple, SerializeTupleStruct, Serializer};

/// How long a mark is.
pub(super) const BYTES: usize = 4;

/// The mark of a type, whichever value of it this is.
pub(super) fn mark<T: Serialize>(data: &T) -> [u8; BYTES] {
    let mut shape = Shape(0);
    shape.see(data);
    ((shape.0 >> 32) as u32).to_le_bytes()
}

/// Kinds that postcard writes alike are one, so that a number may get wider.
#[derive(Clone, Copy)]
enum Kind {
    Bool = 1,
    Byte,
    SignedByte,
    Unsigned,
    Signed,
    Float32,
    Float64,
    Text,
    Bytes,
    Option,
    Unit,
    Enum,
    List,
    Map,
    Tuple,
    Struct,
}

/// A digest of what was seen so far.
struct Shape(u64);

impl Shape {
    fn see<T: Serialize + ?Sized>(&mut self, value: &T) {
        // It ends with an error where nothing further is looked at.
        let _ = value.serialize(self);
    }

    /// Loses nothing: for each word, it maps states one to one.
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn mix_name(&mut self, name: &str) {
        self.mix(name.len() as u64);
        for chunk in name.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.mix(u64::from_le_bytes(word));
        }
    }
}

/// Methods of `Serializer` that note a kind, and look no further.
macro_rules! note {
    ($($method:ident($($argument:ty),*) -> $kind:ident;)*) => {
        $(fn $method(self, $(_: $argument),*) -> fmt::Result {
            self.mix(Kind::$kind as u64);
            Ok(())
        })*
    };
}

/// The same for values of parts that differ from value to value.
macro_rules! stop_at {
    ($($method:ident($($argument:ty),*) -> $kind:ident;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<Unseen, fmt::Error> {
            self.mix(Kind::$kind as u64);
            Err(fmt::Error)
        })*
    };
}

type Unseen = Impossible<(), fmt::Error>;

impl<'a> Serializer for &'a mut Shape {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Unseen;
    type SerializeTuple = &'a mut Shape;
    type SerializeTupleStruct = &'a mut Shape;
    type SerializeTupleVariant = Unseen;
    type SerializeMap = Unseen;
    type SerializeStruct = &'a mut Shape;
    type SerializeStructVariant = Unseen;

    /// As postcard says.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Self, fmt::Error> {
        self.mix(Kind::Struct as u64);
        self.mix(fields as u64);
        Ok(self)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self, fmt::Error> {
        self.mix(Kind::Tuple as u64);
        self.mix(length as u64);
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Self, fmt::Error> {
        self.serialize_tuple(length)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> fmt::Result {
        self.serialize_none()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: &T,
    ) -> fmt::Result {
        self.serialize_unit_variant(name, index, variant)
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, _: &T) -> fmt::Result {
        self.serialize_str("")
    }

    note! {
        serialize_bool(bool) -> Bool;
        serialize_i8(i8) -> SignedByte;
        serialize_i16(i16) -> Signed;
        serialize_i32(i32) -> Signed;
        serialize_i64(i64) -> Signed;
        serialize_i128(i128) -> Signed;
        serialize_u8(u8) -> Byte;
        serialize_u16(u16) -> Unsigned;
        serialize_u32(u32) -> Unsigned;
        serialize_u64(u64) -> Unsigned;
        serialize_u128(u128) -> Unsigned;
        serialize_f32(f32) -> Float32;
        serialize_f64(f64) -> Float64;
        serialize_char(char) -> Text;
        serialize_str(&str) -> Text;
        serialize_bytes(&[u8]) -> Bytes;
        serialize_none() -> Option;
        serialize_unit() -> Unit;
        serialize_unit_struct(&'static str) -> Unit;
        serialize_unit_variant(&'static str, u32, &'static str) -> Enum;
    }

    stop_at! {
        serialize_seq(Option<usize>) -> List;
        serialize_map(Option<usize>) -> Map;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Enum;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Enum;
    }
}

impl SerializeStruct for &mut Shape {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> fmt::Result {
        self.mix_name(name);
        self.see(value);
        Ok(())
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

/// The compounds whose parts have no names.
macro_rules! see_parts {
    ($($compound:ident: $method:ident;)*) => {
        $(impl $compound for &mut Shape {
            type Ok = ();
            type Error = fmt::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
                self.see(value);
                Ok(())
            }

            fn end(self) -> fmt::Result {
                Ok(())
            }
        })*
    };
}

see_parts! {
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    macro_rules! mark_of {
        ($($field:ident: $type:ty = $value:expr),*) => {{
            #[derive(Serialize)]
            struct Data { $($field: $type),* }
            mark(&Data { $($field: $value),* })
        }};
    }

    #[test]
    fn all_values_of_a_type_have_one_mark() {
        #[derive(Serialize)]
        enum Choice {
            A,
            B(u8),
            C { d: u8 },
        }
        type Data = (Option<u32>, Vec<u8>, HashMap<u8, u8>, String, Choice, i64, f32, [bool; 2]);
        let data: [Data; 3] = [
            (None, vec![], HashMap::new(), String::new(), Choice::A, 0, 0.0, [false; 2]),
            (Some(1), vec![1], [(1, 2)].into(), "text".into(), Choice::B(1), -1, 1.5, [true; 2]),
            (
                Some(2),
                vec![1, 2],
                [(3, 4), (5, 6)].into(),
                "x".into(),
                Choice::C { d: 1 },
                9,
                2.5,
                [true; 2],
            ),
        ];
        let [first, second, third] = data.map(|data| mark(&data));
        assert_eq!(first, second);
        assert_eq!(first, third);
    }

    #[test]
    fn fields_of_other_names_order_number_or_kind_give_another_mark() {
        let mark = mark_of!(user_id: u64 = 1, visits: u64 = 2);
        for other in [
            mark_of!(visits: u64 = 2, user_id: u64 = 1),
            mark_of!(user: u64 = 1, visits: u64 = 2),
            mark_of!(user_id: u64 = 1),
            mark_of!(user_id: u64 = 1, visits: u64 = 2, seen: Option<u8> = None),
            mark_of!(user_id: i64 = 1, visits: u64 = 2),
            mark_of!(user_id: (u64, u64) = (1, 1), visits: u64 = 2),
            mark_of!(user_id: Vec<u64> = vec![1], visits: u64 = 2),
        ] {
            assert_ne!(mark, other);
        }
        assert_eq!(mark, mark_of!(user_id: u32 = 1, visits: u16 = 2), "postcard writes them alike");
    }

    #[test]
    fn structs_inside_are_looked_at() {
        #[derive(Serialize)]
        struct Inner<A, B> {
            a: A,
            b: B,
        }
        let inner = mark_of!(x: Inner<u8, bool> = Inner { a: 1, b: true });
        assert_ne!(inner, mark_of!(x: Inner<bool, u8> = Inner { a: true, b: 1 }));
    }
}
