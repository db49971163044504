//! Writes postcard, where serde and the schema agree.

use std::fmt::Display;

use ::postcard::ser_flavors::Flavor;
use ::postcard::{Error, Result, Serializer as Output};
use postcard_schema::schema::DataModelType;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::form::{Form, OTHER_STEP, Steps};

/// Writes one value.
pub(super) struct Writer<'a, F: Flavor> {
    pub(super) output: &'a mut Output<F>,
    pub(super) form: Form,
}

/// Writes the parts of a value.
pub(super) struct Parts<'a, F: Flavor> {
    output: &'a mut Output<F>,
    steps: Steps,
}

impl<'a, F: Flavor> Writer<'a, F> {
    fn parts(self, len: usize) -> Result<Parts<'a, F>> {
        let steps = self.form.parts(len)?;
        self.form.expect(steps.left() == len)?;
        Ok(Parts { output: self.output, steps })
    }

    fn variant_parts(self, index: u32, len: usize) -> Result<Parts<'a, F>> {
        let steps = self.form.variant(index)?.parts()?;
        self.form.expect(steps.left() == len)?;
        self.output.serialize_u32(index)?;
        Ok(Parts { output: self.output, steps })
    }

    fn counted(self, len: usize, steps: Steps) -> Result<Parts<'a, F>> {
        self.output.serialize_u64(len as u64)?;
        Ok(Parts { output: self.output, steps })
    }
}

impl<F: Flavor> Parts<'_, F> {
    fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let form = self.steps.next()?;
        value.serialize(Writer { output: self.output, form })
    }
}

macro_rules! write {
    ($($method:ident($type:ty) as $($kind:ident)|+;)*) => {
        $(fn $method(self, value: $type) -> Result<()> {
            self.form.expect(matches!(self.form.core(), $(DataModelType::$kind)|+))?;
            self.output.$method(value)
        })*
    };
}

impl<'a, F: Flavor> Serializer for Writer<'a, F> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'a, F>;
    type SerializeTuple = Parts<'a, F>;
    type SerializeTupleStruct = Parts<'a, F>;
    type SerializeTupleVariant = Parts<'a, F>;
    type SerializeMap = Parts<'a, F>;
    type SerializeStruct = Parts<'a, F>;
    type SerializeStructVariant = Parts<'a, F>;

    fn is_human_readable(&self) -> bool {
        false
    }

    write! {
        serialize_bool(bool) as Bool;
        serialize_i8(i8) as I8;
        serialize_i16(i16) as I16;
        serialize_i32(i32) as I32;
        serialize_i64(i64) as I64 | Isize;
        serialize_i128(i128) as I128;
        serialize_u8(u8) as U8;
        serialize_u16(u16) as U16;
        serialize_u32(u32) as U32;
        serialize_u64(u64) as U64 | Usize;
        serialize_u128(u128) as U128;
        serialize_f32(f32) as F32;
        serialize_f64(f64) as F64;
        serialize_char(char) as Char;
        serialize_str(&str) as String;
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        self.form.expect(matches!(self.form.core(), DataModelType::String))?;
        self.output.collect_str(value)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<()> {
        self.form.expect(self.form.is_bytes())?;
        self.output.serialize_bytes(bytes)
    }

    fn serialize_none(self) -> Result<()> {
        self.form.some()?;
        self.output.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        let form = self.form.some()?;
        self.output.serialize_u8(1)?;
        value.serialize(Writer { output: self.output, form })
    }

    fn serialize_unit(self) -> Result<()> {
        self.form.expect(self.form.is_empty())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        let form = self.form.newtype()?;
        value.serialize(Writer { output: self.output, form })
    }

    fn serialize_unit_variant(self, _: &'static str, index: u32, _: &'static str) -> Result<()> {
        self.form.variant(index)?.unit()?;
        self.output.serialize_u32(index)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        let form = self.form.variant(index)?.newtype()?;
        self.output.serialize_u32(index)?;
        value.serialize(Writer { output: self.output, form })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Parts<'a, F>> {
        let len = len.ok_or(Error::SerializeSeqLengthUnknown)?;
        let steps = self.form.list(len)?;
        self.counted(len, steps)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Parts<'a, F>> {
        let len = len.ok_or(Error::SerializeSeqLengthUnknown)?;
        let steps = self.form.map(len)?;
        self.counted(len, steps)
    }

    fn serialize_tuple(self, len: usize) -> Result<Parts<'a, F>> {
        self.parts(len)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Parts<'a, F>> {
        self.parts(len)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Parts<'a, F>> {
        self.parts(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        len: usize,
    ) -> Result<Parts<'a, F>> {
        self.variant_parts(index, len)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
        len: usize,
    ) -> Result<Parts<'a, F>> {
        self.variant_parts(index, len)
    }
}

macro_rules! write_parts {
    ($($compound:ident: $method:ident;)*) => {
        $(impl<F: Flavor> $compound for Parts<'_, F> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.write(value)
            }

            fn end(self) -> Result<()> {
                self.steps.end()
            }
        })*
    };
}

write_parts! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

macro_rules! write_fields {
    ($($compound:ident)*) => {
        $(impl<F: Flavor> $compound for Parts<'_, F> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                value: &T,
            ) -> Result<()> {
                self.write(value)
            }

            fn skip_field(&mut self, _: &'static str) -> Result<()> {
                Err(OTHER_STEP)
            }

            fn end(self) -> Result<()> {
                self.steps.end()
            }
        })*
    };
}

write_fields! { SerializeStruct SerializeStructVariant }

impl<F: Flavor> SerializeMap for Parts<'_, F> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.write(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.write(value)
    }

    fn end(self) -> Result<()> {
        self.steps.end()
    }
}
