//! A store without records.

use std::convert::Infallible;

use super::{Create, Key, Loaded, Store, Update};
use crate::ttl::Ttl;

/// Keeps nothing: reading a session gives the default data, and changing one
/// does not compile.
///
/// For pages that are built with sessions in mind but must run without, and
/// for tests.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Null;

impl Null {
    /// The store.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[diagnostic::do_not_recommend]
impl Store for Null {
    type Error = Infallible;
    type Value = [u8; 0];
    type Revision = ();

    async fn load(&self, _: &Key, _: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        Ok(None)
    }

    async fn create(&self, _: &Key, _: &[u8], _: Ttl) -> Result<Create<()>, Infallible> {
        Ok(Create::Created(()))
    }

    async fn update(&self, _: &Key, _: &[u8], _: Ttl, _: &()) -> Result<Update<()>, Infallible> {
        Ok(Update::Gone)
    }

    async fn remove(&self, _: &Key) -> Result<Option<[u8; 0]>, Infallible> {
        Ok(None)
    }
}
