//! What the response's headers tell the browser and caches.

use std::fmt::Write as _;

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::open::Found;
use super::state::{DueCookie, Live, Place, State};
use super::write::newest;
use crate::codec::Codec;
use crate::config::{Sessions, Settings, UnsignedIds};
use crate::cookie::http_date;
use crate::error::Error;
use crate::id::SessionId;
use crate::record::{CookieEnds, Format};
use crate::signer::Signer;
use crate::store::Store;
use crate::ttl::Ttl;

impl<S: Store, C: Codec> State<S, C> {
    /// The value of `Set-Cookie`, where the response sets or removes the cookie.
    pub(super) fn cookie<K: Signer>(
        &self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<Option<HeaderValue>, Error> {
        let settings = sessions.settings();
        let cookie = match (self.cookie, &self.place) {
            (DueCookie::Send | DueCookie::Repeat { .. }, Place::Live(live)) => {
                let expiry = expiry::<S, C>(live, settings);
                set_cookie(sessions.signer(), settings, &live.address.id, expiry)
            }
            (DueCookie::Remove, _) => removal(settings),
            _ => return Ok(None),
        };
        HeaderValue::try_from(cookie).map(Some).map_err(|_| Error::Cookie)
    }

    /// After an error: the cookie, where a step that was completed has made it due. The
    /// browser's own leads to no session any more.
    pub(super) fn due_cookie<K: Signer>(
        &self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<Option<HeaderValue>, Error> {
        match self.cookie {
            DueCookie::Keep | DueCookie::Repeat { .. } => Ok(None),
            DueCookie::Send | DueCookie::Remove => self.cookie(sessions),
        }
    }

    /// Looks whether the id still is that of the session, before it is repeated. Where
    /// it is not, the request that ended or moved the session has told the browser.
    /// Where the store does not say it, the next response repeats the id.
    pub(super) async fn confirm_cookie<K: Signer>(&mut self, sessions: &Sessions<S, C, K>) {
        let Place::Live(live) = &self.place else { return };
        self.cookie = match newest(sessions, &live.address).await {
            Ok(Found::Live(..)) => {
                DueCookie::Repeat { seen_at: sessions.settings().clock.unix_millis() }
            }
            _ => DueCookie::Keep,
        };
    }
}

/// When the cookie of a session ends; `None` if that is with the browser.
fn expiry<S: Store, C: Codec>(live: &Live<S>, settings: &Settings) -> Option<Expiry> {
    if !live.header.permanent {
        return None;
    }
    let now = settings.clock.unix_millis();
    Some(match C::Record::COOKIE_ENDS {
        CookieEnds::WithSession => {
            let at = live.header.ends_at;
            let left = at.saturating_sub(now).min(Ttl::MAX.as_millis());
            Expiry { max_age: Some(left.div_ceil(1_000)), at }
        }
        // Flask has `Expires` alone, and the idle lifetime.
        CookieEnds::WhenIdle => {
            Expiry { max_age: None, at: now.saturating_add(live.header.ttl(now).as_millis()) }
        }
    })
}

/// Sets or removes the cookie, and tells caches that the response depends on that of
/// the request.
pub(super) fn write_cookie(
    headers: &mut HeaderMap,
    cookie: Option<HeaderValue>,
) -> Result<(), Error> {
    if let Some(cookie) = cookie {
        append(headers, SET_COOKIE, cookie)?;
        keep_out_of_shared_caches(headers)?;
    }
    vary_by_cookie(headers)
}

fn vary_by_cookie(headers: &mut HeaderMap) -> Result<(), Error> {
    // Comparing the few names takes less time than hashing one twice.
    let covers_cookie = headers.keys().any(|name| *name == VARY)
        && headers.get_all(VARY).iter().any(names_the_cookie);
    match covers_cookie {
        true => Ok(()),
        false => append(headers, VARY, HeaderValue::from_static("cookie")),
    }
}

/// A response that carries a session cookie is for one visitor, whatever the
/// application says.
fn keep_out_of_shared_caches(headers: &mut HeaderMap) -> Result<(), Error> {
    forget_targeted(headers);
    let directives: Vec<_> = all_directives(headers, &CACHE_CONTROL).collect();
    if keeps_private(&directives) {
        return Ok(());
    }
    if directives.iter().any(|directive| is_for_shared_caches(directive)) {
        tracing::warn!(
            "a response that sets the session cookie was `Cache-Control: public` or had `s-maxage`; it is `private` now, since a shared cache would give one visitor's session to another"
        );
    }
    let mut private = Vec::from(*b"private");
    let kept = directives.into_iter().filter(|directive| {
        !is_for_shared_caches(directive) && !name_of(directive).eq_ignore_ascii_case(b"private")
    });
    for directive in kept {
        private.extend_from_slice(b", ");
        private.extend_from_slice(directive);
    }
    let private = HeaderValue::from_bytes(&private).map_err(|_| Error::Cookie)?;
    headers.remove(CACHE_CONTROL);
    append(headers, CACHE_CONTROL, private)
}

/// Removes what tells some shared caches to keep the response, whatever `Cache-Control`
/// says: `CDN-Cache-Control` and its like (RFC 9213), and `Surrogate-Control`.
fn forget_targeted(headers: &mut HeaderMap) {
    let is_targeted = |name: &HeaderName| {
        name.as_str().ends_with("-cache-control") || name == "surrogate-control"
    };
    let shares = |name: &&HeaderName| {
        is_targeted(name) && !keeps_private(&all_directives(headers, name).collect::<Vec<_>>())
    };
    let names: Vec<_> = headers.keys().filter(shares).cloned().collect();
    for name in names {
        tracing::warn!(
            header = name.as_str(),
            "a response that sets the session cookie had a header that lets a shared cache keep it, whatever `Cache-Control` says; it is removed, since the cache would give one visitor's session to another"
        );
        headers.remove(name);
    }
}

/// Whether no shared cache keeps a response that says this.
fn keeps_private(directives: &[&[u8]]) -> bool {
    let says = |name: &[u8]| directives.iter().any(|one| one.eq_ignore_ascii_case(name));
    // A cache that knows the status ignores `no-store` beside `must-understand`.
    let is_private = says(b"private") || (says(b"no-store") && !says(b"must-understand"));
    is_private && !directives.iter().any(|directive| is_for_shared_caches(directive))
}

fn all_directives<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = &'h [u8]> + use<'h> {
    headers.get_all(name).into_iter().flat_map(|value| directives(value.as_bytes()))
}

/// The directives of a `Cache-Control` header. A comma inside quotes separates
/// nothing.
fn directives(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_quoted = false;
    let parts = value.split(move |&byte| {
        is_quoted ^= byte == b'"';
        byte == b',' && !is_quoted
    });
    parts.map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

fn is_for_shared_caches(directive: &[u8]) -> bool {
    let name = name_of(directive);
    name.eq_ignore_ascii_case(b"public") || name.eq_ignore_ascii_case(b"s-maxage")
}

/// The name of a directive, without its argument.
fn name_of(directive: &[u8]) -> &[u8] {
    directive.split(|&byte| byte == b'=').next().unwrap_or_default().trim_ascii_end()
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) -> Result<(), Error> {
    headers.try_append(name, value).map(drop).map_err(|_| Error::Cookie)
}

/// When a cookie ends.
struct Expiry {
    /// In seconds.
    max_age: Option<u64>,
    /// In milliseconds since the Unix epoch.
    at: u64,
}

/// Without `expiry`, the cookie ends with the browser.
fn set_cookie<K: Signer>(
    signer: &K,
    settings: &Settings,
    id: &SessionId,
    expiry: Option<Expiry>,
) -> String {
    let cookie = &settings.cookie;
    let mut text = String::with_capacity(cookie.name.len() + cookie.suffix.len() + 192);
    text.push_str(&cookie.name);
    text.push('=');
    text.push_str(id.as_str());
    if settings.unsigned_ids != UnsignedIds::Issued {
        signer.sign(&cookie.name, id.as_str(), &mut text);
    }
    text.push_str(&cookie.suffix);
    if let Some(Expiry { max_age, at }) = expiry {
        // Writing into a `String` cannot fail.
        if let Some(seconds) = max_age {
            let _ = write!(text, "; Max-Age={seconds}");
        }
        let _ = write!(text, "; Expires={}", http_date(at));
    }
    text
}

/// The cookie's removal, with the same attributes, since browsers match by them.
fn removal(settings: &Settings) -> String {
    let cookie = &settings.cookie;
    format!("{}={}; Max-Age=0; Expires={}", cookie.name, cookie.suffix, http_date(0))
}

/// Whether a value of `Vary` covers the cookie.
fn names_the_cookie(value: &HeaderValue) -> bool {
    let mut names = value.as_bytes().split(|&b| b == b',').map(<[u8]>::trim_ascii);
    names.any(|name| name == b"*" || name.eq_ignore_ascii_case(b"cookie"))
}
