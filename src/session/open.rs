//! Opening a session: what the request's cookies lead to.

use super::address::Address;
use super::candidates::{Candidate, candidates};
use super::state::{DueCookie, Live, Moved, Place, State, Stored};
use crate::codec::{Codec, Undecodable};
use crate::config::Sessions;
use crate::cookie::Credentials;
use crate::error::Error;
use crate::record::{Contents, CookieEnds, Destination, Format, NOTE_TTL, Unreadable};
use crate::renewal::Renewal;
use crate::signer::Signer;
use crate::store::{Record, Store};

/// What lies under the key of an id.
pub(super) enum Found<S: Store, D> {
    Live(Live<S>, D),
    Moved(Moved),
    Unreadable(Unreadable),
    /// A session that is over for this program, though the store has it.
    Over,
    Nothing,
}

impl<S: Store, C: Codec> State<S, C> {
    /// Opens the first live session that the cookies lead to, or a new one.
    pub(crate) async fn open<K: Signer>(
        sessions: &Sessions<S, C, K>,
        credentials: &Credentials,
    ) -> Result<Box<Self>, Error> {
        let state = Box::new(Self::new(sessions.settings()));
        match credentials.has_cookies() {
            // A box of its own, so that every handler's future is small.
            true => Box::pin(state.look_up(sessions, credentials)).await,
            false => Ok(state),
        }
    }

    async fn look_up<K: Signer>(
        mut self: Box<Self>,
        sessions: &Sessions<S, C, K>,
        credentials: &Credentials,
    ) -> Result<Box<Self>, Error> {
        let settings = sessions.settings();
        let mut candidates = candidates(sessions, credentials);
        while let Some(Candidate { address, is_by_older_key }) = candidates.next() {
            let (found, used_at) = look_up(sessions, &address).await?;
            self.used_at = used_at;
            match found {
                Found::Live(live, data) => {
                    self.others.extend(candidates.by_ref().map(|other| other.address.key));
                    self.begin(live, data, sessions, is_by_older_key);
                    break;
                }
                Found::Moved(to) => {
                    self.others.push(address.key);
                    if let Place::New = self.place {
                        self.place = Place::Over(Some(to));
                    }
                }
                Found::Unreadable(reason) => {
                    warn_of(reason, settings.replace_unreadable);
                    match self.place {
                        Place::New | Place::Over(_) => self.place = Place::Unreadable(address.key),
                        Place::Unreadable(_) | Place::Live(_) => self.others.push(address.key),
                    }
                }
                // Another program may have other settings.
                Found::Over => self.others.push(address.key),
                Found::Nothing => {}
            }
        }
        self.has_cookie = candidates.any;
        Ok(self)
    }

    /// Begins with what was stored.
    fn begin<K: Signer>(
        &mut self,
        live: Live<S>,
        data: C::Data,
        sessions: &Sessions<S, C, K>,
        is_by_older_key: bool,
    ) {
        let settings = sessions.settings();
        self.permanent = live.header.permanent;
        match C::Record::COOKIE_ENDS {
            // The fresh value goes out with a write, which this makes due.
            CookieEnds::WithSession => self.is_by_older_key = is_by_older_key,
            CookieEnds::WhenIdle => {
                let is_renewed = settings.renewal == Renewal::EveryRequest && self.permanent;
                if is_renewed || is_by_older_key {
                    self.cookie = DueCookie::Repeat { seen_at: settings.clock.unix_millis() };
                }
            }
        }
        self.data = data;
        if let Place::Unreadable(key) = &self.place {
            self.others.push(key.clone());
        }
        self.place = Place::Live(live);
    }
}

/// Looks up the session of an id, for a use of it, and says when the store has read it.
async fn look_up<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    address: &Address,
) -> Result<(Found<S, C::Data>, u64), Error> {
    let settings = sessions.settings();
    let extend = (settings.renewal == Renewal::EveryRequest).then_some(settings.idle_timeout);
    let loaded = sessions.store().load(&address.key, extend).await.map_err(Error::store)?;
    let Some(record) = loaded else { return Ok((Found::Nothing, 0)) };
    let now = read_at(sessions, &record);
    let made_at = match C::Record::read(record.value.as_ref(), now) {
        Ok(Contents::Moved { at, .. } | Contents::Ended { at }) => at,
        _ => now,
    };
    if extend.is_some() && now.saturating_sub(made_at) >= NOTE_TTL.as_millis() {
        // The load has postponed the expiry of a note. No session ever lies under
        // this key again.
        sessions.store().remove(&address.key).await.map_err(Error::store)?;
        return Ok((Found::Nothing, now));
    }
    Ok((interpret(sessions, address, record, now), now))
}

/// What a record that was read at the time `now` is to this program.
pub(super) fn interpret<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    address: &Address,
    record: Record<S::Value, S::Revision>,
    now: u64,
) -> Found<S, C::Data> {
    let settings = sessions.settings();
    let (header, data) = match C::Record::read(record.value.as_ref(), now) {
        Ok(Contents::Session(header, data)) => (header.as_read::<C>(settings, now), data),
        Ok(Contents::Moved { to, act, .. }) => {
            let to = match to {
                Destination::Key(key) => Some(*key),
                Destination::Undisclosed(_) => None,
            };
            return Found::Moved(Moved { to, act });
        }
        Ok(Contents::Ended { .. } | Contents::Index) => return Found::Nothing,
        Err(reason) => return Found::Unreadable(reason),
    };
    if header.has_ended(settings, now) {
        return Found::Over;
    }
    let data = match C::decode(data) {
        Ok(data) => data,
        Err(error) => return Found::Unreadable(Unreadable::Data(Undecodable::behind(&error))),
    };
    let Record { value, revision, .. } = record;
    let record = Stored::Loaded(value);
    let live = Live { address: address.clone(), header, record, revision, rotating: None };
    Found::Live(live, data)
}

/// The time at which the store has read a record, or the time now.
pub(super) fn read_at<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    record: &Record<S::Value, S::Revision>,
) -> u64 {
    let clock = &sessions.settings().clock;
    let read_at = record.read_at.filter(|_| clock.is_system());
    read_at.unwrap_or_else(|| clock.unix_millis())
}

/// The codec's own message may repeat session data, so it is not logged.
fn warn_of(reason: Unreadable, is_replaced: bool) {
    match is_replaced {
        true => tracing::warn!(
            "the record of a session cannot be read: {reason}. Its visitor begins a new session, since `Config::replace_unreadable` was called"
        ),
        false => tracing::warn!(
            "the record of a session cannot be read: {reason}. Its visitor is anonymous for this program; the record and the cookie are left as they are, and what this request changes is not saved. `sign_in`, `restart` and `destroy` end such a session, and `Config::replace_unreadable` begins a new one for all"
        ),
    }
}
