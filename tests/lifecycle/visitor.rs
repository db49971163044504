//! A browser with one cookie, in front of an application.

use std::collections::HashMap;

use cloakroom::{Clock, Config, Error, MessagePack, Session, Sessions, Ttl, Unsigned};
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use serde::{Deserialize, Serialize};

use crate::journal::Journal;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) user: Option<String>,
    pub(crate) visits: u32,
    pub(crate) cart: Vec<u32>,
    pub(crate) labels: HashMap<String, u32>,
}

pub(crate) type AccountSession = Session<Journal, MessagePack<Account>, Unsigned>;
pub(crate) type AccountSessions = Sessions<Journal, MessagePack<Account>, Unsigned>;

/// A browser with one cookie, and the application's configuration.
pub(crate) struct Visitor {
    pub(crate) sessions: AccountSessions,
    pub(crate) clock: Clock,
    pub(crate) cookies: HeaderMap,
}

impl Visitor {
    pub(crate) fn new() -> Self {
        Self::configured(|config| config)
    }

    pub(crate) fn configured(
        settings: impl FnOnce(
            Config<Journal, MessagePack<Account>>,
        ) -> Config<Journal, MessagePack<Account>>,
    ) -> Self {
        let clock = Clock::manual();
        let config = Config::new()
            .store(Journal::new(&clock))
            .data::<Account>()
            .idle_timeout(Ttl::hours(1))
            .absolute_timeout(Ttl::days(1))
            .clock(clock.clone());
        Self { sessions: settings(config).build(), clock, cookies: HeaderMap::new() }
    }

    /// A visitor whose session holds one visit; the journal is empty again.
    pub(crate) async fn returning() -> Self {
        Self::new().returned().await
    }

    pub(crate) async fn returned(mut self) -> Self {
        let mut session = self.open().await;
        session.visits = 1;
        self.close(session).await;
        self.calls();
        self
    }

    pub(crate) async fn open(&self) -> AccountSession {
        self.sessions.open(&self.cookies).await.expect("the store answers")
    }

    /// Closes a session, takes the cookie as a browser would, and says what was
    /// sent.
    pub(crate) async fn close(&mut self, session: AccountSession) -> Sent {
        let mut headers = HeaderMap::new();
        session.close(&mut headers).await.expect("the session is saved");
        assert_eq!(headers["vary"], "cookie");
        self.keep(&headers)
    }

    /// Closes a session that has ended meanwhile: an error, which sends nothing.
    pub(crate) async fn close_refused(&mut self, session: AccountSession) {
        let mut headers = HeaderMap::new();
        let refused = session.close(&mut headers).await;
        assert!(matches!(refused, Err(Error::Ended)), "{refused:?}");
        assert!(headers.is_empty(), "{headers:?}");
    }

    /// Takes the cookie of a response, and says what was sent.
    pub(crate) fn keep(&mut self, response: &HeaderMap) -> Sent {
        let Some(cookie) = response.get(SET_COOKIE) else { return Sent::Nothing };
        let cookie = cookie.to_str().expect("text");
        if cookie.contains("Max-Age=0") {
            self.cookies.remove(COOKIE);
            return Sent::Removal;
        }
        let (pair, _) = cookie.split_once(';').expect("attributes");
        self.cookies.insert(COOKIE, pair.parse().expect("a header"));
        Sent::Cookie
    }

    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.sessions.store().take_calls()
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Sent {
    Nothing,
    Cookie,
    Removal,
}
