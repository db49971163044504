//! Reads postcard, where serde and the schema agree.

use ::postcard::de_flavors::Slice;
use ::postcard::{Deserializer as Input, Error, Result};
use postcard_schema::schema::DataModelType;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::form::{Form, OTHER_STEP, Steps, Variant};

/// Reads the value that `bytes` begin with, and returns the bytes behind it.
pub(super) fn read<'de, T: Deserialize<'de>>(
    bytes: &'de [u8],
    form: Form,
) -> Result<(T, &'de [u8])> {
    let mut input = Input::from_bytes(bytes);
    let data = T::deserialize(Reader { input: &mut input, form, bytes: bytes.len() })?;
    Ok((data, input.finalize()?))
}

/// Reads one value.
struct Reader<'a, 'de> {
    input: &'a mut Input<'de, Slice<'de>>,
    form: Form,
    /// How many bytes there are in all. No list has more items: each has a byte.
    bytes: usize,
}

impl<'a, 'de> Reader<'a, 'de> {
    fn at(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// How many items or entries follow.
    fn count(&mut self) -> Result<usize> {
        let count = usize::deserialize(&mut *self.input)?;
        if count <= self.bytes { Ok(count) } else { Err(Error::DeserializeUnexpectedEnd) }
    }

    fn visit_parts<V: Visitor<'de>>(self, mut steps: Steps, visitor: V) -> Result<V::Value> {
        let parts = Parts { input: self.input, bytes: self.bytes, steps: &mut steps };
        let value = visitor.visit_seq(parts)?;
        steps.end()?;
        Ok(value)
    }
}

macro_rules! read {
    ($($method:ident as $($kind:ident)|+;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.form.expect(matches!(self.form.core(), $(DataModelType::$kind)|+))?;
            self.input.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader<'_, 'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    read! {
        deserialize_bool as Bool;
        deserialize_i8 as I8;
        deserialize_i16 as I16;
        deserialize_i32 as I32;
        deserialize_i64 as I64 | Isize;
        deserialize_i128 as I128;
        deserialize_u8 as U8;
        deserialize_u16 as U16;
        deserialize_u32 as U32;
        deserialize_u64 as U64 | Usize;
        deserialize_u128 as U128;
        deserialize_f32 as F32;
        deserialize_f64 as F64;
        deserialize_char as Char;
        deserialize_str as String;
        deserialize_string as String;
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.form.expect(self.form.is_bytes())?;
        self.input.deserialize_bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.form.expect(self.form.is_bytes())?;
        self.input.deserialize_byte_buf(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let form = self.form.some()?;
        match u8::deserialize(&mut *self.input)? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self.at(form)),
            _ => Err(Error::DeserializeBadOption),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.form.expect(self.form.is_empty())?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        let form = self.form.newtype()?;
        visitor.visit_newtype_struct(self.at(form))
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        // The schema is asked first: bytes that are no count say nothing of it.
        self.form.list(0)?;
        let steps = self.form.list(self.count()?)?;
        self.visit_parts(steps, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value> {
        let steps = self.form.parts(len)?;
        self.visit_parts(steps, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value> {
        self.form.map(0)?;
        let mut steps = self.form.map(self.count()?)?;
        let entries = Parts { input: self.input, bytes: self.bytes, steps: &mut steps };
        let value = visitor.visit_map(entries)?;
        steps.end()?;
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        // Serde counts a skipped variant when it writes, and not when it reads.
        self.form.expect(names.len() >= self.form.variants()?.len())?;
        visitor.visit_enum(ReaderOfEnum { reader: self, names })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(OTHER_STEP)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(OTHER_STEP)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(OTHER_STEP)
    }
}

/// Reads the parts of a value.
struct Parts<'a, 'de> {
    input: &'a mut Input<'de, Slice<'de>>,
    bytes: usize,
    steps: &'a mut Steps,
}

impl<'de> Parts<'_, 'de> {
    fn read<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let form = self.steps.next()?;
        seed.deserialize(Reader { input: self.input, form, bytes: self.bytes })
    }
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        match self.steps.left() {
            0 => Ok(None),
            _ => self.read(seed).map(Some),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.steps.left())
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        self.read(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.steps.left() / 2)
    }
}

/// Reads an enum.
struct ReaderOfEnum<'a, 'de> {
    reader: Reader<'a, 'de>,
    /// Those of serde, aliases included.
    names: &'static [&'static str],
}

impl<'a, 'de> EnumAccess<'de> for ReaderOfEnum<'a, 'de> {
    type Error = Error;
    type Variant = ReaderOfVariant<'a, 'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant)> {
        let Self { reader, names } = self;
        let index = u32::deserialize(&mut *reader.input)?;
        if index as usize >= reader.form.variants()?.len() {
            return Err(Error::DeserializeBadEnum);
        }
        let variant = reader.form.variant(index)?;
        let name = reader.form.variant_name(index, names)?;
        let name = seed.deserialize(VariantName { index, name })?;
        Ok((name, ReaderOfVariant { reader, variant }))
    }
}

/// The variant that was read. Serde is told its name: a skipped variant in front of it
/// would change its number.
struct VariantName {
    index: u32,
    name: &'static str,
}

impl<'de> Deserializer<'de> for VariantName {
    type Error = Error;

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_borrowed_str(self.name)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_u32(self.index)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
        ignored_any
    }
}

/// Reads what an enum's variant holds.
struct ReaderOfVariant<'a, 'de> {
    reader: Reader<'a, 'de>,
    variant: Variant,
}

impl<'de> ReaderOfVariant<'_, 'de> {
    fn visit_parts<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.reader.visit_parts(self.variant.parts()?, visitor)
    }
}

impl<'de> VariantAccess<'de> for ReaderOfVariant<'_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        self.variant.unit()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        let form = self.variant.newtype()?;
        seed.deserialize(self.reader.at(form))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.visit_parts(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.visit_parts(visitor)
    }
}
