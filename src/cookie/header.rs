//! Reading the `Cookie` header (RFC 6265, section 5.4).

use std::iter;
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use http::header::COOKIE;
use memchr::memchr;

/// How many cookies of the same name are looked at. Honest browsers send one,
/// or a few where domains and paths overlap; checking a tag costs time.
const MAX_CANDIDATES: usize = 8;

/// The values of every cookie called `name`, in the order of the headers, at
/// most [`MAX_CANDIDATES`].
pub(crate) fn candidates<'h>(
    headers: &'h HeaderMap,
    name: &'h str,
) -> impl Iterator<Item = &'h [u8]> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| pairs(header.as_bytes()))
        .filter_map(move |pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
        .take(MAX_CANDIDATES)
}

/// What lies between the semicolons.
fn pairs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(header);
    iter::from_fn(move || {
        let header = rest?;
        let end = memchr(b';', header);
        rest = end.and_then(|end| header.get(end + 1..));
        Some(&header[..end.unwrap_or(header.len())])
    })
}

/// A point in time, in milliseconds since the Unix epoch, as `Expires` wants it
/// (RFC 9110, section 5.6.7).
pub(crate) fn http_date(unix_millis: u64) -> httpdate::HttpDate {
    /// The end of the year 9999: `HttpDate` knows no later time.
    const LATEST: u64 = 253_402_300_799;
    httpdate::HttpDate::from(UNIX_EPOCH + Duration::from_secs((unix_millis / 1_000).min(LATEST)))
}
