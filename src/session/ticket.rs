//! Writing the response's headers.

use std::fmt::Write as _;

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::State;
use super::state::Ticket;
use crate::codec::Codec;
use crate::config::{Sessions, Settings};
use crate::cookie::http_date;
use crate::error::Error;
use crate::id::SessionId;
use crate::record::{self, Contents};
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec> State<S, C> {
    /// Sets or removes the cookie, and tells caches about it.
    pub(crate) fn write_ticket<K: Signer>(
        &self,
        sessions: &Sessions<S, C, K>,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        let settings = sessions.settings();
        let cookie = match (self.ticket, &self.stored) {
            (Ticket::Keep, _) | (Ticket::Send | Ticket::Repeat { .. }, None) => None,
            (Ticket::Send | Ticket::Repeat { .. }, Some(stored)) => {
                let now = settings.clock.unix_millis();
                let ttl = self.permanent.then(|| stored.header.ttl(settings, now));
                let expiry = ttl.map(|ttl| Expiry {
                    // Flask has `Expires` alone.
                    max_age: C::FOREIGN.is_none().then(|| ttl.as_millis().div_ceil(1_000)),
                    at: now + ttl.as_millis(),
                });
                Some(set_cookie(sessions.signer(), settings, &self.address.id, expiry))
            }
            (Ticket::Withdraw, _) => Some(removal(settings)),
        };
        if let Some(cookie) = cookie {
            let cookie = HeaderValue::try_from(cookie).map_err(|_| Error::Cookie)?;
            append(headers, SET_COOKIE, cookie)?;
            if !headers.contains_key(CACHE_CONTROL) {
                append(headers, CACHE_CONTROL, HeaderValue::from_static("private"))?;
            }
        }
        vary_by_cookie(headers)
    }

    /// Looks whether the ticket is still that of the session, before it is sent anew.
    /// Where it is not, whoever ended or moved the session has told the browser; where
    /// the store does not say, the next request sends it.
    pub(super) async fn confirm_ticket<K: Signer>(&mut self, sessions: &Sessions<S, C, K>) {
        let settings = sessions.settings();
        let loaded = sessions.store().load(&self.address.key, None).await;
        let now = settings.clock.unix_millis();
        let is_live = matches!(loaded, Ok(Some(record)) if matches!(
            record::read::<C>(record.value.as_ref(), now),
            Ok(Contents::Session(header, _)) if !header.is_over(settings, now)
        ));
        self.ticket = if is_live { Ticket::Repeat { seen_at: now } } else { Ticket::Keep };
    }

    /// After an error: writes a ticket only where a step that was completed has made
    /// it due. The browser holds one that is worth nothing any more.
    pub(crate) fn write_due_ticket<K: Signer>(
        &self,
        sessions: &Sessions<S, C, K>,
        headers: &mut HeaderMap,
    ) -> Result<(), Error> {
        match self.ticket {
            Ticket::Keep | Ticket::Repeat { .. } => Ok(()),
            Ticket::Send | Ticket::Withdraw => self.write_ticket(sessions, headers),
        }
    }
}

/// Tells caches that the response depends on the request's cookie.
pub(crate) fn vary_by_cookie(headers: &mut HeaderMap) -> Result<(), Error> {
    // Comparing the few names takes less time than hashing one twice.
    let covers_cookie = headers.keys().any(|name| *name == VARY)
        && headers.get_all(VARY).iter().any(names_the_cookie);
    match covers_cookie {
        true => Ok(()),
        false => append(headers, VARY, HeaderValue::from_static("cookie")),
    }
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
    signer.sign(&cookie.name, id.as_str(), &mut text);
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
