//! What a request presents: the values of its `Cookie` and `Authorization` headers.

use std::iter;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a request that lead to a session. Two requests whose credentials
/// are the same lead to the same session.
///
/// A copy shares the bytes of the headers.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    cookie: Values,
    authorization: Values,
}

/// The values of one header: mostly none or one, which need no allocation.
#[derive(Clone, PartialEq, Eq)]
struct Values {
    first: Option<HeaderValue>,
    others: Vec<HeaderValue>,
}

impl Credentials {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            cookie: Values::of(headers, COOKIE),
            authorization: Values::of(headers, AUTHORIZATION),
        }
    }

    /// Whether a request with these headers presents the same.
    pub(crate) fn are_of(&self, headers: &HeaderMap) -> bool {
        self.cookie.are_of(headers, COOKIE) && self.authorization.are_of(headers, AUTHORIZATION)
    }

    /// Whether there is any `Cookie` header.
    pub(crate) const fn has_cookies(&self) -> bool {
        self.cookie.first.is_some()
    }

    /// The values of the `Cookie` headers, in their order.
    pub(super) fn cookies(&self) -> impl Iterator<Item = &HeaderValue> {
        self.cookie.iter()
    }
}

impl Values {
    fn of(headers: &HeaderMap, name: HeaderName) -> Self {
        let mut values = headers.get_all(name).iter();
        Self { first: values.next().cloned(), others: values.cloned().collect() }
    }

    fn are_of(&self, headers: &HeaderMap, name: HeaderName) -> bool {
        let mut values = headers.get_all(name).iter();
        values.next() == self.first.as_ref() && values.eq(&self.others)
    }

    fn iter(
        &self,
    ) -> iter::Chain<std::option::Iter<'_, HeaderValue>, std::slice::Iter<'_, HeaderValue>> {
        self.first.iter().chain(&self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs.map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
    }

    fn appended(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_the_cookie_and_authorization_headers_tell_two_requests_apart() {
        let first = Credentials::of(&headers(&[(COOKIE, "id=1"), (http::header::ACCEPT, "a")]));
        assert!(first.are_of(&headers(&[(COOKIE, "id=1"), (http::header::ACCEPT, "b")])));
        assert!(!first.are_of(&headers(&[(COOKIE, "id=2")])));
        assert!(!first.are_of(&headers(&[])));
        assert!(!first.are_of(&headers(&[(COOKIE, "id=1"), (AUTHORIZATION, "Bearer 1")])));
    }

    #[test]
    fn every_value_of_a_header_counts_in_its_order() {
        let two = Credentials::of(&appended(&[(COOKIE, "a=1"), (COOKIE, "b=2")]));
        assert!(two.are_of(&appended(&[(COOKIE, "a=1"), (COOKIE, "b=2")])));
        assert!(!two.are_of(&appended(&[(COOKIE, "b=2"), (COOKIE, "a=1")])));
        assert!(!two.are_of(&appended(&[(COOKIE, "a=1")])));
        assert!(two.cookies().eq(["a=1", "b=2"]));
    }
}
