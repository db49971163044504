//! A store behind an [`Arc`]: what two configurations share, or a test looks into.

use std::sync::Arc;

use super::{Create, Key, Loaded, Store, Sweep, Update, Writable};
use crate::ttl::Ttl;

/// The store itself: every operation goes to it, and so do its errors.
#[diagnostic::do_not_recommend]
impl<S: Store> Store for Arc<S> {
    type Error = S::Error;
    type Value = S::Value;
    type Revision = S::Revision;

    fn load(
        &self,
        key: &Key,
        extend: Option<Ttl>,
    ) -> impl Future<Output = Result<Loaded<Self>, S::Error>> + Send {
        S::load(self, key, extend)
    }

    fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> impl Future<Output = Result<Create<S::Revision>, S::Error>> + Send {
        S::create(self, key, value, ttl)
    }

    fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &S::Revision,
    ) -> impl Future<Output = Result<Update<S::Revision>, S::Error>> + Send {
        S::update(self, key, value, ttl, seen)
    }

    fn remove(&self, key: &Key) -> impl Future<Output = Result<Option<S::Value>, S::Error>> + Send {
        S::remove(self, key)
    }
}

#[diagnostic::do_not_recommend]
impl<S: Writable> Writable for Arc<S> {}

#[diagnostic::do_not_recommend]
impl<S: Sweep> Sweep for Arc<S> {
    fn sweep(&self) -> impl Future<Output = Result<u64, S::Error>> + Send {
        S::sweep(self)
    }
}
