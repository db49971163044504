//! Walks over encoded values that Python also reads, without decoding them.

use rmp::Marker;

// Python reaches its own limit far behind ours.
use crate::codec::depth::MAX_LEVELS;

/// Seconds since the Unix epoch in the years 1 to 9999, those of a `datetime`.
const DATETIME: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
/// Python rounds to microseconds: from here on up to the next second.
const ROUNDED_UP: u64 = 999_999_500;

/// What a value may be, beside being well-formed.
#[derive(Clone, Copy)]
struct Place {
    /// How deep it may be nested.
    depth: u8,
    /// It stands in the name of an entry, where Python needs to hash it.
    in_name: bool,
}

/// The number of entries in a map, and what follows the number.
pub(super) fn map_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    match Marker::from_u8(first) {
        Marker::FixMap(len) => Some((len.into(), rest)),
        Marker::Map16 => length::<2>(rest),
        Marker::Map32 => length::<4>(rest),
        _ => None,
    }
}

/// Cuts an entry's name off. `None` for what Python could not read.
pub(super) fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    split(bytes, Place { depth: MAX_LEVELS, in_name: true })
}

/// Cuts an entry's value off. `None` for what Python could not read.
pub(super) fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    split(bytes, Place { depth: MAX_LEVELS, in_name: false })
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
    let rest = skip(bytes, place)?;
    Some(bytes.split_at(bytes.len() - rest.len()))
}

/// What follows the value at the start.
fn skip(bytes: &[u8], place: Place) -> Option<&[u8]> {
    let (&first, rest) = bytes.split_first()?;
    match Marker::from_u8(first) {
        Marker::FixPos(_) | Marker::FixNeg(_) => Some(rest),
        Marker::Null | Marker::False | Marker::True => Some(rest),
        Marker::U8 | Marker::I8 => rest.get(1..),
        Marker::U16 | Marker::I16 => rest.get(2..),
        Marker::U32 | Marker::I32 | Marker::F32 => rest.get(4..),
        Marker::U64 | Marker::I64 | Marker::F64 => rest.get(8..),
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            text(bytes).map(|(_, rest)| rest)
        }
        Marker::Bin8 => bytes_of(length::<1>(rest)?),
        Marker::Bin16 => bytes_of(length::<2>(rest)?),
        Marker::Bin32 => bytes_of(length::<4>(rest)?),
        Marker::FixArray(len) => items((len.into(), rest), place),
        Marker::Array16 => items(length::<2>(rest)?, place),
        Marker::Array32 => items(length::<4>(rest)?, place),
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => entries(map_len(bytes)?, place),
        Marker::FixExt1 => extension((1, rest), place),
        Marker::FixExt2 => extension((2, rest), place),
        Marker::FixExt4 => extension((4, rest), place),
        Marker::FixExt8 => extension((8, rest), place),
        Marker::FixExt16 => extension((16, rest), place),
        Marker::Ext8 => extension(length::<1>(rest)?, place),
        Marker::Ext16 => extension(length::<2>(rest)?, place),
        Marker::Ext32 => extension(length::<4>(rest)?, place),
        Marker::Reserved => None,
    }
}

/// A length in `N` bytes, and what follows them.
fn length<const N: usize>(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<N>()?;
    let len = number.iter().fold(0, |len, &byte| len << 8 | usize::from(byte));
    Some((len, rest))
}

fn bytes_of((len, rest): (usize, &[u8])) -> Option<&[u8]> {
    rest.get(len..)
}

fn items((len, mut rest): (usize, &[u8]), place: Place) -> Option<&[u8]> {
    let place = Place { depth: place.depth.checked_sub(1)?, ..place };
    for _ in 0..len {
        rest = skip(rest, place)?;
    }
    Some(rest)
}

fn entries((len, mut rest): (usize, &[u8]), place: Place) -> Option<&[u8]> {
    if place.in_name {
        return None;
    }
    let depth = place.depth.checked_sub(1)?;
    for _ in 0..len {
        rest = skip(rest, Place { depth, in_name: true })?;
        rest = skip(rest, Place { depth, in_name: false })?;
    }
    Some(rest)
}

/// A time (type -1), or something that Python cannot hash.
fn extension((len, rest): (usize, &[u8]), place: Place) -> Option<&[u8]> {
    let (&kind, rest) = rest.split_first()?;
    let (content, rest) = rest.split_at_checked(len)?;
    let is_fine = if kind == 0xff { is_time(content) } else { !place.in_name };
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
    fn is_value(hex: &str) -> bool {
        let bytes = HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal");
        value(&bytes).is_some_and(|(_, rest)| rest.is_empty())
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
            assert!(is_value(hex), "{hex}");
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
            assert!(!is_value(hex), "{hex}");
        }
    }

    #[test]
    fn nesting_ends_before_python_has_enough() {
        for (levels, accepted) in [(100, true), (101, false), (1_000_000, false)] {
            for level in ["91", "8100"] {
                assert_eq!(is_value(&format!("{}c0", level.repeat(levels))), accepted);
            }
        }
    }
}
