//! Sessions with a counter, at any store.

use cloakroom::{Config, MessagePack, Session, Sessions, Ttl, Unsigned, Writable};
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counter {
    pub count: u64,
}

pub type CounterSessions<S> = Sessions<S, MessagePack<Counter>, Unsigned>;
pub type CounterSession<S> = Session<S, MessagePack<Counter>, Unsigned>;

pub fn sessions<S: Writable>(store: S) -> CounterSessions<S> {
    Config::new().store(store).data::<Counter>().idle_timeout(Ttl::hours(1)).build()
}

/// The headers of a browser that has just got a session.
pub async fn visit<S: Writable>(sessions: &CounterSessions<S>) -> HeaderMap {
    let mut session = open(sessions, &HeaderMap::new()).await;
    session.count = 1;
    let mut sent = HeaderMap::new();
    session.close(&mut sent).await.expect("a session is made");
    let cookie = sent[SET_COOKIE].to_str().expect("text");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    cookie_header(pair)
}

pub fn cookie_header(pair: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, pair.parse().expect("a header"))])
}

pub async fn open<S: Writable>(
    sessions: &CounterSessions<S>,
    headers: &HeaderMap,
) -> CounterSession<S> {
    sessions.open(headers).await.expect("the store answers")
}

pub async fn close<S: Writable>(session: CounterSession<S>) {
    session.close(&mut HeaderMap::new()).await.expect("the store answers");
}
