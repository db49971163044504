//! The end of sessions.
//!
//! A session ends when its record becomes a note, which stands for a minute. A request
//! that is still under way finds the note, and tells a logout from an eviction.

use super::decide::Ends;
use super::merge::over_default;
use super::records::{MAX_ATTEMPTS, swap_for_ended, undo};
use super::state::{DueCookie, Moved, Place, State, Wish};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record::{Act, Contents, Destination, Format};
use crate::signer::Signer;
use crate::store::{Key, Store, Update};

/// How many moves from id to id the end of a session follows.
const MAX_MOVES: u32 = 64;

/// Which moves the end of a session follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Follow {
    All,
    /// Not one that a sign-in made.
    Rotations,
}

impl<S: Store, C: Codec> State<S, C> {
    /// Ends every session that the request's cookies lead to.
    pub(super) async fn end<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        let had_a_cookie = self.has_cookie || self.live().is_some();
        self.end_everything(sessions).await?;
        self.cookie = match self.wish {
            Wish::Destroy if had_a_cookie || self.cookie == DueCookie::Remove => DueCookie::Remove,
            _ => DueCookie::Keep,
        };
        if self.wish == Wish::Restart {
            self.place = Place::New;
            self.mark_saved();
        }
        Ok(())
    }

    /// Ends what has to end, and begins a new session.
    pub(super) async fn replace<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        ends: Ends,
    ) -> Result<(), Error> {
        if ends != Ends::Everything {
            self.begin_from_default()?;
        }
        match (ends, &mut self.place) {
            (Ends::Everything, _) => self.end_everything(sessions).await?,
            (Ends::Unreadable, _) => self.end_unreadable(sessions).await?,
            (
                Ends::Rotations,
                Place::Over(Some(Moved { to: Some(to), act: Some(Act::Rotation) })),
            ) => {
                end_key(sessions, to, Follow::Rotations).await?;
            }
            _ => {}
        }
        self.place = Place::New;
        self.create_new(sessions).await
    }

    /// Keeps what this request changed, and nothing of the record that is gone.
    fn begin_from_default(&mut self) -> Result<(), Error> {
        self.data = over_default::<C>(&self.changes)?.ok_or(Error::Ended)?;
        self.changes.clear();
        self.changes.note::<C>(&C::Data::default(), 0);
        self.changes.encode::<C>(&self.data)?;
        Ok(())
    }

    /// Ends the session whose record this program cannot read.
    pub(super) async fn end_unreadable<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        if let Place::Unreadable(key) = &mut self.place {
            end_key(sessions, key, Follow::All).await?;
            self.place = Place::New;
        }
        Ok(())
    }

    async fn end_everything<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        if let Place::Live(live) = &mut self.place {
            let key = live.address.key.clone();
            // A session that this request has loaded takes one store call.
            let ended = swap_for_ended::<S, C, K>(sessions, &key, &live.revision).await?;
            undo(sessions, live).await?;
            let left = matches!(ended, Update::Conflict).then_some(key);
            self.place = Place::Over(left.map(|key| Moved { to: Some(key), act: None }));
        }
        if let Place::Unreadable(key) | Place::Over(Some(Moved { to: Some(key), .. })) =
            &mut self.place
        {
            end_key(sessions, key, Follow::All).await?;
        }
        self.place = Place::Over(None);
        while let Some(key) = self.others.last_mut() {
            end_key(sessions, key, Follow::All).await?;
            self.others.pop();
        }
        Ok(())
    }
}

/// Ends whatever session lies under a key, or went from there to another one. The key
/// goes along, so that another attempt goes on where this one gave up.
async fn end_key<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    key: &mut Key,
    follow: Follow,
) -> Result<(), Error> {
    let mut moves = 0;
    for _ in 0..MAX_ATTEMPTS {
        let loaded = sessions.store().load(key, None).await.map_err(Error::store)?;
        let Some(record) = loaded else { return Ok(()) };
        match C::Record::read(record.value.as_ref(), sessions.settings().clock.unix_millis()) {
            Ok(Contents::Ended { .. } | Contents::Index) => return Ok(()),
            Ok(Contents::Moved { to, act, .. }) => {
                let is_followed = follow == Follow::All || act == Some(Act::Rotation);
                let (Destination::Key(to), true) = (to, is_followed) else { return Ok(()) };
                *key = *to;
                moves += 1;
                if moves == MAX_MOVES {
                    break;
                }
            }
            Ok(Contents::Session(..)) | Err(_) => {
                let ended = swap_for_ended::<S, C, K>(sessions, key, &record.revision).await?;
                if !matches!(ended, Update::Conflict) {
                    return Ok(());
                }
            }
        }
    }
    Err(Error::Contended)
}
