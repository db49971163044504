//! Slots that wait for the next request.

use std::sync::{Arc, Mutex};

use crate::codec::Codec;
use crate::config::Sessions;
use crate::session::slot::Slot;
use crate::signer::Signer;
use crate::store::Store;

/// The most slots that wait.
const MAX_WAITING: usize = 256;

/// The slots of finished requests. They are used again, so that a request which
/// ignores its session allocates no slot.
pub(super) struct Pool<S: Store, C: Codec, K> {
    sessions: Sessions<S, C, K>,
    waiting: Mutex<Vec<Arc<Slot<S, C, K>>>>,
}

impl<S: Store, C: Codec, K: Signer> Pool<S, C, K> {
    pub(super) const fn new(sessions: Sessions<S, C, K>) -> Self {
        Self { sessions, waiting: Mutex::new(Vec::new()) }
    }

    /// Nobody waits for the pool: where it is busy, a new slot is made.
    fn take(&self) -> Arc<Slot<S, C, K>> {
        let waiting = self.waiting.try_lock().ok().and_then(|mut waiting| waiting.pop());
        waiting.unwrap_or_else(|| Arc::new(Slot::new(self.sessions.clone())))
    }

    fn put(&self, mut slot: Arc<Slot<S, C, K>>) {
        // A slot that somebody still holds is theirs.
        let Some(free) = Arc::get_mut(&mut slot) else { return };
        free.reset();
        if let Ok(mut waiting) = self.waiting.try_lock()
            && waiting.len() < MAX_WAITING
        {
            waiting.push(slot);
        }
    }
}

/// A slot in use, which goes back to its pool.
pub(super) struct Lease<S: Store, C: Codec, K: Signer> {
    slot: Option<Arc<Slot<S, C, K>>>,
    pool: Arc<Pool<S, C, K>>,
}

impl<S: Store, C: Codec, K: Signer> Lease<S, C, K> {
    pub(super) fn new(pool: &Arc<Pool<S, C, K>>) -> Self {
        Self { slot: Some(pool.take()), pool: pool.clone() }
    }

    /// Present until the lease is dropped.
    pub(super) fn slot(&self) -> Option<&Arc<Slot<S, C, K>>> {
        self.slot.as_ref()
    }
}

impl<S: Store, C: Codec, K: Signer> Drop for Lease<S, C, K> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.pool.put(slot);
        }
    }
}
