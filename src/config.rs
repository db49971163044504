//! Putting a session configuration together: [`Config`].

mod conflicts;
#[cfg(feature = "messagepack")]
mod data;
#[cfg(feature = "flask")]
mod flask;
mod off;
mod queue;
mod sessions;
mod settings;
#[cfg(feature = "sweeper")]
mod sweeper;
mod times;

use std::fmt;
use std::marker::PhantomData;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(feature = "flask")]
pub use self::flask::WantsFlaskData;
pub(crate) use self::queue::Queue;
pub use self::sessions::Sessions;
pub use self::settings::Versions;
pub(crate) use self::settings::{OnConflict, Settings, UnsignedIds};
#[cfg(feature = "sweeper")]
pub use self::sweeper::Sweeper;
pub use self::times::SaysTimes;
use crate::clock::Clock;
use crate::codec::Codec;
use crate::cookie::Cookie;
use crate::id::IdLength;
use crate::record::Format;
use crate::renewal::Renewal;
use crate::secret::SecretKey;
use crate::signer::{HmacSha256, Signer, Unsigned};
use crate::store::{KeyPrefix, Store};
use crate::ttl::Ttl;

/// The state of a [`Config`] before [`store`](Config::store).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WantsStore;

/// The state of a [`Config`] before `data` or
/// [`codec`](Config::codec).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WantsData;

impl SaysTimes for WantsData {}

/// The state of a [`Config`] between [`signed`](Config::signed) and
/// [`secret_key`](Config::secret_key).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct WantsSecretKey;

/// The one state in which [`secret_key`](Config::secret_key) may be called; a
/// trait only for the sake of the compiler's message.
#[diagnostic::on_unimplemented(
    message = "a secret key was given, but signing is not on",
    label = "signing is off, or has its key already",
    note = "call `.signed()` before `.secret_key(...)`; older keys go to `.accept_older_key(...)`"
)]
pub trait AwaitsSecretKey: sealed::State {}

#[diagnostic::do_not_recommend]
impl AwaitsSecretKey for WantsSecretKey {}

/// A store, which [`build`](Config::build) asks for: every [`Store`] is one. A trait only
/// for the sake of the compiler's message.
#[diagnostic::on_unimplemented(
    message = "the configuration has no session store",
    label = "`{Self}` stands where a store belongs",
    note = "call `.store(...)` on the configuration, for example `.store(Memory::new())`"
)]
pub trait ChosenStore: Store {}

#[diagnostic::do_not_recommend]
impl<S: Store> ChosenStore for S {}

#[expect(unnameable_types, reason = "sealed: there is one such state")]
mod sealed {
    pub trait State {}
    impl State for super::WantsSecretKey {}
}

/// Builds a session configuration: choose a store, say what a session holds,
/// decide about signing, and [`build`](Self::build).
///
/// The type says what is still missing, so an incomplete configuration does not
/// compile, and a complete one cannot fail.
///
/// # Example
///
/// ```
/// # #[cfg(all(feature = "memory", feature = "postcard"))] {
/// use cloakroom::{Config, Memory, SecretKey, Ttl};
///
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Cart {
///     items: Vec<u32>,
/// }
///
/// let sessions = Config::new()
///     .store(Memory::new())
///     .data::<Cart>()
///     .signed()
///     .secret_key(SecretKey::generate()?)
///     .idle_timeout(Ttl::hours(2))
///     .absolute_timeout(Ttl::days(30))
///     .build();
/// # }
/// # Ok::<(), cloakroom::SecretKeyError>(())
/// ```
#[must_use = "a configuration does nothing until it is built"]
pub struct Config<S = WantsStore, C = WantsData, K = Unsigned> {
    store: S,
    signer: K,
    settings: Settings,
    codec: PhantomData<fn() -> C>,
}

impl Config {
    /// A configuration with every setting at its default, and nothing chosen.
    pub fn new() -> Self {
        Self {
            store: WantsStore,
            signer: Unsigned,
            settings: Settings::default(),
            codec: PhantomData,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, K> Config<WantsStore, C, K> {
    /// Where sessions are kept. Flask-Session's `SESSION_TYPE`.
    ///
    /// Sessions do not move to another store by themselves; their visitors are anonymous
    /// there, and keep the cookie. The guide
    /// [moves them](crate::guide::deployments#another-place-codec-or-cookie-name) in two
    /// deployments.
    pub fn store<S: Store>(self, store: S) -> Config<S, C, K> {
        Config { store, signer: self.signer, settings: self.settings, codec: PhantomData }
    }
}

impl<S, K> Config<S, WantsData, K> {
    /// What a session holds, and how it is encoded: for example
    /// `.codec(MessagePack::<Cart>::new())`. Flask-Session's
    /// `SESSION_SERIALIZATION_FORMAT`.
    ///
    /// Records of another codec are unreadable, and stay as they are: see
    /// [`is_unreadable`](crate::Session::is_unreadable). The guide
    /// [moves sessions](crate::guide::deployments#another-place-codec-or-cookie-name) to
    /// another codec in two deployments.
    pub fn codec<C: Codec>(self, codec: C) -> Config<S, C, K> {
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

impl<S, C> Config<S, C, Unsigned> {
    /// Signs the cookie, so that forged ids are refused without asking the
    /// store. From here the configuration does not build until
    /// [`secret_key`](Config::secret_key) is called. Flask-Session's
    /// `SESSION_USE_SIGNER`.
    ///
    /// Unsigned cookies lead to no session any more, and instances without the key refuse
    /// signed ones. While sessions live, [`sign_later`](Config::sign_later) comes first.
    ///
    /// # Default
    ///
    /// Unsigned.
    pub fn signed(self) -> Config<S, C, WantsSecretKey> {
        self.with_signer(WantsSecretKey)
    }
}

impl<S, C> Config<S, C, HmacSha256> {
    /// A key that is going to sign, and does not yet: the first of two steps to another
    /// key.
    ///
    /// 1. All instances accept the new key: `.secret_key(old).accept_next_key(new)`.
    /// 2. All instances sign with it: `.secret_key(new).accept_older_key(old)`.
    ///
    /// An instance that does not know the new key during the second step refuses its
    /// cookies. Their visitors are anonymous there, and keep the cookie.
    ///
    /// Cookies by this key stay as they are. By
    /// [`accept_older_key`](Self::accept_older_key), this instance would sign them with the
    /// old key again, and the others with the new one, at every request.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
    /// use cloakroom::{Config, Memory, MessagePack, SecretKey};
    ///
    /// let [old, new] = [SecretKey::generate()?, SecretKey::generate()?];
    /// let sessions = Config::new()
    ///     .store(Memory::new())
    ///     .codec(MessagePack::<u64>::new())
    ///     .signed()
    ///     .secret_key(old)
    ///     .accept_next_key(new)
    ///     .build();
    /// # }
    /// # Ok::<(), cloakroom::SecretKeyError>(())
    /// ```
    #[doc(alias("key rotation"))]
    pub fn accept_next_key(mut self, key: SecretKey) -> Self {
        self.signer.accept_next(&key);
        self
    }

    /// Leaves cookies unsigned for now, and accepts those that the key has signed: the
    /// first of three steps from unsigned to signed cookies.
    ///
    /// 1. All instances accept both, and sign none: `.signed().secret_key(key).sign_later()`.
    /// 2. All instances sign, and accept both for a while:
    ///    `.signed().secret_key(key).accept_unsigned_until(time)`.
    /// 3. When that time has come, the call goes: `.signed().secret_key(key)`.
    ///
    /// An instance of the first step sends what [`unsigned`](Self::unsigned) sends, and
    /// accepts every id, signed or not.
    ///
    /// Without the first step, the instances that do not know the key yet refuse signed
    /// cookies. Their visitors are anonymous there, and keep the cookie.
    ///
    /// # Default
    ///
    /// Every cookie is signed.
    pub fn sign_later(mut self) -> Self {
        self.settings.unsigned_ids = UnsignedIds::Issued;
        self
    }

    /// Signs, and accepts cookies without a signature until `time`: the second of three
    /// steps from unsigned to signed cookies. [`sign_later`](Self::sign_later) has them
    /// all.
    ///
    /// A use of a live session whose cookie has no signature has it signed, with a write.
    /// So take the longest idle timeout of any version from now: by then, sessions in use
    /// have signed cookies. Later, a cookie without a signature is refused, also while this
    /// call still stands there.
    ///
    /// Until then, a cookie does not need its signature. Signing refuses forged ids without
    /// asking the store, and makes the ids in a stolen store of
    /// [plain ids](Self::plain_ids_in_store) useless. Both begin at `time`, also for
    /// sessions whose cookies are signed before. An attacker gains nothing that unsigned
    /// cookies did not allow.
    ///
    /// # Default
    ///
    /// A cookie without a signature leads to no session.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// use cloakroom::{Config, Memory, MessagePack, SecretKey, Ttl};
    ///
    /// let deployed = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    /// let idle_timeout = Ttl::days(7);
    /// let sessions = Config::new()
    ///     .store(Memory::new())
    ///     .codec(MessagePack::<u64>::new())
    ///     .idle_timeout(idle_timeout)
    ///     .signed()
    ///     .secret_key(SecretKey::generate()?)
    ///     .accept_unsigned_until(deployed + idle_timeout.as_duration())
    ///     .build();
    /// # }
    /// # Ok::<(), cloakroom::SecretKeyError>(())
    /// ```
    pub fn accept_unsigned_until(mut self, time: SystemTime) -> Self {
        self.settings.unsigned_ids = UnsignedIds::AcceptedUntil(unix_millis(time));
        self
    }

    /// A key that signed in the past and is still accepted. May be called
    /// several times. Flask's `SECRET_KEY_FALLBACKS`.
    ///
    /// A use of a live session whose cookie it has signed has the cookie signed anew, by the
    /// newest key, with a write. When every server has had the new key for as long as the
    /// idle timeout, sessions in use have new cookies, and the older key can go. The guide's
    /// page on [deployments](crate::guide::deployments#signing-keys) has the order for
    /// several servers.
    #[doc(alias("key rotation", "secret_key_fallbacks"))]
    pub fn accept_older_key(mut self, key: SecretKey) -> Self {
        self.signer.accept_older(&key);
        self
    }
}

impl<S, C, K> Config<S, C, K> {
    /// The key that signs, once [`signed`](Config::signed) was called. Flask's
    /// `SECRET_KEY`.
    ///
    /// Another key refuses the cookies that this one has signed. While sessions live,
    /// [`accept_next_key`](Config::accept_next_key) comes first, and then
    /// [`accept_older_key`](Config::accept_older_key).
    #[doc(alias("key rotation"))]
    pub fn secret_key(self, key: SecretKey) -> Config<S, C, HmacSha256>
    where
        K: AwaitsSecretKey,
    {
        self.with_signer(HmacSha256::new(&key))
    }

    /// Leaves the cookie unsigned. The id's 256 random bits are what keeps
    /// sessions apart.
    pub fn unsigned(self) -> Config<S, C, Unsigned> {
        self.with_signer(Unsigned)
    }

    /// Signs with a [`Signer`] of your own.
    pub fn signer<N: Signer>(self, signer: N) -> Config<S, C, N> {
        self.with_signer(signer)
    }

    /// The cookie's name and attributes. Flask-Session's `SESSION_COOKIE_*`.
    ///
    /// Of several configurations for one host, each needs a name of its own:
    /// `Cookie::host(cookie_name!("admin"))`.
    ///
    /// Changed attributes count for the next cookie that is sent, and end no session.
    /// Another name ends the sessions that there are: browsers keep sending the old one.
    /// The guide [moves them](crate::guide::deployments#another-place-codec-or-cookie-name)
    /// in two deployments.
    ///
    /// Over plain HTTP, in development, the default does not arrive everywhere:
    /// `Cookie::unprefixed(cookie_name!("id")).insecure_for_development()`.
    ///
    /// # Default
    ///
    /// [`Cookie::default`]: `__Host-id; Path=/; Secure; HttpOnly;
    /// SameSite=Lax`.
    pub fn cookie<Kind>(mut self, cookie: Cookie<Kind>) -> Self {
        self.settings.cookie = cookie.into_parts();
        self
    }

    /// How long a session lives after its last use. Flask's
    /// `PERMANENT_SESSION_LIFETIME`.
    ///
    /// The server holds it, whatever the browser does with the cookie. With the
    /// default [`renewal`](Self::renewal), a use renews the time only when less
    /// than 80 % of it is left.
    ///
    /// A changed timeout counts from the next renewal on. It ends no session in use, also
    /// while instances with both settings run side by side.
    ///
    /// # Default
    ///
    /// 31 days, as in Flask.
    #[doc(alias("expiry", "max_age", "permanent_session_lifetime"))]
    pub fn idle_timeout(mut self, timeout: Ttl) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// How long a session lives after its creation or its last sign-in, however often it
    /// is used.
    ///
    /// A changed timeout counts for new sessions, and from the next sign-in on. To end
    /// sessions that there are, call [`not_before`](Self::not_before).
    ///
    /// Records that are shared with Flask do not say when a session began, so such a
    /// configuration does not have this setting.
    ///
    /// # Default
    ///
    /// 400 days: the longest that browsers keep a cookie.
    #[doc(alias("expiry", "max_age"))]
    pub fn absolute_timeout(mut self, timeout: Ttl) -> Self
    where
        C: SaysTimes,
    {
        self.settings.absolute_timeout = timeout;
        self
    }

    /// When a use of the session lets the idle timeout begin anew.
    ///
    /// Instances with different settings end none of each other's sessions. With
    /// [`Renewal::Never`] at all of them, a session ends an idle timeout after its last
    /// renewal by an instance from before.
    ///
    /// For sessions that Flask shares, whose records do not say when they were last
    /// used, [`Renewal::WhenBelow`] means [`Renewal::EveryRequest`], and with
    /// [`Renewal::Never`] every change renews.
    ///
    /// # Default
    ///
    /// When less than 80 % of it is left.
    #[doc(alias("renew", "rolling", "session_refresh_each_request"))]
    pub fn renewal(mut self, renewal: Renewal) -> Self {
        self.settings.renewal = renewal;
        self
    }

    /// Whether a new session's cookie outlives the browser. A session changes
    /// it for itself with `set_permanent`. Flask-Session's `SESSION_PERMANENT`.
    ///
    /// A changed setting counts for new sessions.
    ///
    /// # Default
    ///
    /// `true`, as in Flask-Session.
    #[doc(alias("remember_me", "session cookie"))]
    pub fn permanent(mut self, permanent: bool) -> Self {
        self.settings.permanent = permanent;
        self
    }

    /// How many random bytes a session id has. Flask-Session's
    /// `SESSION_ID_LENGTH`.
    ///
    /// Ids of another length lead to no session, unless
    /// [`accept_id_length`](Self::accept_id_length) names it. Their visitors are anonymous,
    /// and keep the cookie.
    ///
    /// # Default
    ///
    /// 32 bytes.
    pub fn id_length(mut self, length: IdLength) -> Self {
        self.settings.id_length = length;
        self
    }

    /// Also accepts ids of this length, which other instances make, or made in the past.
    /// May be called several times.
    ///
    /// 1. All instances accept both lengths: `.id_length(old).accept_id_length(new)`.
    /// 2. All instances make the new one: `.id_length(new).accept_id_length(old)`.
    /// 3. When the longest absolute timeout of any version has passed, the call goes. Until
    ///    then there are sessions with ids of the old length: only `rotate`, `sign_in` and
    ///    `restart` give a session a fresh id.
    ///
    /// # Default
    ///
    /// Only the length of [`id_length`](Self::id_length).
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
    /// use cloakroom::{Config, IdLength, Memory, MessagePack};
    ///
    /// let sessions = Config::new()
    ///     .store(Memory::new())
    ///     .codec(MessagePack::<u64>::new())
    ///     .id_length(IdLength::MAX)
    ///     .accept_id_length(IdLength::default())
    ///     .build();
    /// # }
    /// ```
    pub fn accept_id_length(mut self, length: IdLength) -> Self {
        self.settings.other_id_lengths.push(length);
        self
    }

    /// What stands in front of every id in the store. Flask-Session's
    /// `SESSION_KEY_PREFIX`.
    ///
    /// Under another prefix, the sessions that there are are not found; their visitors are
    /// anonymous, and keep the cookie. The guide
    /// [moves them](crate::guide::deployments#another-place-codec-or-cookie-name) in two
    /// deployments.
    ///
    /// # Default
    ///
    /// `session:`.
    pub fn key_prefix(mut self, prefix: KeyPrefix) -> Self {
        self.settings.key_prefix = prefix;
        self
    }

    /// Keeps sessions under their id itself instead of its SHA-256, for stores
    /// that another program reads. A reader of the store can then sign in as any user
    /// who has a live session.
    ///
    /// Sessions under a SHA-256 are not found then, nor the other way round; their visitors
    /// are anonymous, and keep the cookie. The guide
    /// [moves them](crate::guide::deployments#another-place-codec-or-cookie-name) in two
    /// deployments.
    ///
    /// # Default
    ///
    /// The store sees the SHA-256 of the id.
    pub fn plain_ids_in_store(mut self) -> Self {
        self.settings.plain_ids = true;
        self
    }

    /// Also reads ids that are UUIDs, in Python's notation, as Flask-Session before
    /// 0.6 made them. They have 122 random bits. New ids are never UUIDs.
    ///
    /// # Default
    ///
    /// Only what the generator of ids writes is one; `Config::flask_session` reads
    /// both.
    pub fn accept_uuid_ids(mut self) -> Self {
        self.settings.uuid_ids = true;
        self
    }

    /// Ends at once every session that was created, or last signed in, before this
    /// time: what to do after an incident. Lowering a timeout does not end sessions that
    /// there are.
    ///
    /// An instance without the setting still knows such a session, until the deployment is
    /// through.
    ///
    /// Records that are shared with Flask do not say when a session began, so such a
    /// configuration does not have this setting.
    ///
    /// # Default
    ///
    /// No session is too old.
    ///
    /// # Example
    ///
    /// ```
    /// # #[cfg(all(feature = "memory", feature = "messagepack"))] {
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// use cloakroom::{Config, Memory, MessagePack};
    ///
    /// let leak_was_closed = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    /// let sessions = Config::new()
    ///     .store(Memory::new())
    ///     .codec(MessagePack::<u64>::new())
    ///     .not_before(leak_was_closed)
    ///     .build();
    /// # }
    /// ```
    #[doc(alias = "invalidate")]
    pub fn not_before(mut self, time: SystemTime) -> Self
    where
        C: SaysTimes,
    {
        self.settings.not_before = Some(unix_millis(time));
        self
    }

    /// Begins a new session wherever this program cannot read the record of the one
    /// that the request presents. The visitors of such sessions lose what is in them.
    ///
    /// # Default
    ///
    /// The record belongs to another version of the program: the visitor is anonymous
    /// for this one, and nothing that a handler changes is saved, unless it calls
    /// `sign_in`, `restart` or `destroy`.
    pub fn replace_unreadable(mut self) -> Self {
        self.settings.replace_unreadable = true;
        self
    }

    /// Where the time comes from. A store that keeps time itself takes the same
    /// clock.
    ///
    /// # Default
    ///
    /// The system's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.settings.clock = clock;
        self
    }

    /// The finished configuration. It cannot fail, and cannot be changed any
    /// more.
    #[must_use]
    pub fn build(self) -> Sessions<S, C, K>
    where
        S: ChosenStore,
        C: Codec,
        K: Signer,
    {
        let renewal = C::Record::renewal(self.settings.renewal);
        let settings = Settings { renewal, ..self.settings };
        Sessions::new(self.store, self.signer, settings)
    }

    fn with_signer<N>(self, signer: N) -> Config<S, C, N> {
        // What was said about the cookies of another signer does not count for this one.
        let settings = Settings { unsigned_ids: UnsignedIds::Refused, ..self.settings };
        Config { store: self.store, signer, settings, codec: PhantomData }
    }
}

/// Times before 1970 count as 1970.
fn unix_millis(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

impl<S, C, K> fmt::Debug for Config<S, C, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("settings", &self.settings).finish_non_exhaustive()
    }
}
