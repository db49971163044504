//! The state of an open session, and how it is opened.

use std::mem;

use http::HeaderMap;

use super::address::Address;
use super::draft::Draft;
use super::present::Present;
use super::save::MOVED_TTL;
use super::spare;
use super::state::{Fate, Ticket};
use crate::codec::Codec;
use crate::config::{Renewal, Sessions, Settings};
use crate::error::Error;
use crate::record::{self, Contents, Destination, Header};
use crate::signer::Signer;
use crate::store::{Key, Record, Store};

/// How many tickets of one request are looked up. A browser may hold several
/// cookies of one name, of other domains or paths, or from before the cookie's
/// attributes were changed; it does not say which is which.
const MAX_LOOK_UPS: usize = 3;

/// A session while it is open.
///
/// Its box serves one request of a thread after the other: see
/// [`put_aside`](Self::put_aside).
pub(crate) struct State<S: Store, C: Codec> {
    pub(super) data: Present<C::Data>,
    pub(super) draft: Draft,
    /// Where the record lies, as long as there is one: worth something only with
    /// `stored`.
    pub(super) address: Address,
    pub(super) stored: Option<Stored<S>>,
    pub(super) presented: Presented,
    /// When it was opened or last saved on demand, which is its last use; in
    /// milliseconds since the Unix epoch, and 0 for a new session.
    pub(super) used_at: u64,
    pub(super) permanent: bool,
    pub(super) fate: Fate,
    pub(super) ticket: Ticket,
    /// The record under a fresh id, while it is not known whether the old one
    /// has ended.
    pub(super) rotating: Option<Box<(Address, Stored<S>)>>,
}

/// The version of the session that the store holds, as far as we know.
pub(super) struct Stored<S: Store> {
    pub(super) header: Header,
    pub(super) record: Held<S::Value>,
    pub(super) revision: S::Revision,
}

/// The record, as far as it is needed again.
pub(super) enum Held<V> {
    /// As it was loaded.
    Loaded(V),
    /// As it was written last, in a foreign format, where it holds more than the
    /// data.
    Written(Vec<u8>),
    /// It was written, and the data say the same.
    Nothing,
}

impl<V: AsRef<[u8]>> Held<V> {
    pub(super) fn written<C: Codec>(record: &[u8]) -> Self {
        match C::FOREIGN {
            Some(_) => Self::Written(record.to_vec()),
            None => Self::Nothing,
        }
    }

    /// The encoded data in the record.
    pub(super) fn data<C: Codec>(&self) -> Option<&[u8]> {
        let record = match self {
            Self::Loaded(value) => value.as_ref(),
            Self::Written(record) => record,
            Self::Nothing => return None,
        };
        Some(record::data_of::<C>(record))
    }
}

impl<S: Store> Stored<S> {
    /// The encoded data in the record, where it is known.
    pub(super) fn data<C: Codec>(&self) -> Option<&[u8]> {
        self.record.data::<C>()
    }
}

/// What the client's ticket led to when it led to no session.
#[derive(Debug)]
pub(crate) enum Presented {
    /// No ticket.
    Nothing,
    /// A ticket that is worth nothing, and is left in the browser: somebody else
    /// knows better, or not all of several were looked up.
    Dead,
    /// A ticket that is worth nothing, found so when the session was opened, at a
    /// time in milliseconds since the Unix epoch.
    Stale(u64),
    /// The ticket of a session that was just given a fresh id: another response
    /// is about to bring the browser the new one. Where it went is not always
    /// known.
    Moved(Option<Box<Key>>),
    /// The record under this key, which the program cannot read. It is left alone
    /// until the session is destroyed.
    Unreadable(Box<Key>),
}

impl Presented {
    pub(super) fn moved(to: Destination) -> Self {
        match to {
            Destination::Key(key) => Self::Moved(Some(key)),
            Destination::Undisclosed(_) => Self::Moved(None),
        }
    }

    /// Of two tickets that led to no session, the one that more depends on.
    fn or_weightier(self, other: Self) -> Self {
        if other.weight() > self.weight() { other } else { self }
    }

    /// That a ticket is dead is told to the browser, unless that takes too long.
    /// Not in shared sessions: Flask leaves no trace of where it has moved one, and
    /// leaves a ticket that is worth nothing alone.
    fn noted_as_stale<C: Codec>(self, settings: &Settings) -> Self {
        match self {
            Self::Dead if C::FOREIGN.is_none() => Self::Stale(settings.clock.unix_millis()),
            other => other,
        }
    }

    const fn weight(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Dead | Self::Stale(_) => 1,
            Self::Moved(_) => 2,
            Self::Unreadable(_) => 3,
        }
    }
}

impl<S: Store, C: Codec> State<S, C> {
    /// In a box from the start, since it is moved from hand to hand.
    pub(crate) async fn open<K: Signer>(
        sessions: &Sessions<S, C, K>,
        headers: &HeaderMap,
    ) -> Result<Box<Self>, Error> {
        let mut state = spare::take::<Self>().unwrap_or_else(|| Box::new(Self::blank()));
        if let Some(presented) = state.load(sessions, headers).await? {
            state.begin(sessions, presented);
        }
        Ok(state)
    }

    /// Loads the session of the client's ticket, the first that is live of several;
    /// says what there was instead, when there is none.
    async fn load<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        headers: &HeaderMap,
    ) -> Result<Option<Presented>, Error> {
        let mut tried = Vec::new();
        let mut presented = Presented::Nothing;
        loop {
            let is_by_older_key = match self.address.read(sessions, headers, &tried) {
                Ok(_) if tried.len() == MAX_LOOK_UPS => return Ok(Some(presented)),
                Ok(is_by_older_key) => is_by_older_key,
                Err(none) => {
                    let presented = presented.or_weightier(none);
                    return Ok(Some(presented.noted_as_stale::<C>(sessions.settings())));
                }
            };
            match self.look_up(sessions).await? {
                Ok(()) => {
                    if is_by_older_key {
                        self.ticket = Ticket::Repeat { seen_at: self.used_at };
                    }
                    return Ok(None);
                }
                Err(instead) => presented = presented.or_weightier(instead),
            }
            tried.push(self.address.id.clone());
        }
    }

    /// Loads the session at the address.
    async fn look_up<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<Result<(), Presented>, Error> {
        let settings = sessions.settings();
        let extend = (settings.renewal == Renewal::EveryRequest).then_some(settings.idle_timeout);
        let key = &self.address.key;
        let loaded = sessions.store().load(key, extend).await.map_err(Error::store)?;
        Ok(match loaded {
            Some(record) => self.read(sessions, record),
            None => Err(Presented::Dead),
        })
    }

    /// Keeps the box and the draft's buffer for another request, for which all else
    /// begins anew.
    pub(crate) fn put_aside(mut self: Box<Self>) {
        let draft = mem::take(&mut self.draft).emptied();
        *self = Self { draft, ..Self::blank() };
        spare::put(self);
    }

    fn blank() -> Self {
        Self {
            data: Present::absent(),
            draft: Draft::default(),
            address: Address::BLANK,
            stored: None,
            presented: Presented::Nothing,
            used_at: 0,
            permanent: false,
            fate: Fate::Keep,
            ticket: Ticket::Keep,
            rotating: None,
        }
    }

    /// Begins a new session.
    fn begin<K: Signer>(&mut self, sessions: &Sessions<S, C, K>, presented: Presented) {
        self.data.set(C::Data::default());
        self.permanent = sessions.settings().permanent;
        if let Presented::Moved(_) = presented {
            self.fate = Fate::Late;
        }
        self.presented = presented;
    }

    /// Begins with what was stored.
    fn read<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        Record { value, revision, found_at }: Record<S::Value, S::Revision>,
    ) -> Result<(), Presented> {
        let settings = sessions.settings();
        let found_at = found_at.filter(|_| settings.clock.is_system());
        let now = found_at.unwrap_or_else(|| settings.clock.unix_millis());
        let (header, data) = match record::read::<C>(value.as_ref(), now) {
            Ok(Contents::Session(header, data)) => (header, data),
            // A load that extends keeps it beyond its time.
            Ok(Contents::Moved { at, .. }) if at.saturating_add(MOVED_TTL.as_millis()) <= now => {
                return Err(Presented::Dead);
            }
            Ok(Contents::Moved { to, .. }) => return Err(Presented::moved(to)),
            Ok(Contents::Ended) => return Err(Presented::Dead),
            Err(record::UnknownFormat) => {
                warn_of_unknown_format::<C>(value.as_ref());
                return Err(Presented::Unreadable(Box::new(self.address.key.clone())));
            }
        };
        if header.is_over(settings, now) {
            return Err(Presented::Dead);
        }
        let Ok(data) = C::decode(data) else {
            // The codec's message may repeat session data, so it is not logged.
            tracing::warn!("a session record does not decode; it is left as it is");
            return Err(Presented::Unreadable(Box::new(self.address.key.clone())));
        };
        let header = header.as_loaded(settings, now);
        self.data.set(data);
        self.stored = Some(Stored { header, record: Held::Loaded(value), revision });
        self.used_at = now;
        self.permanent = header.permanent;
        if settings.renewal == Renewal::EveryRequest && header.permanent {
            self.ticket = Ticket::Repeat { seen_at: now };
        }
        Ok(())
    }

    /// The data, to be changed. The first call notes what they were.
    pub(super) fn data_mut(&mut self) -> &mut C::Data {
        let room = self.stored.as_ref().and_then(Stored::data::<C>).map_or(0, <[u8]>::len);
        // Data that do not encode count as changed, and fail when they are saved.
        let _ = self.draft.note_base::<C>(&self.data, room);
        &mut self.data
    }
}

fn warn_of_unknown_format<C: Codec>(record: &[u8]) {
    // Protocols 2 to 5; older ones, and those of other formats, are not told apart.
    if C::FOREIGN.is_some() && matches!(record, [0x80, 2..=5, ..]) {
        tracing::warn!(
            "a session record is a Python pickle, which is never read; it is left as it is. Flask-Session 0.7 and newer read it, and write it anew as MessagePack or JSON when they save the session"
        );
    } else {
        tracing::warn!("a session record has an unknown format; it is left as it is");
    }
}
