//! Where a session lies.

use crate::codec::Codec;
use crate::config::Sessions;
use crate::id::{IdError, SessionId};
use crate::signer::Signer;
use crate::store::{Key, Store};

/// The id of a session, and the key of its record.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) id: SessionId,
    pub(super) key: Key,
}

impl Address {
    /// The address of this id.
    pub(super) fn of<S: Store, C: Codec, K: Signer>(
        sessions: &Sessions<S, C, K>,
        id: SessionId,
    ) -> Self {
        let mut key = Key::BLANK;
        sessions.set_key(&mut key, &id);
        Self { id, key }
    }

    /// A fresh one.
    pub(super) fn generate<S: Store, C: Codec, K: Signer>(
        sessions: &Sessions<S, C, K>,
    ) -> Result<Self, IdError> {
        Ok(Self::of(sessions, SessionId::generate(sessions.settings().id_length)?))
    }
}
