//! What happens when two requests change a session at the same time.

use std::sync::Arc;

use super::{Config, OnConflict, Versions};
use crate::codec::Codec;

impl<S, C, K> Config<S, C, K> {
    /// Answers 409 when another request changed the session at the same time,
    /// and saves nothing.
    ///
    /// # Default
    ///
    /// The two changes are merged field by field: what only the other request
    /// changed is kept, what this one changed wins. Data that are not a struct
    /// (or, with a codec of named fields, a map) count as one field.
    pub fn reject_conflicts(mut self) -> Self {
        self.settings.on_conflict = OnConflict::Reject;
        self
    }

    /// Brings conflicting changes together with a function of your own, which must
    /// not panic, and runs while other requests wait that change the session: it
    /// must not block on one of them.
    ///
    /// A `save` whose future was dropped, and which is then repeated, may meet its
    /// own change as that of another request. A function that adds numbers up
    /// would then add twice; `Session::update` does not.
    ///
    /// # Default
    ///
    /// As in [`reject_conflicts`](Self::reject_conflicts).
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "postcard"))] {
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Cart { items: Vec<u32> }
    /// use cloakroom::{Config, Memory};
    ///
    /// let sessions = Config::new()
    ///     .store(Memory::new())
    ///     .data::<Cart>()
    ///     .merge_conflicts_with(|versions| {
    ///         let added = versions.mine.items.into_iter().skip(versions.base.items.len());
    ///         let mut merged = versions.theirs;
    ///         merged.items.extend(added);
    ///         merged
    ///     })
    ///     .build();
    /// # }
    /// ```
    pub fn merge_conflicts_with<F>(mut self, merge: F) -> Self
    where
        C: Codec,
        F: Fn(Versions<C::Data>) -> C::Data + Send + Sync + 'static,
    {
        self.settings.on_conflict = OnConflict::Custom(Arc::new(move |base, mine, theirs| {
            bring_together::<C>(&merge, [base, mine, theirs])
        }));
        self
    }
}

/// Merges encoded data with a function of the application's. `None` when the
/// codec fails.
fn bring_together<C: Codec>(
    merge: impl Fn(Versions<C::Data>) -> C::Data,
    [base, mine, theirs]: [&[u8]; 3],
) -> Option<Vec<u8>> {
    let versions =
        Versions::new(C::decode(base).ok()?, C::decode(mine).ok()?, C::decode(theirs).ok()?);
    let mut before = Vec::new();
    C::encode(&versions.theirs, &mut before).ok()?;
    let mut merged = Vec::new();
    C::encode(&merge(versions), &mut merged).ok()?;
    // The record of the other request may hold what this program does not know.
    let mut retained = Vec::new();
    C::retain(Some(&before), &merged, theirs, &mut retained).ok()?;
    Some(retained)
}
