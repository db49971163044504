//! A store that a Flask application shares: it is looked at, and written to,
//! behind the program's back.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloakroom::store::{Create, Loaded, Record, Update};
use cloakroom::{
    Codec, Config, Flask, Json, Key, MessagePack, Session, Sessions, Signer, Store, Ttl, Unsigned,
    Writable,
};
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use serde::{Deserialize, Serialize};

use crate::schedule::yield_once;

pub(crate) const SID: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// What this program knows of a session.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<u64>,
}

pub(crate) type Packed = Flask<MessagePack<Account>>;
pub(crate) type PackedSession = Session<Shelf, Packed, Unsigned>;
pub(crate) type PackedSessions = Sessions<Shelf, Packed, Unsigned>;

#[derive(Clone, Default)]
pub(crate) struct Shelf {
    rows: Arc<Mutex<Rows>>,
}

#[derive(Default)]
struct Rows {
    by_key: HashMap<String, Row>,
    writes: u64,
    calls: Vec<&'static str>,
}

#[derive(Clone)]
struct Row {
    value: Vec<u8>,
    revision: u64,
    ttl: Ttl,
}

impl Shelf {
    /// What Flask does: no matter what is there.
    pub(crate) fn put(&self, id: &str, value: &[u8]) {
        self.rows().put(format!("session:{id}"), value, Ttl::days(31));
    }

    pub(crate) fn put_hex(&self, id: &str, value: &str) {
        self.put(id, &hex(value));
    }

    pub(crate) fn delete(&self, id: &str) {
        self.rows().by_key.remove(&format!("session:{id}"));
    }

    pub(crate) fn get(&self, id: &str) -> Option<Vec<u8>> {
        self.rows().by_key.get(&format!("session:{id}")).map(|row| row.value.clone())
    }

    pub(crate) fn get_hex(&self, id: &str) -> Option<String> {
        self.get(id).map(|value| value.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(crate) fn ttl(&self, id: &str) -> Option<Ttl> {
        self.rows().by_key.get(&format!("session:{id}")).map(|row| row.ttl)
    }

    /// The ids of all records.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.rows().by_key.keys().map(|key| key.replace("session:", "")).collect()
    }

    /// The record has become a note that its session ended, which Flask takes for no
    /// session, for a minute.
    #[track_caller]
    pub(crate) fn assert_ended(&self, id: &str) {
        let note = self.get(id).expect("a note");
        assert!(note.starts_with(b"\x81\xaa_permanent\xb3ended:"), "{note:02x?}");
        assert_eq!(self.ttl(id), Some(Ttl::minutes(1)));
    }

    /// The calls since the last time.
    pub(crate) fn take_calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.rows().calls)
    }

    /// One operation, between two awaits.
    async fn call<T>(&self, name: &'static str, act: impl FnOnce(&mut Rows) -> T) -> T {
        yield_once().await;
        let done = {
            let mut rows = self.rows();
            rows.calls.push(name);
            act(&mut rows)
        };
        yield_once().await;
        done
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn put(&mut self, key: String, value: &[u8], ttl: Ttl) -> u64 {
        self.writes += 1;
        let row = Row { value: value.to_vec(), revision: self.writes, ttl };
        self.by_key.insert(key, row);
        self.writes
    }
}

impl Writable for Shelf {}

impl Store for Shelf {
    type Error = Infallible;
    type Value = Vec<u8>;
    type Revision = u64;

    async fn load(&self, key: &Key, extend: Option<Ttl>) -> Result<Loaded<Self>, Infallible> {
        let name = if extend.is_some() { "load and extend" } else { "load" };
        let key = key.as_str().to_owned();
        Ok(self
            .call(name, |rows| {
                let row = rows.by_key.get_mut(&key)?;
                row.ttl = extend.map_or(row.ttl, |ttl| ttl.max(row.ttl));
                Some(Record::new(row.value.clone(), row.revision))
            })
            .await)
    }

    async fn create(&self, key: &Key, value: &[u8], ttl: Ttl) -> Result<Create<u64>, Infallible> {
        Ok(self
            .call("create", |rows| match rows.by_key.contains_key(key.as_str()) {
                true => Create::KeyTaken,
                false => Create::Created(rows.put(key.as_str().to_owned(), value, ttl)),
            })
            .await)
    }

    async fn update(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &u64,
    ) -> Result<Update<u64>, Infallible> {
        Ok(self
            .call("update", |rows| match rows.by_key.get(key.as_str()) {
                None => Update::Gone,
                Some(row) if row.revision != *seen => Update::Conflict,
                Some(_) => Update::Updated(rows.put(key.as_str().to_owned(), value, ttl)),
            })
            .await)
    }

    async fn remove(&self, key: &Key) -> Result<Option<Vec<u8>>, Infallible> {
        Ok(self.call("remove", |rows| rows.by_key.remove(key.as_str()).map(|row| row.value)).await)
    }
}

pub(crate) fn packed(shelf: &Shelf) -> PackedSessions {
    Config::flask_session().store(shelf.clone()).data::<Account>().build()
}

pub(crate) fn json(shelf: &Shelf) -> Sessions<Shelf, Flask<Json<Account>>, Unsigned> {
    Config::flask_session().store(shelf.clone()).codec(Json::<Account>::new()).build()
}

/// The headers of a request with the cookie of an id.
pub(crate) fn with_cookie(id: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(COOKIE, format!("session={id}").parse().expect("a header"));
    headers
}

/// Closes a session, and hands out the cookie that was set.
pub(crate) async fn close<C: Codec, K: Signer>(session: Session<Shelf, C, K>) -> Option<String> {
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("the session is saved");
    cookie_in(&headers)
}

/// The cookie that a response sets.
pub(crate) fn cookie_in(response: &HeaderMap) -> Option<String> {
    response.get(SET_COOKIE).map(|cookie| cookie.to_str().expect("text").to_owned())
}

/// The id in a cookie that was set.
pub(crate) fn id_in(cookie: &str) -> String {
    let (pair, _) = cookie.split_once(';').expect("attributes");
    pair.strip_prefix("session=").expect("the cookie's name").to_owned()
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
}
