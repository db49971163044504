//! Live records that a full store removes: [`Evictions`].

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How long the store says nothing after it has warned, in milliseconds.
const PAUSE: u64 = 60_000;

/// Warns of them, once a minute at most: each is a user who is signed out.
#[derive(Default)]
pub(super) struct Evictions {
    /// Those that no warning has counted yet.
    removed: AtomicU64,
    /// When the last warning was, in milliseconds since the Unix epoch.
    warned: AtomicU64,
}

impl Evictions {
    /// A store has removed live records. `remedy` is the setting that keeps more.
    pub(super) fn happened(&self, records: usize, now: u64, store: &str, remedy: &str) {
        if records == 0 {
            return;
        }
        self.removed.fetch_add(records as u64, Relaxed);
        let due = |last: u64| (last == 0 || now.abs_diff(last) >= PAUSE).then_some(now);
        // One of several threads gets to say it.
        if self.warned.fetch_update(Relaxed, Relaxed, due).is_ok() {
            let removed = self.removed.swap(0, Relaxed);
            tracing::warn!(
                store,
                removed,
                "the store is full: live sessions were removed to make room for new ones, and \
                 their users are signed out; {remedy}",
            );
        }
    }
}
