//! Where a session lies.

use http::HeaderMap;

use super::open::Presented;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::cookie::candidates;
use crate::id::{IdError, SessionId};
use crate::signer::Signer;
use crate::store::{Key, Store};

/// The id of a session, and the key of its record.
pub(super) struct Address {
    pub(super) id: SessionId,
    pub(super) key: Key,
}

impl Address {
    pub(super) const BLANK: Self = Self { id: SessionId::BLANK, key: Key::BLANK };

    /// Makes a fresh one.
    pub(super) fn generate<S: Store, C: Codec, K: Signer>(
        sessions: &Sessions<S, C, K>,
    ) -> Result<Self, IdError> {
        let id = SessionId::generate(sessions.settings().id_length)?;
        let mut key = Key::BLANK;
        sessions.set_key(&mut key, &id);
        Ok(Self { id, key })
    }

    /// Reads it from the first cookie that is a ticket, and none of those that were
    /// tried.
    pub(super) fn read<S: Store, C: Codec, K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        headers: &HeaderMap,
        tried: &[SessionId],
    ) -> Result<(), Presented> {
        let settings = sessions.settings();
        let name = &settings.cookie.name;
        let mut presented = Presented::Nothing;
        let is_ticket = candidates(headers, name).any(|value| {
            presented = Presented::Dead;
            let value = str::from_utf8(value).ok();
            value.and_then(|value| sessions.signer().verify(name, value)).is_some_and(|id| {
                let is_id = self.id.read(id, settings.id_length)
                    || (settings.uuid_ids && self.id.read_uuid(id));
                is_id && !tried.contains(&self.id)
            })
        });
        if !is_ticket {
            return Err(presented);
        }
        sessions.set_key(&mut self.key, &self.id);
        Ok(())
    }
}
