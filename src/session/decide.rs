//! What the end of a request, or a save, takes: decided without the store.

use super::state::{DueCookie, Place, State, Wish};
use crate::codec::Codec;
use crate::config::Settings;
use crate::error::Error;
use crate::record::Act;
use crate::store::Store;

/// What the log says of changes that were dropped without an error.
pub(super) const DROPPED: &str =
    "a session ended before its changes could be saved; they are dropped";

/// An id that was seen so long ago, in milliseconds, is looked up again before it is
/// repeated to the browser: a sign-in may have replaced it meanwhile.
const LATE_AFTER_MILLIS: u64 = 100;

/// What is asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// Look whether the id that is to be repeated still is that of the session.
    Confirm,
    /// Make a record under a fresh id.
    Create,
    /// Replace the record.
    Update,
    /// Replace the record only to renew it, or to have its cookie signed anew. One
    /// that comes too late is not repeated.
    Renew,
    /// Move the session to a fresh id.
    Move(Act),
    /// End what has to end, and begin a new session.
    Replace(Ends),
    /// End every session that the request's cookies lead to.
    End,
}

/// What ends before a new session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// Every session that the request's cookies lead to.
    Everything,
    /// The record that this program cannot read.
    Unreadable,
    /// What rotations made of the session, but not what a sign-in made of it.
    Rotations,
}

/// What is known about a session when it is saved.
#[derive(Clone, Copy, Debug)]
struct Situation {
    standing: Standing,
    wish: Wish,
    changed: bool,
    renewal_due: bool,
    /// The response is none that saves: a server error, or a timeout.
    failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    New,
    Live,
    /// The record cannot be read, and is to be replaced or not.
    Unreadable {
        replace: bool,
    },
    Over,
}

impl Situation {
    /// The one decision. An error says what would be dropped though it must not be.
    const fn step(self) -> Result<Step, Error> {
        use Standing::{Live, New, Over, Unreadable};

        Ok(match (self.standing, self.wish) {
            (_, Wish::Destroy) => Step::End,
            (_, Wish::Restart) if self.failed => Step::End,
            _ if self.failed => Step::Nothing,
            (New, Wish::Restart) if !self.changed => Step::End,
            (_, Wish::Restart) => Step::Replace(Ends::Everything),

            (New, _) if self.changed => Step::Create,
            (New, _) => Step::Nothing,

            (Live, Wish::Rotate) => Step::Move(Act::Rotation),
            (Live, Wish::SignIn) => Step::Move(Act::SignIn),
            (Live, Wish::Keep) if self.changed => Step::Update,
            (Live, Wish::Keep) if self.renewal_due => Step::Renew,
            (Live, Wish::Keep) => Step::Nothing,

            (Unreadable { .. }, Wish::SignIn) => Step::Replace(Ends::Unreadable),
            (Unreadable { replace: true }, _) if self.changed => Step::Replace(Ends::Unreadable),
            (Unreadable { replace: false }, Wish::Rotate) => return Err(Error::Unreadable),
            (Unreadable { .. }, _) => Step::Nothing,

            (Over, Wish::SignIn) => Step::Replace(Ends::Rotations),
            (Over, Wish::Rotate) => return Err(Error::Ended),
            (Over, Wish::Keep) => Step::Nothing,
        })
    }
}

impl<S: Store, C: Codec> State<S, C> {
    /// Decides what is to be done at the end of a request; `failed` says that the
    /// response saves nothing.
    pub(crate) fn plan_end(&mut self, settings: &Settings, failed: bool) -> Result<Step, Error> {
        let step = self.plan(settings, failed)?;
        let is_late =
            |seen_at| settings.clock.unix_millis().saturating_sub(seen_at) > LATE_AFTER_MILLIS;
        match (step, self.cookie) {
            (Step::Nothing, DueCookie::Repeat { seen_at }) if is_late(seen_at) => Ok(Step::Confirm),
            (step, _) => Ok(step),
        }
    }

    /// Decides what it takes to save. The changed data are encoded afterwards.
    pub(super) fn plan(&mut self, settings: &Settings, failed: bool) -> Result<Step, Error> {
        if self.is_as_opened(settings) {
            return Ok(Step::Nothing);
        }
        // A rotation that was dropped half-way must be finished or undone: the browser may hold no
        // other id.
        let is_rotating = self.live().is_some_and(|live| live.rotating.is_some());
        let failed = failed && !(is_rotating && self.wish != Wish::Restart);
        let changed = !failed
            && self.wish != Wish::Destroy
            && self.changes.is_touched()
            && self.changes.encode::<C>(&self.data)?;
        let renewal_due = !changed
            && self.live().is_some_and(|live| {
                let now = settings.clock.unix_millis();
                self.is_by_older_key || live.header.is_renewal_due(settings, now)
            });
        if changed && matches!(self.place, Place::Over(_)) && self.wish == Wish::Keep {
            tracing::debug!("{DROPPED}");
        }
        Situation {
            standing: match self.place {
                Place::New => Standing::New,
                Place::Live(_) => Standing::Live,
                Place::Unreadable(_) => {
                    Standing::Unreadable { replace: settings.replace_unreadable }
                }
                Place::Over(_) => Standing::Over,
            },
            wish: self.wish,
            changed: changed || self.changes_permanent(),
            renewal_due,
            failed,
        }
        .step()
    }

    /// Whether the handler asked for nothing to be done, and no renewal is due.
    fn is_as_opened(&self, settings: &Settings) -> bool {
        let is_untouched = self.live().is_none_or(|live| {
            live.header.permanent == self.permanent
                && !self.is_by_older_key
                && !live.header.is_renewal_due(settings, self.used_at)
        });
        is_untouched && self.wish == Wish::Keep && !self.changes.is_touched()
    }
}
