//! A store in memory that tells a watcher of every call.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use cloakroom::store::{Create, Loaded, MemoryRevision, Update};
use cloakroom::{Key, Memory, Store, Ttl, Writable};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Load,
    Create,
    Update,
    Remove,
}

/// What a [`Watched`] store does beside its work.
pub(crate) trait Watch: Send + Sync + 'static {
    /// Called before the operation. On an error, nothing is done at the store.
    fn before(&self, op: Op, key: &Key) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Called when the operation is done, before its reply is handed out.
    fn after(&self) -> impl Future<Output = ()> + Send;
}

/// The fault of a store that is out of order.
#[derive(Debug, thiserror::Error)]
#[error("the store is out of order")]
pub(crate) struct Fault(#[from] io::Error);

pub(crate) struct Watched<W> {
    pub(crate) memory: Memory,
    pub(crate) watch: Arc<W>,
}

impl<W: Watch> Watched<W> {
    pub(crate) fn new(memory: Memory, watch: W) -> Self {
        Self { memory, watch: Arc::new(watch) }
    }

    async fn watch<T>(
        &self,
        op: Op,
        key: &Key,
        call: impl Future<Output = Result<T, Infallible>> + Send,
    ) -> Result<T, Fault>
    where
        T: Send,
    {
        self.watch.before(op, key).await?;
        let done = call.await.map_err(|never| match never {});
        self.watch.after().await;
        done
    }
}

impl<W> Clone for Watched<W> {
    fn clone(&self) -> Self {
        Self { memory: self.memory.clone(), watch: self.watch.clone() }
    }
}

impl<W: Watch> Writable for Watched<W> {}

impl<W: Watch> Store for Watched<W> {
    type Error = Fault;
    type Value = <Memory as Store>::Value;
    type Revision = MemoryRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Fault> {
        self.watch(Op::Load, key, self.memory.load(key, extend)).await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<MemoryRevision>, Fault> {
        self.watch(Op::Create, key, self.memory.create(key, value, ttl)).await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &MemoryRevision,
    ) -> Result<Update<MemoryRevision>, Fault> {
        self.watch(Op::Update, key, self.memory.update(key, value, ttl, seen)).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Self::Value>, Fault> {
        self.watch(Op::Remove, key, self.memory.remove(key)).await
    }
}
