//! Reading the `Cookie` header (RFC 6265, section 5.4).

use std::iter;
use std::time::{Duration, UNIX_EPOCH};

use memchr::memchr;

use super::Credentials;

/// The values of every cookie called `name`, in the order of the headers.
pub(crate) fn values<'h>(
    credentials: &'h Credentials,
    name: &'h str,
) -> impl Iterator<Item = &'h [u8]> {
    let mut headers = credentials.cookies();
    let mut rest = None;
    iter::from_fn(move || {
        loop {
            let header = match rest.take() {
                Some(rest) => rest,
                None => headers.next()?.as_bytes(),
            };
            let end = memchr(b';', header);
            rest = end.map(|end| &header[end + 1..]);
            let pair = header[..end.unwrap_or(header.len())].trim_ascii();
            let value = pair.strip_prefix(name.as_bytes()).and_then(|v| v.strip_prefix(b"="));
            if value.is_some() {
                return value;
            }
        }
    })
}

/// A point in time, in milliseconds since the Unix epoch, as `Expires` wants it
/// (RFC 9110, section 5.6.7).
pub(crate) fn http_date(unix_millis: u64) -> httpdate::HttpDate {
    /// The end of the year 9999: `HttpDate` knows no later time.
    const LATEST: u64 = 253_402_300_799;
    httpdate::HttpDate::from(UNIX_EPOCH + Duration::from_secs((unix_millis / 1_000).min(LATEST)))
}
