//! What a record says beside the session data: [`Header`].

use crate::ttl::Ttl;

/// How long a note stays under the key of a session that ended or moved: longer
/// than a request takes.
pub(crate) const NOTE_TTL: Ttl = Ttl::minutes(1);

/// What a record says beside the session data.
///
/// A record that is shared with Flask says nothing about times. Its header has
/// those of the last load or write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "a part of a sealed trait")]
pub struct Header {
    /// Unix milliseconds.
    pub(crate) created_at: u64,
    /// When the idle lifetime last began to run, in Unix milliseconds.
    pub(crate) renewed_at: u64,
    /// The idle lifetime that began to run then, in milliseconds.
    pub(crate) idle_millis: u64,
    /// The absolute end, in Unix milliseconds.
    pub(crate) ends_at: u64,
    /// Whether the cookie outlives the browser.
    pub(crate) permanent: bool,
    /// Whether the session has lifetimes of its own, which no setting changes.
    pub(crate) own_lifetimes: bool,
    /// Whether loads renew the session, so that only the store knows its last use.
    pub(crate) loads_renew: bool,
}

impl Header {
    /// When the session ends unless it is used, in Unix milliseconds, as far as
    /// the record says it.
    pub(crate) const fn expires_at(self) -> u64 {
        let idle_end = self.renewed_at.saturating_add(self.idle_millis);
        if self.loads_renew || idle_end > self.ends_at { self.ends_at } else { idle_end }
    }

    /// When the session ends unless it is used again after `used_at`, in Unix
    /// milliseconds.
    pub(crate) fn expires_after_use(self, used_at: u64) -> u64 {
        let renewed_at = if self.loads_renew { used_at } else { self.renewed_at.min(used_at) };
        renewed_at.saturating_add(self.idle_millis).min(self.ends_at)
    }

    /// Whether the session is over at the time `now`, in Unix milliseconds.
    pub(crate) const fn is_over(self, now: u64) -> bool {
        self.expires_at() <= now
    }

    /// How long the store keeps a record with this header, written at `now`.
    pub(crate) fn ttl(self, now: u64) -> Ttl {
        let idle_begins = if self.loads_renew { now } else { self.renewed_at.min(now) };
        let end = idle_begins.saturating_add(self.idle_millis).min(self.ends_at);
        let left = end.saturating_sub(now).clamp(Ttl::MIN.as_millis(), Ttl::MAX.as_millis());
        Ttl::from_millis(left).unwrap_or(Ttl::MIN)
    }
}
