//! When a session is over, and when its idle lifetime begins anew.
//!
//! What the record says counts, not the settings of this program: another instance
//! may have others.

use crate::codec::Codec;
use crate::config::Settings;
use crate::record::{Format, Header};
use crate::renewal::{Percent, Renewal};

/// A renewal that lies further in the future, in milliseconds, was written by a clock
/// that is ahead. It is written anew.
const AHEAD_MILLIS: u64 = 60_000;
/// So much further in the future, the clocks are worth a warning.
const FAR_AHEAD_MILLIS: u64 = 60 * 60_000;

impl Header {
    /// The header of a session that begins now.
    pub(super) fn begin(settings: &Settings, permanent: bool, now: u64) -> Self {
        Self {
            created_at: now,
            renewed_at: now,
            idle_millis: settings.idle_timeout.as_millis(),
            ends_at: now.saturating_add(settings.absolute_timeout.as_millis()),
            permanent,
            own_lifetimes: false,
            loads_renew: settings.renewal == Renewal::EveryRequest,
        }
    }

    /// The header as this program reads it.
    pub(super) fn as_read<C: Codec>(self, settings: &Settings, now: u64) -> Self {
        if C::Record::times(self).is_none() {
            return Self { idle_millis: settings.idle_timeout.as_millis(), ..self };
        }
        if self.renewed_at > now.saturating_add(FAR_AHEAD_MILLIS) {
            tracing::warn!(
                minutes = (self.renewed_at - now) / 60_000,
                "a session was renewed in the future: the clocks of two servers differ"
            );
        }
        self
    }

    /// Whether the session is over, or was made before sessions that are accepted.
    pub(super) fn has_ended(self, settings: &Settings, now: u64) -> bool {
        let renewed_at = self.renewed_at.min(now);
        Self { renewed_at, ..self }.is_over(now)
            || settings.not_before.is_some_and(|earliest| self.created_at < earliest)
    }

    /// Whether a use now lets the idle lifetime begin anew, by a write.
    pub(super) fn is_renewal_due(self, settings: &Settings, now: u64) -> bool {
        if self.renewed_at > now.saturating_add(AHEAD_MILLIS) {
            return true;
        }
        let setting = settings.idle_timeout.as_millis();
        let (share, idle) = match (settings.renewal, self.own_lifetimes) {
            (Renewal::Never, _) => return false,
            (Renewal::EveryRequest, true) => (Percent::default(), self.idle_millis),
            (Renewal::EveryRequest, false) => {
                return !self.loads_renew || self.idle_millis < setting;
            }
            (Renewal::WhenBelow(share), true) => (share, self.idle_millis),
            (Renewal::WhenBelow(share), false) => (share, self.idle_millis.min(setting)),
        };
        let idle_end = self.renewed_at.saturating_add(idle);
        // Near the absolute end there is nothing left to renew: the store has the record
        // until then, also where loads renew it.
        let may_gain = self.renewed_at.saturating_add(self.idle_millis) < self.ends_at;
        may_gain && idle_end.saturating_sub(now) < share.of(idle)
    }

    /// The header after a renewal: the idle lifetime begins anew, with this
    /// program's setting.
    pub(super) fn renewed(self, settings: &Settings, now: u64) -> Self {
        if self.own_lifetimes {
            return Self { renewed_at: now, ..self };
        }
        Self {
            renewed_at: now,
            idle_millis: settings.idle_timeout.as_millis(),
            loads_renew: self.loads_renew || settings.renewal == Renewal::EveryRequest,
            ..self
        }
    }
}
