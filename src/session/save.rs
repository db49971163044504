//! Saving a session: what was decided, carried out.

use super::decide::Step;
use super::open::Found;
use super::state::{DueCookie, Place, State, Wish};
use super::write::{How, newest};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec> State<S, C> {
    /// Saves, for a caller who asks for it: a session that ended is an error.
    pub(super) async fn save<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        let step = self.save_changes(sessions, true).await?;
        if step == Step::Nothing && self.live().is_some() {
            // Only the store knows whether another request has ended it.
            self.look_again(sessions).await?;
        }
        Ok(())
    }

    /// Saves what was changed, and makes a record for a new session even if nothing was.
    pub(super) async fn save_or_create<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        self.save_changes(sessions, true).await?;
        match (&self.place, self.wish) {
            (Place::New, Wish::Destroy) => Ok(()),
            (Place::New, _) => self.create_new(sessions).await,
            _ => Ok(()),
        }
    }

    /// Saves what was changed, if anything was, and says what that took. A session whose
    /// renewal alone is due is written if `renews`.
    pub(super) async fn save_changes<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        renews: bool,
    ) -> Result<Step, Error> {
        let settings = sessions.settings();
        self.used_at = settings.clock.unix_millis();
        let step = match self.plan(settings, false)? {
            // A conflict must not hide that the session has ended.
            Step::Renew if renews => Step::Update,
            Step::Renew => Step::Nothing,
            step => step,
        };
        self.carry_out(sessions, step).await?;
        match (&self.place, self.wish) {
            (_, Wish::Destroy) | (Place::New | Place::Live(_), _) => Ok(step),
            (Place::Unreadable(_), _) if settings.replace_unreadable => Ok(step),
            (Place::Unreadable(_), _) => Err(Error::Unreadable),
            (Place::Over(_), _) => Err(Error::Ended),
        }
    }

    /// Does what was decided.
    pub(crate) async fn carry_out<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        step: Step,
    ) -> Result<(), Error> {
        match step {
            Step::Nothing => Ok(()),
            Step::Confirm => {
                self.confirm_cookie(sessions).await;
                Ok(())
            }
            Step::Create => self.create_new(sessions).await,
            Step::Update => self.write_over(sessions, How::Swap).await,
            Step::Renew => self.write_over(sessions, How::SwapOnce).await,
            // What few requests need has a box of its own, so that it does not enlarge
            // the future of the others.
            Step::Move(act) => Box::pin(self.give_fresh_id(sessions, act)).await,
            Step::Replace(ends) => Box::pin(self.replace(sessions, ends)).await,
            Step::End => Box::pin(self.end(sessions)).await,
        }
    }

    /// Looks at the newest version; an error says that the session has ended.
    async fn look_again<K: Signer>(&mut self, sessions: &Sessions<S, C, K>) -> Result<(), Error> {
        let Place::Live(live) = &self.place else { return Ok(()) };
        match newest(sessions, &live.address).await? {
            Found::Live(..) => Ok(()),
            other => {
                self.place = Place::without(other, live);
                self.cookie = DueCookie::Keep;
                Err(self.place.why_gone())
            }
        }
    }
}
