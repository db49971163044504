//! Giving a session a fresh id.

use super::decide::Ends;
use super::merge::rebase;
use super::records::undo;
use super::state::{DueCookie, Place, State, Wish};
use super::write::How;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record::{Act, Contents, Format};
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec> State<S, C> {
    /// Moves the session to a fresh id, with what the handler changed.
    pub(super) async fn give_fresh_id<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        act: Act,
    ) -> Result<(), Error> {
        self.finish_rotation(sessions).await?;
        let changed = self.changes.is_touched() && self.changes.encode::<C>(&self.data)?;
        if self.wish == Wish::Keep {
            return match changed || self.changes_permanent() {
                true => self.write_over(sessions, How::Swap).await,
                false => {
                    self.mark_saved();
                    Ok(())
                }
            };
        }
        self.write_over(sessions, How::Move(act)).await?;
        match (&self.place, act) {
            (Place::New | Place::Live(_), _) => Ok(()),
            (place, Act::Rotation) => Err(place.why_gone()),
            (place, Act::SignIn) => {
                let ends = match place {
                    Place::Unreadable(_) => Ends::Unreadable,
                    _ => Ends::Rotations,
                };
                self.replace(sessions, ends).await
            }
        }
    }

    /// Finishes or undoes a rotation whose future was dropped.
    pub(super) async fn finish_rotation<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        let keeps_permanent = !self.changes_permanent();
        let Place::Live(live) = &mut self.place else { return Ok(()) };
        let Some(fresh) = &live.rotating else { return Ok(()) };
        let old = sessions.store().load(&live.address.key, None).await.map_err(Error::store)?;
        let contents = old.as_ref().map(|record| C::Record::read(record.value.as_ref(), 0));
        let act = match contents {
            Some(Ok(Contents::Moved { to, act, .. })) if to.is(&fresh.address.key) => act,
            _ => return undo(sessions, live).await,
        };
        // The record may hold more than what this request read.
        let stored = C::decode(C::Record::data(&fresh.record)).map_err(Error::codec)?;
        self.data = rebase::<C>(&mut self.changes, &self.data, stored, sessions.settings())?;
        if let Some(fresh) = live.rotating.take() {
            *live = (*fresh).into();
        }
        self.cookie = DueCookie::Send;
        // A sign-in that was asked for once a rotation was under way is still to be done.
        if self.wish == Wish::Rotate || act != Some(Act::Rotation) {
            self.wish = Wish::Keep;
        }
        if keeps_permanent {
            self.permanent = live.header.permanent;
        }
        Ok(())
    }
}
