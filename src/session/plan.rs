//! What saving a session takes, decided without the store.

use super::open::{Presented, State, Stored};
use super::state::{Fate, Situation, Step, Ticket};
use crate::codec::Codec;
use crate::config::{Renewal, Settings};
use crate::error::{Error, SessionError};
use crate::record::{self, Header};
use crate::store::Store;
use crate::ttl::Ttl;

/// What was found so long ago, in milliseconds, is not told to the browser unseen:
/// another response may have brought it a newer ticket.
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
    /// Decides what is to be done; `failed` says that the response is a server
    /// error.
    pub(crate) fn plan(
        &mut self,
        settings: &Settings,
        failed: bool,
    ) -> Result<Plan, SessionError<S, C>> {
        if self.is_as_opened(settings) {
            self.withdraw_stale_ticket(settings);
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
            && self.draft.write::<C>(plan.header, &self.data, loaded).map_err(Error::Codec)?;
        if changed {
            // Some data can be written in a format, and not be read back from it.
            C::decode(self.draft.decodable::<C>()).map_err(Error::Codec)?;
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

        match plan.step {
            Step::Update | Step::Renew | Step::Rotate if !self.draft.is_touched() => match loaded {
                Some(data) => {
                    self.draft.write_encoded::<C>(plan.header, data).map_err(Error::Codec)?;
                }
                None => {
                    self.draft.write::<C>(plan.header, &self.data, None).map_err(Error::Codec)?;
                }
            },
            Step::Nothing => self.withdraw_stale_ticket(settings),
            _ => {}
        }
        Ok(plan)
    }

    /// A ticket that was found dead long ago may have been replaced meanwhile, by a
    /// sign-in whose response has arrived: the next request says whether it was.
    fn withdraw_stale_ticket(&mut self, settings: &Settings) {
        if let (None, Presented::Stale(found_at)) = (&self.stored, &self.presented) {
            self.ticket = match settings.clock.unix_millis().saturating_sub(*found_at) {
                ..=LATE_AFTER_MILLIS => Ticket::Withdraw,
                _ => Ticket::Keep,
            };
        }
    }

    /// Whether nobody asked for anything to be done, nor is a renewal due.
    fn is_as_opened(&self, settings: &Settings) -> bool {
        let is_settled = self.stored.as_ref().is_none_or(|Stored { header, .. }| {
            header.permanent == self.permanent && !header.is_renewal_due(settings, self.used_at)
        });
        is_settled && self.fate == Fate::Keep && !self.draft.is_touched()
    }
}
