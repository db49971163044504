//! The configuration that a Flask application shares.

use std::marker::PhantomData;

use super::{Config, Settings, WantsStore};
use crate::codec::{Flask, MessagePack, NamedFields, SessionData};
use crate::cookie::Cookie;
use crate::renewal::Renewal;
use crate::signer::Unsigned;

/// The state of a [`Config`] between [`flask_session`](Config::flask_session) and
/// `data` or `codec`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WantsFlaskData;

impl Config<WantsStore, WantsFlaskData, Unsigned> {
    /// Sessions that a Flask application with Flask-Session 0.7 or newer shares:
    /// a user who is signed in there is signed in here, with the same cookie and the
    /// same record, and the other way round.
    ///
    /// # Default
    ///
    /// Flask-Session's:
    ///
    /// - The cookie is `session; Path=/; HttpOnly`, **not `Secure` and without
    ///   `SameSite`**, and unsigned: it travels over plain HTTP, where a listener on
    ///   the way can read it, and some browsers send it along with requests of other
    ///   sites. To make it safe, call
    ///   `.cookie(Cookie::unprefixed(cookie_name!("session")))` here, and set
    ///   `SESSION_COOKIE_SECURE = True` and `SESSION_COOKIE_SAMESITE = "Lax"` in
    ///   Flask's configuration.
    /// - Ids stand in the store as they are, behind `session:`. A reader of the
    ///   store can sign in as any user. Where cookies are signed, that takes the secret
    ///   as well.
    /// - Sessions live for 31 days, and every request that opens one renews it
    ///   ([`Renewal::EveryRequest`]). There is no absolute timeout, since Flask's
    ///   records do not say when a session began.
    /// - Ids that are UUIDs, as old versions of Flask-Session made them, are read
    ///   ([`accept_uuid_ids`](Config::accept_uuid_ids)).
    ///
    /// [`Flask`] says how records are read and written. The guide has all settings
    /// and what does not carry over.
    ///
    /// # Example
    ///
    /// `store` is the one that Flask uses, such as `Redis` of the crate `cloakroom-redis`.
    ///
    /// ```
    /// use cloakroom::signer::ItsdangerousError;
    /// use cloakroom::{Config, Cookie, Flask, Itsdangerous, MessagePack, Sessions, cookie_name};
    ///
    /// #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// #[serde(default)]
    /// struct Account {
    ///     #[serde(skip_serializing_if = "Option::is_none")]
    ///     user_id: Option<u64>,
    /// }
    ///
    /// type FlaskSessions<S> = Sessions<S, Flask<MessagePack<Account>>, Itsdangerous>;
    ///
    /// fn sessions<S: cloakroom::Store>(store: S) -> Result<FlaskSessions<S>, ItsdangerousError> {
    ///     Ok(Config::flask_session()
    ///         .store(store)
    ///         .data::<Account>()
    ///         .signer(Itsdangerous::from_env("SECRET_KEY")?) // where SESSION_USE_SIGNER is on
    ///         .cookie(Cookie::unprefixed(cookie_name!("session")))
    ///         .build())
    /// }
    /// ```
    pub fn flask_session() -> Self {
        let cookie = Cookie::unprefixed(crate::cookie_name!("session"));
        let settings = Settings {
            cookie: cookie.without_same_site().insecure_for_development().into_parts(),
            renewal: Renewal::EveryRequest,
            plain_ids: true,
            uuid_ids: true,
            ..Settings::default()
        };
        Self { store: WantsStore, signer: Unsigned, settings, codec: PhantomData }
    }
}

impl<S, K> Config<S, WantsFlaskData, K> {
    /// What this program reads and writes of a session, in MessagePack,
    /// Flask-Session's default; short for `.codec(MessagePack::<T>::new())`.
    pub fn data<T: SessionData>(self) -> Config<S, Flask<MessagePack<T>>, K> {
        self.codec(MessagePack::new())
    }

    /// What this program reads and writes of a session, and in which format:
    /// `MessagePack::<T>::new()`, or `Json::<T>::new()` where Flask-Session's
    /// `SESSION_SERIALIZATION_FORMAT` is `json`.
    pub fn codec<C: NamedFields>(self, codec: C) -> Config<S, Flask<C>, K> {
        // Codecs have no state: the value only names the type.
        drop(codec);
        Config {
            store: self.store,
            signer: self.signer,
            settings: self.settings,
            codec: PhantomData,
        }
    }
}
