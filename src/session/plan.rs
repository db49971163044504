//! What saving a session takes, decided without the store.

use super::open::{Presented, State, Stored};
use super::state::{Fate, Situation, Step, Ticket};
use crate::codec::Codec;
use crate::config::{Renewal, Settings};
use crate::error::Error;
use crate::record::{self, Header};
use crate::store::Store;
use crate::ttl::Ttl;

/// What was found so long ago, in milliseconds, is not told to the browser without
/// another look.
const LATE_AFTER_MILLIS: u64 = 100;

/// What is to be done. Where that is to write, the record stands in the draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) step: Step,
    pub(super) header: Header,
    pub(super) ttl: Ttl,
    /// Whether the idle timeout begins anew.
    renews: bool,
    /// Whether the browser's cookie is affected.
    pub(super) sends_ticket: bool,
}

impl Plan {
    const NOTHING: Self = Self {
        step: Step::Nothing,
        header: Header { created_at: 0, renewed_at: 0, permanent: false },
        ttl: Ttl::MIN,
        renews: false,
        sends_ticket: false,
    };

    /// To write `old` anew, or a first time.
    pub(super) fn to_write<C: Codec>(
        step: Step,
        old: Option<Header>,
        permanent: bool,
        settings: &Settings,
        now: u64,
    ) -> Self {
        let renews = old.is_some_and(|old| old.is_renewal_due(settings, now));
        // Where every load postpones the expiry, that of an earlier one is past.
        // Without a record of it, every write lets the time begin anew.
        let keeps_time = settings.renewal != Renewal::EveryRequest && C::FOREIGN.is_none();
        let header = Header {
            created_at: old.map_or(now, |old| old.created_at),
            renewed_at: old.filter(|_| !renews && keeps_time).map_or(now, |old| old.renewed_at),
            permanent,
        };
        Self {
            step,
            header,
            ttl: header.ttl(settings, now),
            renews,
            sends_ticket: C::FOREIGN.is_some()
                || old.is_none_or(|old| old.permanent != permanent || (renews && permanent)),
        }
    }
}

impl<S: Store, C: Codec> State<S, C> {
    /// Decides what is to be done at the end of the request; `failed` says that the
    /// response is a server error.
    pub(crate) fn plan_end(&mut self, settings: &Settings, failed: bool) -> Result<Plan, Error> {
        let mut plan = self.plan(settings, failed)?;
        if plan.step == Step::Nothing {
            plan.step = self.last_step(settings);
        }
        Ok(plan)
    }

    /// Decides what it takes to save.
    pub(super) fn plan(&mut self, settings: &Settings, failed: bool) -> Result<Plan, Error> {
        if self.is_as_opened(settings) {
            return Ok(Plan::NOTHING);
        }
        let old = self.stored.as_ref().map(|stored| stored.header);
        let now = settings.clock.unix_millis();
        let mut plan = Plan::to_write::<C>(Step::Nothing, old, self.permanent, settings, now);
        // A rotation that was dropped half-way must be settled: the browser may
        // hold no other ticket.
        let failed = failed && self.rotating.is_none();
        let may_write = !failed && matches!(self.fate, Fate::Keep | Fate::Rotate);
        let loaded = self.stored.as_ref().and_then(Stored::data::<C>);
        let changed = may_write
            && self.draft.is_touched()
            && self.draft.write::<C>(plan.header, &self.data, loaded).map_err(Error::codec)?;
        if changed {
            // Some data can be written in a format, and not be read back from it.
            C::decode(self.draft.decodable::<C>()).map_err(Error::codec)?;
        }
        plan.step = Situation {
            stored: old.is_some(),
            changed: changed || old.is_some_and(|old| old.permanent != self.permanent),
            emptied: changed && record::is_empty::<C>(self.draft.record::<C>()),
            renewal_due: plan.renews,
            fate: self.fate,
            failed,
        }
        .step();

        if plan.step == Step::Renew && matches!(self.ticket, Ticket::Repeat { .. }) {
            // Sent once it was written: what is in the way may be a move.
            plan.sends_ticket = true;
            self.ticket = Ticket::Keep;
        }
        match plan.step {
            Step::Update | Step::Renew | Step::Rotate if !self.draft.is_touched() => match loaded {
                Some(data) => {
                    self.draft.write_encoded::<C>(plan.header, data).map_err(Error::codec)?;
                }
                None => {
                    self.draft.write::<C>(plan.header, &self.data, None).map_err(Error::codec)?;
                }
            },
            _ => {}
        }
        Ok(plan)
    }

    /// What the browser is told where nothing is written. What was found out long ago
    /// may have been overtaken by a sign-in whose response has arrived: a ticket that
    /// is to be sent anew is then looked up once more, and a dead one is left for the
    /// next request to judge.
    fn last_step(&mut self, settings: &Settings) -> Step {
        let is_late =
            |since| settings.clock.unix_millis().saturating_sub(since) > LATE_AFTER_MILLIS;
        match (self.ticket, &self.stored, &self.presented) {
            (Ticket::Repeat { seen_at }, Some(_), _) if is_late(seen_at) => return Step::Confirm,
            (Ticket::Keep, None, Presented::Stale(found_at)) if !is_late(*found_at) => {
                self.ticket = Ticket::Withdraw;
            }
            _ => {}
        }
        Step::Nothing
    }

    /// Whether nobody asked for anything to be done, nor is a renewal due.
    fn is_as_opened(&self, settings: &Settings) -> bool {
        let is_settled = self.stored.as_ref().is_none_or(|Stored { header, .. }| {
            header.permanent == self.permanent && !header.is_renewal_due(settings, self.used_at)
        });
        is_settled && self.fate == Fate::Keep && !self.draft.is_touched()
    }
}
