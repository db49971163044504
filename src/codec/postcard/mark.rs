//! Which type wrote an encoding.
//!
//! The encoding has neither names nor types: another type may read a number as a
//! user's id, or a variant as another one. So a mark of the type stands in front.
//!
//! It covers everything that the schema says, at every level. Each name and each list
//! has its length before it, so that two schemas never give the hash the same bytes.

use postcard_schema::Schema;
use postcard_schema::schema::{DataModelType, DataModelVariant, NamedType, NamedValue};

use super::form::LEVELS;

pub(super) const BYTES: usize = 8;

/// The mark of `T`, which the compiler calculates.
///
/// It is the FNV-1a hash with 64 bits. The schemas of a program are no attacker's,
/// so it needs no cryptographic hash; with 64 bits, two of a million types share a
/// mark by chance once in 37 million times.
pub(super) const fn of<T: Schema>() -> [u8; BYTES] {
    Hash(0xcbf2_9ce4_8422_2325).named(T::SCHEMA, 0).0.to_le_bytes()
}

struct Hash(u64);

impl Hash {
    const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }

    const fn length(mut self, length: usize) -> Self {
        let bytes = (length as u32).to_le_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self = self.byte(bytes[at]);
            at += 1;
        }
        self
    }

    const fn name(mut self, name: &str) -> Self {
        self = self.length(name.len());
        let bytes = name.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self = self.byte(bytes[at]);
            at += 1;
        }
        self
    }

    const fn named(self, whole: &NamedType, level: u8) -> Self {
        assert!(
            level < LEVELS,
            "these session data nest too deeply for `Postcard`, or contain themselves: use `MessagePack`"
        );
        // It is described with four parts, and serde writes two.
        assert!(
            !is(whole.name, "SocketAddrV6"),
            "serde writes a `SocketAddr` otherwise than `postcard-schema` describes it: keep an `IpAddr` and a port, or use `MessagePack`"
        );
        let hash = self.name(whole.name);
        match whole.ty {
            DataModelType::Bool => hash.byte(0),
            DataModelType::I8 => hash.byte(1),
            DataModelType::U8 => hash.byte(2),
            DataModelType::I16 => hash.byte(3),
            DataModelType::I32 => hash.byte(4),
            DataModelType::I64 => hash.byte(5),
            DataModelType::I128 => hash.byte(6),
            DataModelType::U16 => hash.byte(7),
            DataModelType::U32 => hash.byte(8),
            DataModelType::U64 => hash.byte(9),
            DataModelType::U128 => hash.byte(10),
            DataModelType::Usize => hash.byte(11),
            DataModelType::Isize => hash.byte(12),
            DataModelType::F32 => hash.byte(13),
            DataModelType::F64 => hash.byte(14),
            DataModelType::Char => hash.byte(15),
            DataModelType::String => hash.byte(16),
            DataModelType::ByteArray => hash.byte(17),
            DataModelType::Option(part) => hash.byte(18).named(part, level + 1),
            DataModelType::Unit => hash.byte(19),
            DataModelType::UnitStruct => hash.byte(20),
            DataModelType::NewtypeStruct(part) => hash.byte(21).named(part, level + 1),
            DataModelType::Seq(item) => {
                assert!(has_bytes(item.ty), "{}", WITHOUT_BYTES);
                hash.byte(22).named(item, level + 1)
            }
            DataModelType::Tuple(parts) => hash.byte(23).types(parts, level + 1),
            DataModelType::TupleStruct(parts) => hash.byte(24).types(parts, level + 1),
            DataModelType::Map { key, val } => {
                assert!(has_bytes(key.ty) || has_bytes(val.ty), "{}", WITHOUT_BYTES);
                hash.byte(25).named(key, level + 1).named(val, level + 1)
            }
            DataModelType::Struct(fields) => hash.byte(26).fields(fields, level + 1),
            DataModelType::Enum(variants) => {
                let mut hash = hash.byte(27).length(variants.len());
                let mut at = 0;
                while at < variants.len() {
                    hash = hash.name(variants[at].name).variant(variants[at].ty, level + 1);
                    at += 1;
                }
                hash
            }
            DataModelType::Schema => {
                panic!("a schema cannot be kept in a session by `Postcard`")
            }
        }
    }

    const fn variant(self, variant: &DataModelVariant, level: u8) -> Self {
        match variant {
            DataModelVariant::UnitVariant => self.byte(0),
            DataModelVariant::NewtypeVariant(part) => self.byte(1).named(part, level),
            DataModelVariant::TupleVariant(parts) => self.byte(2).types(parts, level),
            DataModelVariant::StructVariant(fields) => self.byte(3).fields(fields, level),
        }
    }

    const fn types(self, types: &[&NamedType], level: u8) -> Self {
        let mut hash = self.length(types.len());
        let mut at = 0;
        while at < types.len() {
            hash = hash.named(types[at], level);
            at += 1;
        }
        hash
    }

    const fn fields(self, fields: &[&NamedValue], level: u8) -> Self {
        let mut hash = self.length(fields.len());
        let mut at = 0;
        while at < fields.len() {
            hash = hash.name(fields[at].name).named(fields[at].ty, level);
            at += 1;
        }
        hash
    }
}

/// A length of ten bytes would be read as more of them than a program can count to.
const WITHOUT_BYTES: &str =
    "a list of values that take no bytes has no form in `Postcard`: keep their number";

/// Whether each value has at least one byte.
const fn has_bytes(ty: &DataModelType) -> bool {
    match ty {
        DataModelType::Unit | DataModelType::UnitStruct => false,
        DataModelType::NewtypeStruct(part) => has_bytes(part.ty),
        DataModelType::Tuple(parts) | DataModelType::TupleStruct(parts) => {
            let mut at = 0;
            while at < parts.len() {
                if has_bytes(parts[at].ty) {
                    return true;
                }
                at += 1;
            }
            false
        }
        DataModelType::Struct(fields) => {
            let mut at = 0;
            while at < fields.len() {
                if has_bytes(fields[at].ty.ty) {
                    return true;
                }
                at += 1;
            }
            false
        }
        _ => true,
    }
}

/// `==`, which is not `const`.
const fn is(name: &str, other: &str) -> bool {
    let (name, other) = (name.as_bytes(), other.as_bytes());
    if name.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        if name[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
