//! What a schema says of the bytes, step by step, for the writer and the reader.
//!
//! The encoding has neither names nor types. So the bytes of a field that serde
//! leaves out, or writes as another type, would be read as those of the next field.
//! The schema does not see serde's attributes. The writer and the reader therefore
//! compare each step of serde with the schema, and refuse what differs.
//!
//! Structs, tuples and newtypes add no bytes to those of their parts. So they are
//! not told apart, and one with a single part may be left out.

use postcard_schema::schema::{
    DataModelType, DataModelVariant, NamedType, NamedValue, NamedVariant,
};

/// How deeply session data may nest. A level takes up to three frames of the compiler,
/// which stops at 128.
pub(super) const LEVELS: u8 = 32;

/// Serde's step is not the one of the schema.
pub(super) const OTHER_STEP: ::postcard::Error = ::postcard::Error::WontImplement;

/// The form of a value.
#[derive(Clone, Copy)]
pub(super) struct Form {
    ty: &'static DataModelType,
    level: u8,
}

impl Form {
    pub(super) const fn of(whole: &NamedType) -> Self {
        Self { ty: whole.ty, level: 0 }
    }

    fn inside(self, part: &NamedType) -> ::postcard::Result<Self> {
        match self.level < LEVELS {
            true => Ok(Self { ty: part.ty, level: self.level + 1 }),
            false => Err(OTHER_STEP),
        }
    }

    /// Without what adds no bytes to a single part.
    pub(super) fn core(self) -> &'static DataModelType {
        let mut ty = self.ty;
        while let Some(inner) = single(ty) {
            ty = inner.ty;
        }
        ty
    }

    pub(super) fn expect(self, is_so: bool) -> ::postcard::Result<()> {
        if is_so { Ok(()) } else { Err(OTHER_STEP) }
    }

    pub(super) fn is_empty(self) -> bool {
        match self.core() {
            DataModelType::Unit | DataModelType::UnitStruct => true,
            DataModelType::Tuple(parts) | DataModelType::TupleStruct(parts) => parts.is_empty(),
            DataModelType::Struct(parts) => parts.is_empty(),
            _ => false,
        }
    }

    /// A list of bytes is written like bytes.
    pub(super) fn is_bytes(self) -> bool {
        match self.core() {
            DataModelType::ByteArray => true,
            DataModelType::Seq(item) => matches!(item.ty, DataModelType::U8),
            _ => false,
        }
    }

    /// What a newtype holds.
    pub(super) fn newtype(self) -> ::postcard::Result<Self> {
        match single(self.ty) {
            Some(inner) => self.inside(inner),
            None if self.level < LEVELS => Ok(Self { level: self.level + 1, ..self }),
            None => Err(OTHER_STEP),
        }
    }

    pub(super) fn some(self) -> ::postcard::Result<Self> {
        match self.core() {
            DataModelType::Option(inner) => self.inside(inner),
            _ => Err(OTHER_STEP),
        }
    }

    pub(super) fn list(self, len: usize) -> ::postcard::Result<Steps> {
        match self.core() {
            DataModelType::Seq(item) => Ok(self.steps(Parts::Items(item), len)),
            DataModelType::ByteArray => Ok(self.steps(Parts::Items(&BYTE), len)),
            _ => Err(OTHER_STEP),
        }
    }

    pub(super) fn map(self, len: usize) -> ::postcard::Result<Steps> {
        match (self.core(), len.checked_mul(2)) {
            (DataModelType::Map { key, val }, Some(len)) => {
                Ok(self.steps(Parts::Entries(key, val), len))
            }
            _ => Err(OTHER_STEP),
        }
    }

    /// The parts of a struct or a tuple with `len` of them. Serde's list of a
    /// struct's fields also has their aliases, so there may be fewer.
    pub(super) fn parts(self, len: usize) -> ::postcard::Result<Steps> {
        let mut form = self;
        let mut fewer = None;
        loop {
            let found = match form.ty {
                DataModelType::Unit | DataModelType::UnitStruct => Parts::Types(&[]),
                DataModelType::NewtypeStruct(part) => Parts::Items(part),
                DataModelType::Tuple(parts) | DataModelType::TupleStruct(parts) => {
                    Parts::Types(parts)
                }
                DataModelType::Struct(parts) => Parts::Values(parts),
                _ => break,
            };
            let number = found.number();
            if number == len {
                return Ok(form.steps(found, number));
            }
            if number < len && fewer.is_none() {
                fewer = Some(form.steps(found, number));
            }
            match single(form.ty) {
                Some(inner) => form = form.inside(inner)?,
                None => break,
            }
        }
        fewer.ok_or(OTHER_STEP)
    }

    pub(super) fn variants(self) -> ::postcard::Result<&'static [&'static NamedVariant]> {
        match self.core() {
            DataModelType::Enum(variants) => Ok(variants),
            _ => Err(OTHER_STEP),
        }
    }

    pub(super) fn variant(self, index: u32) -> ::postcard::Result<Variant> {
        let found = self.variants()?.get(index as usize).ok_or(OTHER_STEP)?;
        Ok(Variant { form: self, ty: found.ty })
    }

    /// The name by which serde reads a variant: one of its `names`, which are in the order
    /// of the variants, each with its aliases, and have none of a skipped variant.
    ///
    /// The schema has the names before serde's renaming. Where they do not tell which name
    /// is whose, no variant is read.
    pub(super) fn variant_name(
        self,
        index: u32,
        names: &'static [&'static str],
    ) -> ::postcard::Result<&'static str> {
        let variants = self.variants()?;
        let place_of = |variant: &NamedVariant| {
            let exact = names.iter().position(|name| *name == variant.name);
            exact.or_else(|| names.iter().position(|name| is_same_word(name, variant.name)))
        };
        let places = variants.iter().map(|variant| place_of(variant));
        let (at, is_clear) = if names.len() == variants.len() {
            // As many names as variants: one that is unknown was chosen freely.
            let mut places = places.enumerate();
            (Some(index as usize), places.all(|(at, found)| found.is_none_or(|found| found == at)))
        } else {
            let at = variants.get(index as usize).and_then(|variant| place_of(variant));
            (at, places.clone().all(|place| place.is_some()) && places.is_sorted_by(|a, b| a < b))
        };
        let name = at.and_then(|at| names.get(at)).filter(|_| is_clear);
        name.copied().ok_or(OTHER_STEP)
    }

    fn steps(self, parts: Parts, len: usize) -> Steps {
        Steps { form: self, parts, len, taken: 0 }
    }
}

static BYTE: NamedType = NamedType { name: "u8", ty: &DataModelType::U8 };

/// Whether two names are one but for the case and the marks between words, as
/// `rename_all` changes them.
fn is_same_word(one: &str, other: &str) -> bool {
    fn letters_of(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase)
    }
    letters_of(one).eq(letters_of(other))
}

/// The part of what has only one.
const fn single(ty: &DataModelType) -> Option<&'static NamedType> {
    match ty {
        DataModelType::NewtypeStruct(part)
        | DataModelType::Tuple([part])
        | DataModelType::TupleStruct([part]) => Some(part),
        DataModelType::Struct([part]) => Some(part.ty),
        _ => None,
    }
}

/// The form of an enum's variant.
pub(super) struct Variant {
    form: Form,
    ty: &'static DataModelVariant,
}

impl Variant {
    pub(super) fn unit(self) -> ::postcard::Result<()> {
        match self.ty {
            DataModelVariant::UnitVariant => Ok(()),
            _ => Err(OTHER_STEP),
        }
    }

    pub(super) fn newtype(self) -> ::postcard::Result<Form> {
        match self.ty {
            DataModelVariant::NewtypeVariant(part) | DataModelVariant::TupleVariant([part]) => {
                self.form.inside(part)
            }
            _ => Err(OTHER_STEP),
        }
    }

    /// The parts of a tuple or a struct.
    pub(super) fn parts(self) -> ::postcard::Result<Steps> {
        let parts = match self.ty {
            DataModelVariant::UnitVariant => return Err(OTHER_STEP),
            DataModelVariant::NewtypeVariant(part) => Parts::Items(part),
            DataModelVariant::TupleVariant(parts) => Parts::Types(parts),
            DataModelVariant::StructVariant(parts) => Parts::Values(parts),
        };
        Ok(self.form.steps(parts, parts.number()))
    }
}

#[derive(Clone, Copy)]
enum Parts {
    /// All of one type; a newtype has one.
    Items(&'static NamedType),
    Entries(&'static NamedType, &'static NamedType),
    Types(&'static [&'static NamedType]),
    Values(&'static [&'static NamedValue]),
}

impl Parts {
    /// How many there are where the type says it.
    const fn number(self) -> usize {
        match self {
            Self::Items(_) => 1,
            Self::Entries(..) => 2,
            Self::Types(types) => types.len(),
            Self::Values(values) => values.len(),
        }
    }

    fn get(self, index: usize) -> Option<&'static NamedType> {
        match self {
            Self::Items(item) => Some(item),
            Self::Entries(key, _) if index.is_multiple_of(2) => Some(key),
            Self::Entries(_, value) => Some(value),
            Self::Types(types) => types.get(index).copied(),
            Self::Values(values) => values.get(index).map(|value| value.ty),
        }
    }
}

/// The parts of a value, one after the other.
pub(super) struct Steps {
    form: Form,
    parts: Parts,
    len: usize,
    taken: usize,
}

impl Steps {
    pub(super) const fn left(&self) -> usize {
        self.len - self.taken
    }

    pub(super) fn next(&mut self) -> ::postcard::Result<Form> {
        if self.left() == 0 {
            return Err(OTHER_STEP);
        }
        let part = self.parts.get(self.taken).ok_or(OTHER_STEP)?;
        self.taken += 1;
        self.form.inside(part)
    }

    /// All parts have to be taken: the bytes of the others would be those of what follows.
    pub(super) fn end(&self) -> ::postcard::Result<()> {
        self.form.expect(self.left() == 0)
    }
}
