//! What serde asks for when it reads a type.

use std::any::type_name;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::discriminant;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// How session data can be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not at all: an enum, an `Option`, a list, a number, or any value that the bytes hold.
    Whole,
    /// Entries whose names are not known before.
    Map,
    /// Fields, by the names that are read, aliases included.
    Struct(&'static [&'static str]),
}

impl Kind {
    pub(super) fn of<T: DeserializeOwned>(is_human_readable: bool) -> Self {
        match T::deserialize(Probe { is_human_readable, name: None }) {
            Err(Seen::Kind(kind)) => kind,
            _ => Self::Whole,
        }
    }

    /// Whether a name is read, as far as that is known.
    pub(super) fn reads(self, name: &str) -> bool {
        matches!(self, Self::Struct(fields) if fields.contains(&name))
    }
}

/// A field of a type, which may have several names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FieldId(u64);

impl FieldId {
    /// The field that a name stands for. What stands for none has an id, too, in most
    /// types.
    pub(super) fn of<T: DeserializeOwned>(name: &str, is_human_readable: bool) -> Option<Self> {
        match T::deserialize(Probe { is_human_readable, name: Some(name) }) {
            Err(Seen::Field(id)) => Some(id),
            _ => None,
        }
    }
}

/// What was seen, in place of a value.
#[derive(Debug)]
enum Seen {
    Nothing,
    Kind(Kind),
    Field(FieldId),
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no value")
    }
}

impl std::error::Error for Seen {}

impl Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Nothing
    }
}

/// Has no value, and sees what is asked for: the kind, or the field of a name.
struct Probe<'n> {
    is_human_readable: bool,
    name: Option<&'n str>,
}

impl Probe<'_> {
    fn entry<'de, V: Visitor<'de>>(self, kind: Kind, visitor: V) -> Result<V::Value, Seen> {
        visitor.visit_map(OneEntry { name: self.name, kind })
    }
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Seen;

    fn is_human_readable(&self) -> bool {
        self.is_human_readable
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Seen> {
        Err(Seen::Kind(Kind::Whole))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Seen> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Seen> {
        self.entry(Kind::Map, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Seen> {
        self.entry(Kind::Struct(fields), visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

/// A map whose first name is looked at.
struct OneEntry<'n> {
    name: Option<&'n str>,
    kind: Kind,
}

impl<'de> MapAccess<'de> for OneEntry<'_> {
    type Error = Seen;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Seen> {
        let Some(name) = self.name else {
            return Err(Seen::Kind(match is_tag::<K::Value>() {
                true => Kind::Whole,
                false => self.kind,
            }));
        };
        let key = seed.deserialize(name.into_deserializer())?;
        let mut hasher = DefaultHasher::new();
        discriminant(&key).hash(&mut hasher);
        Err(Seen::Field(FieldId(hasher.finish())))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, _: V) -> Result<V::Value, Seen> {
        Err(Seen::Nothing)
    }
}

/// Whether this is what serde reads the two names of an adjacently tagged enum as,
/// which it asks for as for a struct.
fn is_tag<K>() -> bool {
    let name = type_name::<K>();
    name.starts_with("serde")
        && (name.contains("TagOrContentField") || name.contains("TagContentOtherField"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Plain {
        #[serde(alias = "old", alias = "older")]
        new: u8,
        #[serde(rename = "other")]
        another: Option<u8>,
        #[serde(skip)]
        skipped: u8,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only its shape is looked at")]
    struct Flat {
        #[serde(alias = "old")]
        new: u8,
        #[serde(flatten)]
        rest: HashMap<String, u8>,
    }

    #[derive(Deserialize)]
    struct Wrapper<T>(T);

    macro_rules! enums {
        ($($(#[$attribute:meta])* $name:ident)*) => {
            $(#[derive(Deserialize)]
            $(#[$attribute])*
            #[expect(dead_code, reason = "only its shape is looked at")]
            enum $name { A { a: u8 }, B { a: u8 } })*
        };
    }

    enums! {
        External
        #[serde(tag = "t")] Internal
        #[serde(tag = "t", content = "c")] Adjacent
        #[serde(tag = "t", content = "c", rename = "another", expecting = "x", deny_unknown_fields)] Renamed
        #[serde(untagged)] Untagged
    }

    #[test]
    fn a_struct_has_the_names_that_are_read() {
        for human in [true, false] {
            let Kind::Struct(names) = Kind::of::<Plain>(human) else { panic!("not a struct") };
            let mut names = names.to_vec();
            names.sort_unstable();
            assert_eq!(names, ["new", "old", "older", "other"]);
            assert_eq!(Kind::of::<Wrapper<Wrapper<Plain>>>(human), Kind::of::<Plain>(human));
        }
    }

    #[test]
    fn a_map_has_names_that_its_type_does_not_say() {
        assert_eq!(Kind::of::<HashMap<String, u8>>(true), Kind::Map);
        assert_eq!(Kind::of::<Wrapper<HashMap<u8, u8>>>(true), Kind::Map);
        assert_eq!(Kind::of::<Flat>(true), Kind::Map);
    }

    #[test]
    fn everything_else_is_one_value() {
        assert_eq!(Kind::of::<External>(true), Kind::Whole);
        assert_eq!(Kind::of::<Internal>(true), Kind::Whole);
        assert_eq!(Kind::of::<Adjacent>(true), Kind::Whole);
        assert_eq!(Kind::of::<Renamed>(true), Kind::Whole);
        assert_eq!(Kind::of::<Untagged>(true), Kind::Whole);
        assert_eq!(Kind::of::<Option<Plain>>(true), Kind::Whole);
        assert_eq!(Kind::of::<Vec<Plain>>(true), Kind::Whole);
        assert_eq!(Kind::of::<(u8, u8)>(true), Kind::Whole);
        assert_eq!(Kind::of::<()>(true), Kind::Whole);
        assert_eq!(Kind::of::<String>(true), Kind::Whole);
    }

    #[test]
    fn the_names_of_one_field_are_known_as_such() {
        fn assert_known<T: DeserializeOwned>() {
            let [new, old, odd] =
                ["new", "old", "odd"].map(|name| FieldId::of::<T>(name, true).expect("an id"));
            assert_eq!(new, old);
            assert_ne!(new, odd);
            assert_eq!(FieldId::of::<T>("", true), Some(odd));
        }
        assert_known::<Plain>();
        assert_known::<Flat>();
        assert_ne!(FieldId::of::<Plain>("new", true), FieldId::of::<Plain>("other", true));
        assert_eq!(FieldId::of::<Internal>("t", true), None);
    }
}
