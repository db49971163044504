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
use crate::record::{self, Contents, HEADER_BYTES, Header};
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
    /// The record as it was loaded; absent once it was saved from here.
    pub(super) value: Option<S::Value>,
    pub(super) revision: S::Revision,
}

impl<S: Store> Stored<S> {
    /// The encoded data in the record that was loaded.
    pub(super) fn data(&self) -> Option<&[u8]> {
        self.value.as_ref()?.as_ref().get(HEADER_BYTES..)
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
    /// is about to bring the browser the new one.
    Moved(Box<Key>),
    /// The record under this key, which the program cannot read. It is left alone
    /// until the session is destroyed.
    Unreadable(Box<Key>),
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
        let (header, data) = match record::read(value.as_ref()) {
            Ok(Contents::Session(header, data)) => (header, data),
            // A load that extends keeps it beyond its time.
            Ok(Contents::Moved(_, at)) if at + MOVED_TTL.as_millis() <= now => {
                return Err(Presented::Dead);
            }
            Ok(Contents::Moved(to, _)) => return Err(Presented::Moved(to)),
            Err(record::UnknownFormat) => {
                tracing::warn!("a session record has an unknown format; it is left as it is");
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
                stored: Some(Stored { id, key, header, value: Some(value), revision }),
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
        let room = self.stored.as_ref().and_then(Stored::data).map_or(0, <[u8]>::len);
        // Data that do not encode count as changed, and fail when they are saved.
        let _ = self.draft.note_base::<C>(&self.data, room);
        &mut self.data
    }
}
