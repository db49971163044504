use std::convert::Infallible;

use cloakroom::store::{Create, Key, Loaded, Store, Update};
use cloakroom::Ttl;

struct Shelf;

impl Store for Shelf {
    type Error = Infallible;
    type Value = Vec<u8>;
    type Revision = u64;

    async fn load(&self, _key: &Key, _extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        Ok(None)
    }

    async fn create(
        &self,
        _key: &Key,
        _value: &[u8],
        _ttl: Ttl,
    ) -> Result<Create<u64>, Infallible> {
        Ok(Create::KeyTaken)
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
