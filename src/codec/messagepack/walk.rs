//! Walking over encoded values, no matter what they mean.

use rmp::Marker;

use crate::codec::depth::MAX_LEVELS;

/// Seconds since the Unix epoch in the years 1 to 9999, those of a `datetime`.
const DATETIME: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Python rounds to microseconds: from here on up to the next second.
const ROUNDED_UP: u64 = 999_999_500;

/// Who is to read the values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// This program, where each part may be of any type.
    Own,
    /// Python as well: texts are UTF-8, times are in its years, and keys can be
    /// hashed. It reaches its own limit of nesting far behind ours.
    Python,
}

/// What a value may be, beside being well-formed.
#[derive(Clone, Copy)]
struct Place {
    reader: Reader,
    /// How deep it may be nested.
    depth: u8,
    /// It stands in the name of an entry, where Python needs to hash it.
    in_name: bool,
}

/// The number of entries in a map, and what follows the number.
pub(super) fn map_len(bytes: &[u8]) -> Length<'_> {
    let (&first, rest) = bytes.split_first()?;
    match Marker::from_u8(first) {
        Marker::FixMap(len) => Some((len.into(), rest)),
        Marker::Map16 => length::<2>(rest),
        Marker::Map32 => length::<4>(rest),
        _ => None,
    }
}

/// Cuts an entry's name off. `None` for what the reader could not read.
pub(super) fn name(bytes: &[u8], reader: Reader) -> Option<(&[u8], &[u8])> {
    split(bytes, Place { reader, depth: MAX_LEVELS, in_name: true })
}

/// Cuts an entry's value off. `None` for what the reader could not read.
pub(super) fn value(bytes: &[u8], reader: Reader) -> Option<(&[u8], &[u8])> {
    split(bytes, Place { reader, depth: MAX_LEVELS, in_name: false })
}

/// Whether the bytes are one value of ours: each length in it is that of something
/// that follows, so that reading takes no more than the bytes are worth.
pub(super) fn is_value(bytes: &[u8]) -> Result<(), Fault> {
    let place = Place { reader: Reader::Own, depth: MAX_LEVELS + 1, in_name: false };
    match skip(bytes, place)? {
        [] => Ok(()),
        _ => Err(Fault::TrailingBytes),
    }
}

/// Why bytes are not one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// They end too soon, or have no meaning to the reader.
    Malformed,
    TooDeep,
    TrailingBytes,
}

/// The text at the start, and what follows it.
pub(super) fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (len, rest) = match Marker::from_u8(first) {
        Marker::FixStr(len) => (len.into(), rest),
        Marker::Str8 => length::<1>(rest)?,
        Marker::Str16 => length::<2>(rest)?,
        Marker::Str32 => length::<4>(rest)?,
        _ => return None,
    };
    let (text, rest) = rest.split_at_checked(len)?;
    Some((str::from_utf8(text).ok()?, rest))
}

fn split(bytes: &[u8], place: Place) -> Option<(&[u8], &[u8])> {
    let rest = skip(bytes, place).ok()?;
    Some(bytes.split_at(bytes.len() - rest.len()))
}

/// What follows the value at the start.
fn skip(bytes: &[u8], place: Place) -> Result<&[u8], Fault> {
    let (&first, rest) = bytes.split_first().ok_or(Fault::Malformed)?;
    let after = match Marker::from_u8(first) {
        Marker::FixPos(_) | Marker::FixNeg(_) => Some(rest),
        Marker::Null | Marker::False | Marker::True => Some(rest),
        Marker::U8 | Marker::I8 => rest.get(1..),
        Marker::U16 | Marker::I16 => rest.get(2..),
        Marker::U32 | Marker::I32 | Marker::F32 => rest.get(4..),
        Marker::U64 | Marker::I64 | Marker::F64 => rest.get(8..),
        // Our own reader looks at the text itself.
        Marker::FixStr(len) if place.reader == Reader::Own => rest.get(len.into()..),
        Marker::Str8 if place.reader == Reader::Own => bytes_of(length::<1>(rest)),
        Marker::Str16 if place.reader == Reader::Own => bytes_of(length::<2>(rest)),
        Marker::Str32 if place.reader == Reader::Own => bytes_of(length::<4>(rest)),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            text(bytes).map(|(_, rest)| rest)
        }
        Marker::Bin8 => bytes_of(length::<1>(rest)),
        Marker::Bin16 => bytes_of(length::<2>(rest)),
        Marker::Bin32 => bytes_of(length::<4>(rest)),
        Marker::FixArray(len) => return items(Some((len.into(), rest)), place),
        Marker::Array16 => return items(length::<2>(rest), place),
        Marker::Array32 => return items(length::<4>(rest), place),
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => return entries(map_len(bytes), place),
        Marker::FixExt1 => extension(Some((1, rest)), place),
        Marker::FixExt2 => extension(Some((2, rest)), place),
        Marker::FixExt4 => extension(Some((4, rest)), place),
        Marker::FixExt8 => extension(Some((8, rest)), place),
        Marker::FixExt16 => extension(Some((16, rest)), place),
        Marker::Ext8 => extension(length::<1>(rest), place),
        Marker::Ext16 => extension(length::<2>(rest), place),
        Marker::Ext32 => extension(length::<4>(rest), place),
        Marker::Reserved => None,
    };
    after.ok_or(Fault::Malformed)
}

/// A length in `N` bytes, and what follows them.
fn length<const N: usize>(bytes: &[u8]) -> Length<'_> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    let len = number.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
    Some((len, rest))
}

/// A length, and what follows it.
type Length<'a> = Option<(usize, &'a [u8])>;

fn bytes_of(length: Length<'_>) -> Option<&[u8]> {
    let (len, rest) = length?;
    rest.get(len..)
}

fn items(length: Length<'_>, place: Place) -> Result<&[u8], Fault> {
    let (len, mut rest) = length.ok_or(Fault::Malformed)?;
    let place = place.inside()?;
    for _ in 0..len {
        rest = skip(rest, place)?;
    }
    Ok(rest)
}

fn entries(length: Length<'_>, place: Place) -> Result<&[u8], Fault> {
    let (len, mut rest) = length.ok_or(Fault::Malformed)?;
    if place.in_name && place.reader == Reader::Python {
        return Err(Fault::Malformed);
    }
    let place = place.inside()?;
    for _ in 0..len {
        rest = skip(rest, Place { in_name: true, ..place })?;
        rest = skip(rest, Place { in_name: false, ..place })?;
    }
    Ok(rest)
}

impl Place {
    fn inside(self) -> Result<Self, Fault> {
        let depth = self.depth.checked_sub(1).ok_or(Fault::TooDeep)?;
        Ok(Self { depth, ..self })
    }
}

/// To Python, a time (type -1), or something that it cannot hash.
fn extension(length: Length<'_>, place: Place) -> Option<&[u8]> {
    let (len, rest) = length?;
    let (&kind, rest) = rest.split_first()?;
    let (content, rest) = rest.split_at_checked(len)?;
    let is_fine = match place.reader {
        Reader::Own => true,
        Reader::Python if kind == 0xff => is_time(content),
        Reader::Python => !place.in_name,
    };
    is_fine.then_some(rest)
}

fn is_time(content: &[u8]) -> bool {
    let (nanos, seconds) = match *content {
        [_, _, _, _] => return true,
        [a, b, c, d, e, f, g, h] => (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 34, 0),
        [a, b, c, d, ref seconds @ ..] => match seconds.try_into() {
            Ok(seconds) => (u32::from_be_bytes([a, b, c, d]).into(), i64::from_be_bytes(seconds)),
            Err(_) => return false,
        },
        _ => return false,
    };
    let reaches_year_10000 = seconds == *DATETIME.end() && nanos >= ROUNDED_UP;
    nanos < NANOS_PER_SECOND && DATETIME.contains(&seconds) && !reaches_year_10000
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[track_caller]
    fn is_value_to_python(hex: &str) -> bool {
        let bytes = HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal");
        value(&bytes, Reader::Python).is_some_and(|(_, rest)| rest.is_empty())
    }

    /// What msgspec 0.22 decodes.
    #[test]
    fn what_python_can_read_is_accepted() {
        for hex in [
            "00",
            "e0",
            "c0",
            "c2",
            "c3",
            "ccff",
            "cfffffffffffffffff",
            "d38000000000000000",
            "ca3fc00000",
            "cb3ff8000000000000",
            "a0",
            "d90161",
            "da000161",
            "db0000000161",
            "c40100",
            "c5000100",
            "c60000000100",
            "90",
            "dc000100",
            "dd0000000100",
            "80",
            "de000100c0",
            "df0000000100c0",
            "81920102c0",
            "81c40161c0",
            "81d6ff00000000c0",
            "d6ff00000000",
            "c70cff000000000000003afff4417f",
            "c70cff3b9ac80b0000003afff4417f",
            "d4052a",
            "c70005",
            "d80500000000000000000000000000000000",
        ] {
            assert!(is_value_to_python(hex), "{hex}");
        }
    }

    /// What it refuses.
    #[test]
    fn what_python_cannot_read_is_refused() {
        for hex in [
            "",
            "c1",
            "cc",
            "a2c3",
            "a1ff",
            "c402ff",
            "91",
            "81c0",
            "8180c0",
            "81918001",
            "81d60500000000c0",
            "d4ff00",
            "d7ffffffffffffffffff",
            "c70cffffffffff0000000000000000",
            "c70cff000000000000003afff44180",
            "c70cff3b9ac80c0000003afff4417f",
            "c70cff00000000fffffff1868ac8ff",
            "ddffffffff",
            "dfffffffff",
            "c6ffffffff",
            "0000",
        ] {
            assert!(!is_value_to_python(hex), "{hex}");
        }
    }

    #[test]
    fn nesting_ends_before_python_has_enough() {
        for (levels, accepted) in [(100, true), (101, false), (1_000_000, false)] {
            for level in ["91", "8100"] {
                assert_eq!(is_value_to_python(&format!("{}c0", level.repeat(levels))), accepted);
            }
        }
    }
}
