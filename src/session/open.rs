//! The state of an open session, and how it is opened.

use http::HeaderMap;

use super::draft::Draft;
use super::save::MOVED_TTL;
use super::state::{Fate, Ticket};
use crate::codec::Codec;
use crate::config::{Renewal, Sessions};
use crate::cookie::candidates;
use crate::error::{Error, SessionError};
use crate::id::SessionId;
use crate::record::{self, Contents, Destination, Header};
use crate::signer::Signer;
use crate::store::{Key, Record, Store};

/// A session while it is open.
pub(crate) struct State<S: Store, C: Codec> {
    pub(super) data: C::Data,
    pub(super) draft: Draft,
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
    pub(super) rotating: Option<Box<Stored<S>>>,
}

/// The version of the session that the store holds, as far as we know.
pub(super) struct Stored<S: Store> {
    pub(super) id: SessionId,
    pub(super) key: Key,
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
    /// A ticket that is worth nothing.
    Dead,
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
}

impl<S: Store, C: Codec> State<S, C> {
    /// In a box from the start, since it is moved from hand to hand.
    pub(crate) async fn open<K: Signer>(
        sessions: &Sessions<S, C, K>,
        headers: &HeaderMap,
    ) -> Result<Box<Self>, SessionError<S, C>> {
        let settings = sessions.settings();
        let name = &settings.cookie.name;
        let mut presented = Presented::Nothing;
        let id = candidates(headers, name).find_map(|value| {
            presented = Presented::Dead;
            let value = str::from_utf8(value).ok()?;
            let id = sessions.signer().verify(name, value)?;
            SessionId::parse(id, settings.id_length)
                .or_else(|| settings.uuid_ids.then(|| SessionId::parse_uuid(id))?)
        });
        let Some(id) = id else { return Ok(Self::new(sessions, presented)) };

        let key = sessions.key(&id);
        let extend = (settings.renewal == Renewal::EveryRequest).then_some(settings.idle_timeout);
        let loaded = sessions.store().load(&key, extend).await.map_err(Error::Store)?;
        let Some(record) = loaded else { return Ok(Self::new(sessions, Presented::Dead)) };
        Ok(Self::of_record(sessions, id, key, record)
            .unwrap_or_else(|presented| Self::new(sessions, presented)))
    }

    fn new<K: Signer>(sessions: &Sessions<S, C, K>, presented: Presented) -> Box<Self> {
        Box::new(Self {
            data: C::Data::default(),
            stored: None,
            fate: match presented {
                Presented::Moved(_) => Fate::Late,
                Presented::Nothing | Presented::Dead | Presented::Unreadable(_) => Fate::Keep,
            },
            presented,
            used_at: 0,
            permanent: sessions.settings().permanent,
            rotating: None,
            ticket: Ticket::Keep,
            draft: Draft::default(),
        })
    }

    fn of_record<K: Signer>(
        sessions: &Sessions<S, C, K>,
        id: SessionId,
        key: Key,
        Record { value, revision }: Record<S::Value, S::Revision>,
    ) -> Result<Box<Self>, Presented> {
        let settings = sessions.settings();
        let now = settings.clock.unix_millis();
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
                return Err(Presented::Unreadable(Box::new(key)));
            }
        };
        if header.is_over(settings, now) {
            return Err(Presented::Dead);
        }
        let header = header.as_loaded(settings, now);
        match C::decode(data) {
            Ok(data) => Ok(Box::new(Self {
                data,
                presented: Presented::Nothing,
                used_at: now,
                permanent: header.permanent,
                fate: Fate::Keep,
                rotating: None,
                ticket: match settings.renewal {
                    Renewal::EveryRequest if header.permanent => Ticket::Send,
                    _ => Ticket::Keep,
                },
                draft: Draft::default(),
                stored: Some(Stored { id, key, header, record: Held::Loaded(value), revision }),
            })),
            // The codec's message may repeat session data, so it is not logged.
            Err(_) => {
                tracing::warn!("a session record does not decode; it is left as it is");
                Err(Presented::Unreadable(Box::new(key)))
            }
        }
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
