//! The life of a session, decided without input or output.

use crate::config::{Renewal, Settings};
use crate::record::Header;
use crate::ttl::Ttl;

/// What the handler asked to become of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Keep,
    Rotate,
    Destroy,
    /// It ended while it was open: nothing is stored any more.
    Ended,
    /// Its ticket came too late: the session has just been given a fresh id.
    /// Nothing is stored, since a new session's ticket would take the place of
    /// the fresh one in the browser. Only a rotation, which is how users sign
    /// in, begins a new one.
    Late,
}

/// What becomes of the ticket in the browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ticket {
    #[default]
    Keep,
    Send,
    /// Sent anew as the browser holds it, for its expiry or its tag, if it still is
    /// that of the session, which was seen at this time, in milliseconds since the
    /// Unix epoch.
    Repeat {
        seen_at: u64,
    },
    Withdraw,
}

/// What saving a session asks of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// Only look whether the ticket that is to be sent anew is still that of the
    /// session.
    Confirm,
    Create,
    Update,
    /// An update that only moves the expiry: one that comes too late is not
    /// repeated.
    Renew,
    Rotate,
    Remove,
    /// Of a session that was emptied; one that another request filled meanwhile
    /// stays.
    Clear,
}

/// What is known about a session when it is saved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    pub(crate) stored: bool,
    pub(crate) changed: bool,
    /// The change has left nothing that is worth a record.
    pub(crate) emptied: bool,
    pub(crate) renewal_due: bool,
    pub(crate) fate: Fate,
    /// The response is a server error.
    pub(crate) failed: bool,
}

impl Situation {
    pub(crate) const fn step(self) -> Step {
        match self {
            Self { fate: Fate::Ended | Fate::Late, .. } => Step::Nothing,
            Self { fate: Fate::Destroy, .. } => Step::Remove,
            Self { failed: true, .. } => Step::Nothing,
            Self { stored: false, changed: true, emptied: false, .. } => Step::Create,
            Self { stored: false, .. } => Step::Nothing,
            Self { emptied: true, .. } => Step::Clear,
            Self { fate: Fate::Rotate, .. } => Step::Rotate,
            Self { changed: true, .. } => Step::Update,
            Self { renewal_due: true, .. } => Step::Renew,
            _ => Step::Nothing,
        }
    }
}

impl Header {
    /// When the session ends unless it is renewed, in milliseconds since the
    /// Unix epoch.
    pub(crate) fn expires_at(self, settings: &Settings) -> u64 {
        let idle = self.renewed_at + settings.idle_timeout.as_millis();
        idle.min(self.ends_at(settings))
    }

    /// When the absolute timeout ends the session.
    fn ends_at(self, settings: &Settings) -> u64 {
        self.created_at + settings.absolute_timeout.as_millis()
    }

    /// Whether a timeout has ended the session.
    pub(crate) fn is_over(self, settings: &Settings, now: u64) -> bool {
        let ends = match settings.renewal {
            // The store alone knows when it was last used.
            Renewal::EveryRequest => self.ends_at(settings),
            Renewal::WhenBelow(_) | Renewal::Never => self.expires_at(settings),
        };
        ends <= now
    }

    /// The header of a record that was just loaded, and postponed with it.
    pub(crate) fn as_loaded(self, settings: &Settings, now: u64) -> Self {
        match settings.renewal {
            Renewal::EveryRequest => Self { renewed_at: now, ..self },
            Renewal::WhenBelow(_) | Renewal::Never => self,
        }
    }

    /// Whether a use now lets the idle timeout begin anew.
    pub(crate) fn is_renewal_due(self, settings: &Settings, now: u64) -> bool {
        match settings.renewal {
            // The load has renewed it, or nothing does.
            Renewal::EveryRequest | Renewal::Never => false,
            Renewal::WhenBelow(share) => {
                let left = self.expires_at(settings).saturating_sub(now);
                // Near the absolute timeout there is nothing left to renew.
                left < share.of(settings.idle_timeout)
                    && self.expires_at(settings) < self.ends_at(settings)
            }
        }
    }

    /// The time that is left; at least a millisecond.
    pub(crate) fn ttl(self, settings: &Settings, now: u64) -> Ttl {
        let left = self.expires_at(settings).saturating_sub(now);
        Ttl::from_millis(left.clamp(Ttl::MIN.as_millis(), Ttl::MAX.as_millis()))
            .unwrap_or(settings.idle_timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: Situation = Situation {
        stored: false,
        changed: false,
        emptied: false,
        renewal_due: false,
        fate: Fate::Keep,
        failed: false,
    };
    const LOADED: Situation = Situation { stored: true, ..NEW };

    #[test]
    fn a_new_session_is_stored_only_when_it_was_changed() {
        assert_eq!(NEW.step(), Step::Nothing);
        assert_eq!(Situation { fate: Fate::Rotate, ..NEW }.step(), Step::Nothing);
        assert_eq!(Situation { changed: true, ..NEW }.step(), Step::Create);
        assert_eq!(Situation { changed: true, fate: Fate::Rotate, ..NEW }.step(), Step::Create);
    }

    #[test]
    fn a_loaded_session_is_written_only_when_there_is_a_reason() {
        assert_eq!(LOADED.step(), Step::Nothing);
        assert_eq!(Situation { renewal_due: true, ..LOADED }.step(), Step::Renew);
        assert_eq!(Situation { changed: true, renewal_due: true, ..LOADED }.step(), Step::Update);
        assert_eq!(Situation { fate: Fate::Rotate, ..LOADED }.step(), Step::Rotate);
        assert_eq!(Situation { fate: Fate::Rotate, changed: true, ..LOADED }.step(), Step::Rotate);
    }

    #[test]
    fn an_emptied_session_is_removed_and_never_made() {
        for fate in [Fate::Keep, Fate::Rotate] {
            let emptied = Situation { changed: true, emptied: true, fate, ..NEW };
            assert_eq!(emptied.step(), Step::Nothing);
            assert_eq!(Situation { stored: true, ..emptied }.step(), Step::Clear);
            assert_eq!(Situation { stored: true, failed: true, ..emptied }.step(), Step::Nothing);
        }
    }

    #[test]
    fn a_failed_response_saves_nothing_but_destroys_all_the_same() {
        for fate in [Fate::Keep, Fate::Rotate] {
            let failed =
                Situation { failed: true, changed: true, renewal_due: true, fate, ..LOADED };
            assert_eq!(failed.step(), Step::Nothing);
            assert_eq!(Situation { stored: false, ..failed }.step(), Step::Nothing);
        }
        let destroyed = Situation { failed: true, fate: Fate::Destroy, ..LOADED };
        assert_eq!(destroyed.step(), Step::Remove);
    }

    #[test]
    fn a_session_that_ended_is_never_written_again() {
        for fate in [Fate::Ended, Fate::Late] {
            let ended = Situation { changed: true, renewal_due: true, fate, ..LOADED };
            assert_eq!(ended.step(), Step::Nothing);
            assert_eq!(Situation { stored: false, ..ended }.step(), Step::Nothing);
        }
    }

    fn settings(idle: Ttl, absolute: Ttl) -> Settings {
        Settings { idle_timeout: idle, absolute_timeout: absolute, ..Settings::default() }
    }

    const HEADER: Header = Header { created_at: 0, renewed_at: 0, permanent: true };

    #[test]
    fn a_session_is_renewed_when_less_than_80_percent_of_the_idle_timeout_is_left() {
        let settings = settings(Ttl::seconds(100), Ttl::days(1));
        assert!(!HEADER.is_renewal_due(&settings, 20_000));
        assert!(HEADER.is_renewal_due(&settings, 20_001));
    }

    #[test]
    fn the_idle_and_the_absolute_timeout_both_end_a_session() {
        let settings = settings(Ttl::seconds(100), Ttl::seconds(150));
        assert!(!HEADER.is_over(&settings, 99_999));
        assert!(HEADER.is_over(&settings, 100_000));

        let renewed = Header { renewed_at: 90_000, ..HEADER };
        assert!(!renewed.is_over(&settings, 149_999));
        assert!(renewed.is_over(&settings, 150_000));
        assert_eq!(renewed.ttl(&settings, 149_000), Ttl::seconds(1));
        assert!(!renewed.is_renewal_due(&settings, 149_000), "nothing is left to renew");
    }
}
