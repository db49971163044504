//! The end of a session, by its user or behind its back.

use super::open::{Presented, State};
use super::save::MOVED_TTL;
use super::state::{Fate, Ticket};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record::{self, Contents, Destination};
use crate::signer::Signer;
use crate::store::{Key, Store, Update};

/// How many changes of the id a logout follows.
const MAX_MOVES: u32 = 64;

impl<S: Store, C: Codec> State<S, C> {
    /// Removes the session, wherever it was moved to meanwhile.
    pub(super) async fn remove<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        for _ in 0..MAX_MOVES {
            let key = match (&self.stored, &self.presented) {
                (Some(_), _) => &self.address.key,
                (None, Presented::Moved(Some(to)) | Presented::Unreadable(to)) => to,
                (None, _) => break,
            };
            let moved_to = remove_or_follow(sessions, key).await?;
            self.stored = None;
            self.presented = moved_to.map_or(Presented::Dead, |to| Presented::Moved(Some(to)));
        }
        // Nothing is lost: whoever tries again goes on from here.
        if matches!(self.presented, Presented::Moved(Some(_))) {
            return Err(Error::Contended);
        }
        self.undo_rotation(sessions).await?;
        if !matches!(self.presented, Presented::Nothing) {
            self.ticket = Ticket::Withdraw;
        }
        Ok(())
    }

    /// Removes the record of a session that was emptied, if it is still the version
    /// that was `seen`: ours, unless another is named.
    pub(super) async fn clear<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        seen: Option<&S::Revision>,
    ) -> Result<Update<()>, Error> {
        let Some(stored) = &self.stored else { return Ok(Update::Gone) };
        let seen = seen.unwrap_or(&stored.revision);
        let cleared = clear::<S, C>(sessions.store(), &self.address.key, seen).await;
        let cleared = cleared.map_err(Error::store)?;
        if let Update::Updated(()) = cleared {
            // The session is as new, and its ticket is worth nothing.
            self.stored = None;
            self.fate = Fate::Keep;
            self.presented = Presented::Dead;
            self.ticket = Ticket::Withdraw;
            self.draft.commit();
        }
        Ok(cleared)
    }

    /// The session was destroyed, moved or expired meanwhile: changes are
    /// dropped, and nothing is written any more.
    ///
    /// The browser's cookie is left alone: whoever ended the session has told
    /// it, perhaps with a newer ticket. One that is worth nothing is removed when
    /// it is presented the next time.
    pub(super) fn end(&mut self, presented: Presented) {
        self.stored = None;
        self.fate = Fate::Ended;
        self.ticket = Ticket::Keep;
        self.presented = presented;
    }
}

/// Removes the version of a record that was seen. It is made one of no session
/// first, which nobody writes any more, since a store removes whatever there is.
async fn clear<S: Store, C: Codec>(
    store: &S,
    key: &Key,
    seen: &S::Revision,
) -> Result<Update<()>, S::Error> {
    Ok(match store.update(key, &record::ended::<C>(), MOVED_TTL, seen).await? {
        Update::Updated(_) => {
            store.remove(key).await?;
            Update::Updated(())
        }
        Update::Conflict => Update::Conflict,
        Update::Gone => Update::Gone,
    })
}

/// Removes the session under a key; where it was moved, says where to, unless
/// nobody knows.
///
/// A moved record is left to expire, so that whoever drops this future, and
/// tries again, finds it again.
async fn remove_or_follow<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    key: &Key,
) -> Result<Option<Box<Key>>, Error> {
    let store = sessions.store();
    let loaded = store.load(key, None).await.map_err(Error::store)?;
    let Some(record) = loaded else { return Ok(None) };
    if let Some(to) = moved_to::<C>(record.value.as_ref()) {
        return Ok(key_of(to));
    }
    let removed = store.remove(key).await.map_err(Error::store)?;
    Ok(removed.and_then(|value| moved_to::<C>(value.as_ref())).and_then(key_of))
}

fn moved_to<C: Codec>(record: &[u8]) -> Option<Destination> {
    match record::read::<C>(record, 0) {
        Ok(Contents::Moved { to, .. }) => Some(to),
        Ok(Contents::Session(..) | Contents::Ended) | Err(record::UnknownFormat) => None,
    }
}

fn key_of(to: Destination) -> Option<Box<Key>> {
    match to {
        Destination::Key(key) => Some(key),
        Destination::Undisclosed(_) => None,
    }
}
