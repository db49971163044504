//! The session cookies of a request.
//!
//! A browser may hold several cookies of one name, of other domains or paths, or from
//! before the cookie's attributes were changed. It does not say which is which.

use super::address::Address;
use crate::codec::Codec;
use crate::config::{Sessions, Settings};
use crate::cookie::{Credentials, values};
use crate::id::SessionId;
use crate::signer::Signer;
use crate::store::Store;

/// How many values that have the form of a session cookie are verified.
const MAX_VERIFIED: usize = 32;
/// How many of those are looked up in the store.
const MAX_LOOKED_UP: usize = 8;

/// An id that the request presents, whose signature is right.
pub(super) struct Candidate {
    pub(super) address: Address,
    pub(super) is_by_older_key: bool,
}

/// The candidates of a request, in the order of its cookies, each id once.
pub(super) struct Candidates<'a, S, C, K, V> {
    sessions: &'a Sessions<S, C, K>,
    values: V,
    /// The first id, which is mostly the only one, and the others.
    first: Option<SessionId>,
    others: Vec<SessionId>,
    verified: usize,
    /// Whether the request has a cookie of the name, whatever its value.
    pub(super) any: bool,
}

/// The candidates among what the request presents.
pub(super) fn candidates<'a, S: Store, C: Codec, K: Signer>(
    sessions: &'a Sessions<S, C, K>,
    credentials: &'a Credentials,
) -> Candidates<'a, S, C, K, impl Iterator<Item = &'a [u8]>> {
    let values = values(credentials, &sessions.settings().cookie.name);
    Candidates { sessions, values, first: None, others: Vec::new(), verified: 0, any: false }
}

impl<S, C, K, V> Candidates<'_, S, C, K, V> {
    fn ids(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    fn is_new(&self, id: &SessionId) -> bool {
        self.first.as_ref() != Some(id) && !self.others.contains(id)
    }
}

impl<'a, S, C, K, V> Iterator for Candidates<'a, S, C, K, V>
where
    S: Store,
    C: Codec,
    K: Signer,
    V: Iterator<Item = &'a [u8]>,
{
    type Item = Candidate;

    fn next(&mut self) -> Option<Candidate> {
        let settings = self.sessions.settings();
        while let Some(value) = self.values.next() {
            self.any = true;
            let mut id = SessionId::BLANK;
            let Some(value) = with_an_id_in_front(value, &mut id, settings) else { continue };
            if self.verified == MAX_VERIFIED || self.ids() == MAX_LOOKED_UP {
                tracing::warn!(
                    verified = self.verified,
                    looked_up = self.ids(),
                    "a request has too many session cookies of one name, so the rest of them was not looked at: another application of this domain, or an attacker, sets cookies of this name"
                );
                return None;
            }
            self.verified += 1;
            let verified = self.sessions.signer().verify(&settings.cookie.name, value);
            let Some(verified) = verified.or_else(|| settings.without_signature(value)) else {
                continue;
            };
            // Behind the form of a shorter id there may be a longer one.
            let is_id = verified.id().as_bytes() == id.as_bytes()
                || settings.id_lengths().any(|length| id.read(verified.id(), length))
                || (settings.uuid_ids && id.read_uuid(verified.id()));
            if is_id && self.is_new(&id) {
                match self.first {
                    None => self.first = Some(id.clone()),
                    Some(_) => self.others.push(id.clone()),
                }
                let address = Address::of(self.sessions, id);
                return Some(Candidate { address, is_by_older_key: verified.is_by_older_key() });
            }
        }
        None
    }
}

/// Reads the id that the value begins with: one of this program's, or a UUID where
/// those are ids. A signature stands behind the id.
fn with_an_id_in_front<'v>(
    value: &'v [u8],
    id: &mut SessionId,
    settings: &Settings,
) -> Option<&'v str> {
    const UUID: usize = 36;
    let value = str::from_utf8(value).ok()?;
    let front = |length: usize| value.get(..length).unwrap_or_default();
    let mut lengths = settings.id_lengths();
    let has_an_id = lengths.any(|length| id.read(front(length.characters()), length))
        || (settings.uuid_ids && id.read_uuid(front(UUID)));
    has_an_id.then_some(value)
}
