//! A serializer that refuses values which a self-describing format would silently lose.

use serde::Serialize;
use serde::ser::{
    Error, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::Unrepresentable;
use super::depth::Depth;

/// Which floating-point numbers the format has.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(all(feature = "json", feature = "messagepack")),
    expect(dead_code, reason = "each codec needs one of them")
)]
pub(super) enum Floats {
    All,
    Finite,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place {
    floats: Floats,
    depth: Depth,
    /// Directly inside a `Some`: nothing there may look like `None`.
    in_some: bool,
}

impl Place {
    /// Directly inside an option or a newtype.
    fn wrapped<E: Error>(self, in_some: bool) -> Result<Self, E> {
        let depth = self.depth.wrapped().ok_or_else(too_deep)?;
        Ok(Self { depth, in_some, ..self })
    }

    fn inside<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.inside().ok_or_else(too_deep)?;
        Ok(Self { depth, in_some: false, ..self })
    }

    /// The place of nothing at all: `None`, `()` or a struct without fields.
    fn nothing<E: Error>(self) -> Result<(), E> {
        match self.in_some {
            true => Err(E::custom(Unrepresentable::NothingInSome)),
            false => Ok(()),
        }
    }

    fn float<E: Error>(self, is_finite: bool) -> Result<(), E> {
        match self.floats {
            Floats::Finite if !is_finite => Err(E::custom(Unrepresentable::NonFiniteNumber)),
            Floats::Finite | Floats::All => Ok(()),
        }
    }
}

#[cold]
fn too_deep<E: Error>() -> E {
    E::custom(Unrepresentable::TooDeep)
}

impl Unrepresentable {
    /// The reason of an error that [`Writing`] made. Its message tells, since serde keeps
    /// nothing else.
    pub(super) fn from_message(message: &str) -> Option<Self> {
        [Self::NonFiniteNumber, Self::NothingInSome, Self::TooDeep]
            .into_iter()
            .find(|reason| reason.to_string() == message)
    }
}

/// Passes everything on to `S`, but what is refused.
pub(super) struct Writing<S> {
    inner: S,
    place: Place,
}

impl<S> Writing<S> {
    pub(super) const fn new(inner: S, floats: Floats) -> Self {
        Self { inner, place: Place { floats, depth: Depth::TOP, in_some: false } }
    }
}

/// A value inside another.
struct Nested<'a, T: ?Sized> {
    value: &'a T,
    place: Place,
}

impl<T: Serialize + ?Sized> Serialize for Nested<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Writing { inner, place: self.place })
    }
}

macro_rules! pass_on {
    ($($method:ident($($name:ident: $type:ty),*);)*) => {
        $(fn $method(self, $($name: $type),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($name),*)
        })*
    };
}

macro_rules! pass_compound_on {
    ($($method:ident($($name:ident: $type:ty),*) -> $compound:ident;)*) => {
        $(fn $method(self, $($name: $type),*) -> Result<Self::$compound, S::Error> {
            let place = self.place.inside()?;
            self.inner.$method($($name),*).map(|inner| Writing { inner, place })
        })*
    };
}

impl<S: Serializer> Serializer for Writing<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Writing<S::SerializeSeq>;
    type SerializeTuple = Writing<S::SerializeTuple>;
    type SerializeTupleStruct = Writing<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Writing<S::SerializeTupleVariant>;
    type SerializeMap = Writing<S::SerializeMap>;
    type SerializeStruct = Writing<S::SerializeStruct>;
    type SerializeStructVariant = Writing<S::SerializeStructVariant>;

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    fn serialize_f32(self, v: f32) -> Result<S::Ok, S::Error> {
        self.place.float(v.is_finite())?;
        self.inner.serialize_f32(v)
    }

    fn serialize_f64(self, v: f64) -> Result<S::Ok, S::Error> {
        self.place.float(v.is_finite())?;
        self.inner.serialize_f64(v)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.place.nothing()?;
        self.inner.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.place.nothing()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.place.nothing()?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let place = self.place.wrapped(true)?;
        self.inner.serialize_some(&Nested { value, place })
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let place = self.place.wrapped(self.place.in_some)?;
        self.inner.serialize_newtype_struct(name, &Nested { value, place })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = &Nested { value, place: self.place.inside()? };
        self.inner.serialize_newtype_variant(name, index, variant, value)
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    pass_on! {
        serialize_bool(v: bool);
        serialize_i8(v: i8);
        serialize_i16(v: i16);
        serialize_i32(v: i32);
        serialize_i64(v: i64);
        serialize_i128(v: i128);
        serialize_u8(v: u8);
        serialize_u16(v: u16);
        serialize_u32(v: u32);
        serialize_u64(v: u64);
        serialize_u128(v: u128);
        serialize_char(v: char);
        serialize_str(v: &str);
        serialize_bytes(v: &[u8]);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    pass_compound_on! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_map(len: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        // The variant is a map from its name to the list of its content.
        let place = self.place.inside()?.inside()?;
        let inner = self.inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Writing { inner, place })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let place = self.place.inside()?.inside()?;
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Writing { inner, place })
    }
}

/// The compound whose parts have no names.
macro_rules! pass_parts_on {
    ($($compound:ident: $method:ident;)*) => {
        $(impl<C: $compound> $compound for Writing<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&Nested { value, place: self.place })
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

pass_parts_on! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

/// The compounds whose parts have names, and can be skipped.
macro_rules! pass_fields_on {
    ($($compound:ident)*) => {
        $(impl<C: $compound> $compound for Writing<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                self.inner.serialize_field(name, &Nested { value, place: self.place })
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(name)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

pass_fields_on! { SerializeStruct SerializeStructVariant }

impl<C: SerializeMap> SerializeMap for Writing<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&Nested { value, place: self.place })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Nested { value, place: self.place })
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
