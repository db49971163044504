//! Where a session lies.

use super::open::Presented;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::cookie::{Credentials, candidates};
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
    /// tried; says whether an older key has signed it.
    pub(super) fn read<S: Store, C: Codec, K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        credentials: &Credentials,
        tried: &[SessionId],
    ) -> Result<bool, Presented> {
        let settings = sessions.settings();
        let name = &settings.cookie.name;
        let mut presented = Presented::Nothing;
        let is_by_older_key = candidates(credentials, name).find_map(|value| {
            presented = Presented::Dead;
            let verified = sessions.signer().verify(name, str::from_utf8(value).ok()?)?;
            let is_id = self.id.read(verified.id(), settings.id_length)
                || (settings.uuid_ids && self.id.read_uuid(verified.id()));
            (is_id && !tried.contains(&self.id)).then_some(verified.is_by_older_key())
        });
        let Some(is_by_older_key) = is_by_older_key else { return Err(presented) };
        sessions.set_key(&mut self.key, &self.id);
        Ok(is_by_older_key)
    }
}
