//! A store in memory for actix-session, as plain as that of tower-sessions: a
//! map behind a lock, which hands out copies and never removes expired sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use data_encoding::BASE64URL_NOPAD;

type State = HashMap<String, String>;

#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<HashMap<String, Record>>>);

struct Record {
    state: State,
    expires: Instant,
}

impl MemoryStore {
    fn put(&self, key: &SessionKey, state: State, ttl: Duration) {
        let record = Record { state, expires: Instant::now() + ttl };
        self.0.lock().expect("no panic under the lock").insert(key.as_ref().to_owned(), record);
    }
}

impl SessionStore for MemoryStore {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let records = self.0.lock().expect("no panic under the lock");
        let record = records.get(key.as_ref()).filter(|record| record.expires > Instant::now());
        Ok(record.map(|record| record.state.clone()))
    }

    async fn save(&self, state: State, ttl: &Duration) -> Result<SessionKey, SaveError> {
        let mut id = [0; 48];
        getrandom::fill(&mut id).expect("the system has randomness");
        let key = SessionKey::try_from(BASE64URL_NOPAD.encode(&id)).expect("64 characters");
        self.put(&key, state, *ttl);
        Ok(key)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        ttl: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        self.put(&key, state, *ttl);
        Ok(key)
    }

    async fn update_ttl(&self, key: &SessionKey, ttl: &Duration) -> Result<(), anyhow::Error> {
        let mut records = self.0.lock().expect("no panic under the lock");
        if let Some(record) = records.get_mut(key.as_ref()) {
            record.expires = Instant::now() + *ttl;
        }
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        self.0.lock().expect("no panic under the lock").remove(key.as_ref());
        Ok(())
    }
}
