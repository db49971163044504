// What `#[async_trait]` makes of `async fn load` and the others.
use std::convert::Infallible;
use std::pin::Pin;

use cloakroom::store::{Create, Key, Loaded, Store, Update};
use cloakroom::Ttl;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Infallible>> + Send + 'a>>;

struct Shelf;

impl Store for Shelf {
    type Error = Infallible;
    type Value = Vec<u8>;
    type Revision = u64;

    fn load<'life0, 'life1, 'async_trait>(
        &'life0 self,
        _key: &'life1 Key,
        _extend: Option<Ttl>,
    ) -> Boxed<'async_trait, Loaded<Self>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { Ok(None) })
    }

    fn create<'life0, 'life1, 'life2, 'async_trait>(
        &'life0 self,
        _key: &'life1 Key,
        _value: &'life2 [u8],
        _ttl: Ttl,
    ) -> Boxed<'async_trait, Create<u64>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        'life2: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move { Ok(Create::KeyTaken) })
    }

    async fn update(
        &self,
        _key: &Key,
        _value: &[u8],
        _ttl: Ttl,
        _seen: &u64,
    ) -> Result<Update<u64>, Infallible> {
        Ok(Update::Gone)
    }

    async fn remove(&self, _key: &Key) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(None)
    }
}

fn main() {}
