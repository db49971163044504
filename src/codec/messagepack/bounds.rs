//! Checks encoded values of this crate before the decoder reads them.

use crate::codec::depth::MAX_LEVELS;

/// Why bytes are not the values that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// They end too soon, or have a mark that means nothing.
    Malformed,
    TooDeep,
    TrailingBytes,
}

/// Whether the bytes are one value. Each length in them is then that of something that
/// follows, and reading takes no more time and memory than they are worth.
pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    match skip(bytes, 1, MAX_LEVELS + 1)? {
        [] => Ok(()),
        _ => Err(Fault::TrailingBytes),
    }
}

/// Cuts a value inside the data off.
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip(bytes, 1, MAX_LEVELS).ok()?;
    Some(bytes.split_at(bytes.len() - rest.len()))
}

/// What follows so many values, which may be nested so deep.
fn skip(mut bytes: &[u8], values: usize, depth: u8) -> Result<&[u8], Fault> {
    for _ in 0..values {
        let (&mark, rest) = bytes.split_first().ok_or(Fault::Malformed)?;
        let (len, rest) = match mark {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (0, rest),
            0xa0..=0xbf => (usize::from(mark & 0x1f), rest),
            0xcc | 0xd0 => (1, rest),
            0xcd | 0xd1 => (2, rest),
            0xca | 0xce | 0xd2 => (4, rest),
            0xcb | 0xcf | 0xd3 => (8, rest),
            0xc4 | 0xd9 => length::<1>(rest)?,
            0xc5 | 0xda => length::<2>(rest)?,
            0xc6 | 0xdb => length::<4>(rest)?,
            // Extensions have their type in front.
            0xd4..=0xd8 => (1 + (1 << (mark - 0xd4)), rest),
            0xc7 => extension(length::<1>(rest)?),
            0xc8 => extension(length::<2>(rest)?),
            0xc9 => extension(length::<4>(rest)?),
            0x80..=0x9f | 0xdc..=0xdf => {
                bytes = skip_nested(mark, rest, depth)?;
                continue;
            }
            0xc1 => return Err(Fault::Malformed),
        };
        bytes = rest.get(len..).ok_or(Fault::Malformed)?;
    }
    Ok(bytes)
}

/// What follows the parts of a list or map.
fn skip_nested(mark: u8, rest: &[u8], depth: u8) -> Result<&[u8], Fault> {
    let depth = depth.checked_sub(1).ok_or(Fault::TooDeep)?;
    let (len, rest) = match mark {
        0x80..=0x9f => (usize::from(mark & 0x0f), rest),
        0xdc | 0xde => length::<2>(rest)?,
        _ => length::<4>(rest)?,
    };
    let is_map = matches!(mark, 0x80..=0x8f | 0xde | 0xdf);
    let values = if is_map { len.saturating_mul(2) } else { len };
    skip(rest, values, depth)
}

/// A length in `N` bytes, and what follows them.
fn length<const N: usize>(bytes: &[u8]) -> Result<(usize, &[u8]), Fault> {
    let (number, rest) = bytes.split_first_chunk::<N>().ok_or(Fault::Malformed)?;
    Ok((number.iter().fold(0, |len, &byte| len << 8 | usize::from(byte)), rest))
}

const fn extension((len, rest): (usize, &[u8])) -> (usize, &[u8]) {
    (len.saturating_add(1), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_value_is_walked_over() {
        for bytes in [
            &b"\x00"[..],
            b"\x7f",
            b"\xe0",
            b"\xff",
            b"\xc0",
            b"\xc2",
            b"\xc3",
            b"\xcc\x01",
            b"\xcd\x01\x01",
            b"\xce\x01\x01\x01\x01",
            b"\xcf\x01\x01\x01\x01\x01\x01\x01\x01",
            b"\xd0\x01",
            b"\xd1\x01\x01",
            b"\xd2\x01\x01\x01\x01",
            b"\xd3\x01\x01\x01\x01\x01\x01\x01\x01",
            b"\xca\x01\x01\x01\x01",
            b"\xcb\x01\x01\x01\x01\x01\x01\x01\x01",
            b"\xa0",
            b"\xa1a",
            b"\xd9\x01a",
            b"\xda\x00\x01a",
            b"\xdb\x00\x00\x00\x01a",
            b"\xc4\x01a",
            b"\xc5\x00\x01a",
            b"\xc6\x00\x00\x00\x01a",
            b"\x90",
            b"\x92\x01\x01",
            b"\xdc\x00\x01\x01",
            b"\xdd\x00\x00\x00\x01\x01",
            b"\x80",
            b"\x81\x01\x01",
            b"\xde\x00\x01\x01\x01",
            b"\xdf\x00\x00\x00\x01\x01\x01",
            b"\xd4\x05a",
            b"\xd5\x05aa",
            b"\xd6\x05aaaa",
            b"\xd7\x05aaaaaaaa",
            b"\xd8\x05aaaaaaaaaaaaaaaa",
            b"\xc7\x01\x05a",
            b"\xc8\x00\x01\x05a",
            b"\xc9\x00\x00\x00\x01\x05a",
        ] {
            assert_eq!(check(bytes), Ok(()), "{bytes:?}");
            let cut = &bytes[..bytes.len() - 1];
            assert_eq!(check(cut), Err(Fault::Malformed), "{bytes:?}, cut");
            let more = [bytes, b"\x01"].concat();
            assert_eq!(check(&more), Err(Fault::TrailingBytes), "{bytes:?}, and more");
            assert_eq!(split(&more), Some((bytes, &b"\x01"[..])));
        }
        assert_eq!(check(b"\xc1"), Err(Fault::Malformed));
    }

    #[test]
    fn there_is_an_end_to_nesting() {
        for (levels, end) in [(101, Ok(())), (102, Err(Fault::TooDeep))] {
            for level in [&b"\x91"[..], b"\x81\x01"] {
                assert_eq!(check(&[&*level.repeat(levels), b"\xc0"].concat()), end);
            }
        }
        assert_eq!(check(&b"\x91".repeat(1_000_000)), Err(Fault::TooDeep));
    }
}
