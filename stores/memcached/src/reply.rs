//! The lines of replies.

use crate::error::MemcachedError;
use crate::expiry::Left;

/// The first line of a record.
pub(crate) struct Found {
    pub(crate) length: u64,
    pub(crate) token: u64,
    /// Where the command asked for it.
    pub(crate) left: Option<Left>,
}

impl Found {
    /// Reads the reply to `mg .. v c` or `mg .. v c t`: `VA <length> c<token> t<left>`, or `EN`.
    pub(crate) fn in_line(line: &[u8]) -> Result<Option<Self>, MemcachedError> {
        if line == b"EN" {
            return Ok(None);
        }
        let Some(head) = line.strip_prefix(b"VA ") else { return Err(refusal(line)) };
        let mut parts = head.split(|&byte| byte == b' ');
        let length = parts.next().and_then(number);
        let token = parts.clone().find_map(|part| number(part.strip_prefix(b"c")?));
        let left = parts.find_map(left);
        match (length, token) {
            // With CAS off, every write would match.
            (_, Some(0)) => Err(MemcachedError::WITHOUT_CAS),
            (Some(length), Some(token)) => Ok(Some(Self { length, token, left })),
            _ => Err(MemcachedError::UNEXPECTED),
        }
    }
}

/// Reads the reply to `mg .. t T`: `HD t<left>` with what was left before, or `EN`.
pub(crate) fn replaced(line: &[u8]) -> Result<Option<Left>, MemcachedError> {
    if line == b"EN" {
        return Ok(None);
    }
    let Some(flags) = line.strip_prefix(b"HD ") else { return Err(refusal(line)) };
    flags.split(|&byte| byte == b' ').find_map(left).map(Some).ok_or(MemcachedError::UNEXPECTED)
}

/// The flag `t`. A record without an expiry has -1 seconds left.
fn left(flag: &[u8]) -> Option<Left> {
    match flag.strip_prefix(b"t")? {
        b"-1" => Some(Left::Forever),
        seconds => number(seconds).map(Left::Seconds),
    }
}

/// The result of a change that names a version.
pub(crate) enum Swapped {
    Done,
    Conflict,
    Gone,
}

/// The fault that a line reports, where it is not one of the command's replies.
pub(crate) fn refusal(line: &[u8]) -> MemcachedError {
    match line {
        b"ERROR" => MemcachedError::UNKNOWN_COMMAND,
        b"SERVER_ERROR object too large for cache" => MemcachedError::TOO_LARGE,
        line if line.starts_with(b"SERVER_ERROR out of memory") => MemcachedError::FULL,
        line if line.starts_with(b"SERVER_ERROR") || line.starts_with(b"CLIENT_ERROR") => {
            MemcachedError::REFUSED
        }
        _ => MemcachedError::UNEXPECTED,
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_beside_other_flags() {
        for line in ["VA 4 c17", "VA 4 s4 c17 W", "VA 4 t-1 c17"] {
            let found = Found::in_line(line.as_bytes()).expect("a reply").expect("a record");
            assert_eq!((found.length, found.token), (4, 17), "{line}");
        }
        assert!(matches!(Found::in_line(b"EN"), Ok(None)));
    }

    #[test]
    fn what_is_left_is_found_beside_other_flags() {
        for (line, expected) in [
            ("VA 4 c17 t60", Some(Left::Seconds(60))),
            ("VA 4 t0 c17 W", Some(Left::Seconds(0))),
            ("VA 4 c17 t-1", Some(Left::Forever)),
            ("VA 4 c17", None),
        ] {
            let found = Found::in_line(line.as_bytes()).expect("a reply").expect("a record");
            assert_eq!((found.left, found.token), (expected, 17), "{line}");
        }
        assert!(matches!(replaced(b"HD t60"), Ok(Some(Left::Seconds(60)))));
        assert!(matches!(replaced(b"HD W t-1"), Ok(Some(Left::Forever))));
        assert!(matches!(replaced(b"EN"), Ok(None)));
        for line in ["", "HD", "HD ", "HD t", "HD t-2", "HD 60", "VA 4 t60"] {
            assert!(replaced(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn a_line_that_is_not_a_reply_is_a_fault() {
        for line in ["", "VA", "VA ", "VA 4", "VA x c1", "VA 4 c", "VA -4 c1", "EN 1", "HD"] {
            assert!(Found::in_line(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn a_server_without_cas_is_recognised() {
        let fault = Found::in_line(b"VA 4 c0").err().expect("a fault");
        assert!(fault.to_string().contains("`-C`"), "{fault}");
    }

    #[test]
    fn a_message_of_the_server_is_not_repeated() {
        for line in ["SERVER_ERROR secret", "CLIENT_ERROR secret", "secret"] {
            let fault = refusal(line.as_bytes());
            assert!(!format!("{fault} {fault:?}").contains("secret"));
        }
    }
}
