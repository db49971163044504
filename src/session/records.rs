//! Single steps at the store: a record under a fresh id, and a note in the place of a
//! record.

use super::address::Address;
use super::state::{Fresh, Live};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record::{Act, Format, Header, NOTE_TTL};
use crate::signer::Signer;
use crate::store::{Create, Key, Store, Update};

/// After so many conflicts in a row, or taken keys, a request gives up.
pub(super) const MAX_ATTEMPTS: u32 = 1_000;

/// Makes a record under a fresh id. A taken id is tried again, though only a broken
/// generator makes it.
pub(super) async fn create<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    header: Header,
    record: Vec<u8>,
) -> Result<Fresh<S>, Error> {
    let ttl = header.ttl(sessions.settings().clock.unix_millis());
    for _ in 0..MAX_ATTEMPTS {
        let address = Address::generate(sessions)?;
        let created = sessions.store().create(&address.key, &record, ttl).await;
        if let Create::Created(revision) = created.map_err(Error::store)? {
            return Ok(Fresh { address, header, record, revision });
        }
    }
    Err(Error::Contended)
}

/// Moves a session to a fresh id. The new record is there before the old one ends, and
/// the browser does not learn its id unless the old one ended.
pub(super) async fn move_to_fresh<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    live: &mut Live<S>,
    seen: Option<&S::Revision>,
    act: Act,
    header: Header,
    record: Vec<u8>,
) -> Result<Update<()>, Error> {
    let fresh = create(sessions, header, record).await?;
    let now = sessions.settings().clock.unix_millis();
    let note = C::Record::moved(&fresh.address.key, act, now);
    live.rotating = Some(Box::new(fresh));
    let seen = seen.unwrap_or(&live.revision);
    let updated = sessions.store().update(&live.address.key, &note, NOTE_TTL, seen).await;
    match updated.map_err(Error::store)? {
        Update::Updated(_) => {
            if let Some(fresh) = live.rotating.take() {
                *live = (*fresh).into();
            }
            Ok(Update::Updated(()))
        }
        Update::Conflict => {
            undo(sessions, live).await?;
            Ok(Update::Conflict)
        }
        Update::Gone => {
            undo(sessions, live).await?;
            Ok(Update::Gone)
        }
    }
}

/// Removes the record of a rotation that did not happen.
pub(super) async fn undo<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    live: &mut Live<S>,
) -> Result<(), Error> {
    if let Some(fresh) = &live.rotating {
        sessions.store().remove(&fresh.address.key).await.map_err(Error::store)?;
        live.rotating = None;
    }
    Ok(())
}

/// Replaces the version of a record that was seen by a note that the session ended.
pub(super) async fn swap_for_ended<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    key: &Key,
    seen: &S::Revision,
) -> Result<Update<()>, Error> {
    let note = C::Record::ended(sessions.settings().clock.unix_millis());
    let updated = sessions.store().update(key, &note, NOTE_TTL, seen).await;
    Ok(match updated.map_err(Error::store)? {
        Update::Updated(_) => Update::Updated(()),
        Update::Conflict => Update::Conflict,
        Update::Gone => Update::Gone,
    })
}
