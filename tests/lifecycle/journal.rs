//! A store in memory that writes down what is asked of it.

use std::convert::Infallible;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use cloakroom::store::{Create, Loaded, MemoryRevision, Update};
use cloakroom::{Clock, Key, Memory, Store, Sweep, Ttl, Writable};

#[derive(Clone, Debug)]
pub(crate) struct Journal {
    memory: Memory,
    written: Arc<Mutex<Written>>,
}

#[derive(Debug, Default)]
struct Written {
    calls: Vec<&'static str>,
    keys: Vec<Key>,
}

impl Journal {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self { memory: Memory::new().clock(clock.clone()), written: Arc::default() }
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        mem::take(&mut self.written().calls)
    }

    pub(crate) fn len(&self) -> usize {
        self.memory.len()
    }

    /// How many records are those of sessions, and how many say that one ended or moved.
    pub(crate) async fn sessions_and_notes(&self) -> (usize, usize) {
        let keys = self.written().keys.clone();
        let (mut sessions, mut notes) = (0, 0);
        for key in keys {
            let Ok(record) = self.memory.load(&key, None).await;
            match record.map(|record| record.value[1] & 6) {
                None => {}
                Some(0) => sessions += 1,
                Some(_) => notes += 1,
            }
        }
        (sessions, notes)
    }

    /// Puts `value` in the place of every record.
    pub(crate) async fn overwrite_all(&self, value: &[u8]) {
        let keys = self.written().keys.clone();
        for key in keys {
            if let Ok(Some(_)) = self.memory.remove(&key).await {
                let made = self.memory.create(&key, value, Ttl::MAX).await;
                assert!(matches!(made, Ok(Create::Created(_))));
            }
        }
    }

    fn note(&self, call: &'static str) {
        self.written().calls.push(call);
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writable for Journal {}

impl Store for Journal {
    type Error = Infallible;
    type Value = <Memory as Store>::Value;
    type Revision = MemoryRevision;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        self.note(if extend.is_some() { "load and extend" } else { "load" });
        self.memory.load(key, extend).await
    }

    async fn create(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
    ) -> Result<Create<MemoryRevision>, Infallible> {
        self.note("create");
        self.written().keys.push(key.clone());
        self.memory.create(key, value, ttl).await
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &MemoryRevision,
    ) -> Result<Update<MemoryRevision>, Infallible> {
        self.note("update");
        self.memory.update(key, value, ttl, seen).await
    }

    async fn remove(&self, key: &Key) -> Result<Option<Self::Value>, Infallible> {
        self.note("remove");
        self.memory.remove(key).await
    }
}

impl Sweep for Journal {
    async fn sweep(&self) -> Result<u64, Infallible> {
        self.note("sweep");
        self.memory.sweep().await
    }
}
