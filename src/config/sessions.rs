//! The finished configuration: [`Sessions`].

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Queue, Settings};
use crate::codec::Codec;
use crate::id::SessionId;
use crate::signer::Signer;
use crate::store::{Key, Store, Sweep};

/// The finished, immutable configuration: opens sessions, and makes the layer
/// that does it for every request.
///
/// Clones are cheap and share the store.
pub struct Sessions<S, C, K> {
    inner: Arc<Inner<S, K>>,
    codec: PhantomData<fn() -> C>,
}

struct Inner<S, K> {
    store: S,
    signer: K,
    settings: Settings,
    queue: Queue,
}

impl<S: Store, C: Codec, K: Signer> Sessions<S, C, K> {
    pub(super) fn new(store: S, signer: K, settings: Settings) -> Self {
        let inner = Inner { store, signer, settings, queue: Queue::default() };
        Self { inner: Arc::new(inner), codec: PhantomData }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.inner.store
    }

    /// Removes the records whose time is over, once, and says how many they
    /// were.
    ///
    /// For a store that does not do it along the way, such as `File`.
    /// `sweep_every` does it again and again.
    ///
    /// # Errors
    ///
    /// The error of the store.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # use cloakroom::{Codec, Sessions, Signer, Sweep};
    /// # async fn example<S: Sweep, C: Codec, K: Signer>(
    /// #     sessions: &Sessions<S, C, K>,
    /// # ) -> Result<(), S::Error> {
    /// let removed = sessions.sweep().await?;
    /// println!("{removed} sessions had expired");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sweep(&self) -> Result<u64, S::Error>
    where
        S: Sweep,
    {
        self.store().sweep().await
    }

    /// Whether the other is a clone of this one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    pub(crate) fn signer(&self) -> &K {
        &self.inner.signer
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Where requests wait that try again after a conflict.
    pub(crate) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// Writes the key of an id.
    pub(crate) fn set_key(&self, key: &mut Key, id: &SessionId) {
        let settings = self.settings();
        match settings.plain_ids {
            false => key.set_hashed(&settings.key_prefix, &settings.cookie.name, id),
            true => key.set_plain(&settings.key_prefix, id),
        }
    }
}

impl<S, C, K> Clone for Sessions<S, C, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), codec: PhantomData }
    }
}

impl<S, C, K> fmt::Debug for Sessions<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}
