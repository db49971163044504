//! Writing the record of a session over the one that the store holds.
//!
//! The state changes only after the store has answered. A caller that drops the
//! future at an await therefore leaves a state that is merely older than the
//! store's. Saving it again meets a conflict, which is merged.

use super::address::Address;
use super::decide::DROPPED;
use super::merge::{Ingredients, Replacement, rebase};
use super::open::{Found, interpret, read_at};
use super::records::{MAX_ATTEMPTS, create, move_to_fresh, swap_for_ended};
use super::state::{DueCookie, Live, Place, State, Stored, Wish};
use crate::codec::Codec;
use crate::config::{OnConflict, Sessions, Settings};
use crate::error::Error;
use crate::record::{Act, CookieEnds, Format, Header};
use crate::signer::Signer;
use crate::store::{Store, Update};

/// What is to be done over the version of a session that was seen.
pub(super) enum Proposal<D> {
    /// Replace it.
    Write(Replacement<D>),
    /// Nothing, if it is the newest version.
    LookAgain,
    /// Nothing. The data are those of the newest version.
    Nothing(Option<D>),
}

/// How the record that was seen is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// By the new one, under the same key.
    Swap,
    /// By the new one, unless another request was first.
    SwapOnce,
    /// By a note that leads to the new one, under a fresh key.
    Move(Act),
}

/// What became of it.
pub(super) enum Written<D> {
    /// The store holds the replacement now; its data, where the handler has others.
    Done(Option<D>),
    /// The session was emptied, and its record is gone.
    Cleared(Option<D>),
    /// Nothing was written. The newest data, where the handler has others.
    Nothing(Option<D>),
    /// The session is not there any more: its place says what is.
    Gone,
}

impl<S: Store, C: Codec> State<S, C> {
    /// Makes a record for a session that has none.
    pub(super) async fn create_new<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        let settings = sessions.settings();
        if !self.changes.is_touched() {
            self.changes.note::<C>(&self.data, 0);
            self.changes.encode::<C>(&self.data)?;
        }
        let header = Header::begin(settings, self.permanent, settings.clock.unix_millis());
        let record = new_record::<C>(header, self.changes.after())?;
        self.create_record(sessions, header, record).await?;
        self.mark_saved();
        Ok(())
    }

    /// Makes the record of a session that has none, unless it would be empty.
    pub(super) async fn create_record<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        header: Header,
        record: Vec<u8>,
    ) -> Result<(), Error> {
        if !C::Record::is_empty(&record) {
            let fresh = create(sessions, header, record).await?;
            self.place = Place::Live(fresh.into());
            self.cookie = DueCookie::Send;
        }
        Ok(())
    }

    /// Replaces the record by what the handler made of it.
    pub(super) async fn write_over<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        how: How,
    ) -> Result<(), Error> {
        let settings = sessions.settings();
        let Self { place, changes, data, permanent, wish, is_by_older_key, .. } = self;
        let signs_in = *wish == Wish::SignIn;
        let wanted =
            place.header().filter(|header| header.permanent != *permanent).map(|_| *permanent);
        let rejects = changes.is_touched() && matches!(settings.on_conflict, OnConflict::Reject);

        let propose = |seen: &Live<S>, is_newest: bool| {
            let now = settings.clock.unix_millis();
            let header = header_over(seen.header, settings, wanted, signs_in, now);
            let drops_unknown = signs_in && C::Record::OWNS_UNKNOWN_ENTRIES;
            let ingredients = Ingredients::<S, C> { data, changes, seen, is_newest, drops_unknown };
            let replacement = ingredients.combine(settings, header)?;
            let is_there = is_newest
                && how == How::Swap
                && header == seen.header
                && replacement.record == seen.bytes();
            Ok(match is_there {
                true => Proposal::Nothing(replacement.data),
                false => Proposal::Write(replacement),
            })
        };
        let written = write(sessions, place, how, rejects, propose).await?;

        let is_repeated = wanted.is_some() || *is_by_older_key || repeats_cookie::<C>();
        match written {
            Written::Done(newest) => {
                match how {
                    How::Move(_) => self.cookie = DueCookie::Send,
                    How::Swap | How::SwapOnce if is_repeated => {
                        self.repeat_cookie(settings.clock.unix_millis());
                    }
                    How::Swap | How::SwapOnce => {}
                }
                self.is_by_older_key = false;
                self.take_over(newest);
            }
            // Another request has renewed the session, or moved it.
            Written::Nothing(_) if how == How::SwapOnce => {
                if let DueCookie::Repeat { .. } = self.cookie {
                    self.cookie = DueCookie::Keep;
                }
            }
            Written::Nothing(newest) => self.take_over(newest),
            Written::Cleared(newest) => {
                self.cookie = DueCookie::Remove;
                self.take_over(newest);
            }
            Written::Gone => {
                self.cookie = DueCookie::Keep;
                if changes.is_touched() && matches!(how, How::Swap) {
                    tracing::debug!("{DROPPED}");
                }
            }
        }
        Ok(())
    }

    /// The store holds the session, with these data or those that the handler has.
    pub(super) fn take_over(&mut self, newest: Option<C::Data>) {
        if let Some(data) = newest {
            self.data = data;
        }
        if let Some(header) = self.place.header() {
            self.permanent = header.permanent;
        }
        self.mark_saved();
    }

    /// The browser's id is sent once more, unless a fresh one is due.
    pub(super) fn repeat_cookie(&mut self, seen_at: u64) {
        if self.cookie != DueCookie::Send {
            self.cookie = DueCookie::Repeat { seen_at };
        }
    }

    /// What the handler wanted was done.
    pub(super) fn mark_saved(&mut self) {
        self.changes.clear();
        if self.wish != Wish::Destroy {
            self.wish = Wish::Keep;
        }
    }

    /// Takes up the newest version, and keeps unsaved changes on top of it.
    pub(super) async fn reload<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        // Of a session that begins anew, nothing is stored yet.
        if self.wish == Wish::Restart {
            return Ok(());
        }
        if self.wish != Wish::Destroy {
            self.finish_rotation(sessions).await?;
        }
        let live = match &self.place {
            Place::New if self.wish != Wish::Destroy => return Ok(()),
            Place::Live(live) if self.wish != Wish::Destroy => live,
            place => return Err(place.why_gone()),
        };
        match newest(sessions, &live.address).await? {
            Found::Live(newest, data) => {
                self.data = rebase::<C>(&mut self.changes, &self.data, data, sessions.settings())?;
                if !self.changes_permanent() {
                    self.permanent = newest.header.permanent;
                }
                if let Place::Live(live) = &mut self.place {
                    *live = newest;
                }
                Ok(())
            }
            other => {
                self.place = Place::without(other, live);
                self.cookie = DueCookie::Keep;
                Err(self.place.why_gone())
            }
        }
    }
}

impl<S: Store> Place<S> {
    pub(super) fn header(&self) -> Option<Header> {
        match self {
            Self::Live(live) => Some(live.header),
            Self::New | Self::Unreadable(_) | Self::Over(_) => None,
        }
    }

    /// The place of a session under whose key something else was found.
    pub(super) fn without<D>(found: Found<S, D>, live: &Live<S>) -> Self {
        match found {
            Found::Moved(moved) => Self::Over(Some(moved)),
            Found::Unreadable(_) => Self::Unreadable(live.address.key.clone()),
            Found::Over | Found::Nothing | Found::Live(..) => Self::Over(None),
        }
    }

    /// Why a session that was there is not saved.
    pub(super) const fn why_gone(&self) -> Error {
        match self {
            Self::Unreadable(_) => Error::Unreadable,
            Self::New | Self::Live(_) | Self::Over(_) => Error::Ended,
        }
    }
}

/// Writes what is proposed over the version that the store holds, for as long as other
/// requests are in the way. From the first conflict on, the requests of this process
/// queue.
pub(super) async fn write<S, C, K, P>(
    sessions: &Sessions<S, C, K>,
    place: &mut Place<S>,
    how: How,
    rejects: bool,
    mut propose: P,
) -> Result<Written<C::Data>, Error>
where
    S: Store,
    C: Codec,
    K: Signer,
    P: FnMut(&Live<S>, bool) -> Result<Proposal<C::Data>, Error>,
{
    let mut queued = None;
    // In a box, since few requests need it and the future of each would be larger.
    let mut seen: Option<Box<Live<S>>> = None;
    for _ in 0..MAX_ATTEMPTS {
        let Place::Live(live) = place else { return Ok(Written::Gone) };
        let updated = match propose(seen.as_deref().unwrap_or(live), seen.is_some())? {
            Proposal::Nothing(data) => {
                if let Some(newest) = seen {
                    *live = *newest;
                }
                return Ok(Written::Nothing(data));
            }
            Proposal::LookAgain => Update::Conflict,
            Proposal::Write(replacement) => {
                let is_empty = C::Record::is_empty(&replacement.record);
                let revision = seen.as_ref().map_or(&live.revision, |newest| &newest.revision);
                let (updated, written) = match how {
                    _ if is_empty => (
                        Box::pin(clear(sessions, &live.address, revision)).await?,
                        Written::Cleared(replacement.data),
                    ),
                    How::Move(act) => {
                        let Replacement { header, record, data } = replacement;
                        let seen = seen.as_ref().map(|newest| &newest.revision);
                        let moved =
                            Box::pin(move_to_fresh(sessions, live, seen, act, header, record));
                        (moved.await?, Written::Done(data))
                    }
                    How::Swap | How::SwapOnce => {
                        let Replacement { header, record, data } = replacement;
                        let ttl = header.ttl(sessions.settings().clock.unix_millis());
                        let updated =
                            sessions.store().update(&live.address.key, &record, ttl, revision);
                        let updated = match updated.await.map_err(Error::store)? {
                            Update::Updated(revision) => {
                                live.header = header;
                                live.record = Stored::Written(record);
                                live.revision = revision;
                                Update::Updated(())
                            }
                            Update::Conflict => Update::Conflict,
                            Update::Gone => Update::Gone,
                        };
                        (updated, Written::Done(data))
                    }
                };
                if let Update::Updated(()) = updated {
                    if is_empty {
                        *place = Place::New;
                    }
                    return Ok(written);
                }
                updated
            }
        };
        match updated {
            Update::Updated(()) => {}
            Update::Gone => {
                *place = Place::Over(None);
                return Ok(Written::Gone);
            }
            Update::Conflict if how == How::SwapOnce => return Ok(Written::Nothing(None)),
            Update::Conflict => {
                if queued.is_none() && !rejects {
                    queued = Some(sessions.queue().wait(&live.address.key).await);
                }
                match newest(sessions, &live.address).await? {
                    Found::Live(..) if rejects => return Err(Error::Conflict),
                    Found::Live(newest, _) => seen = Some(Box::new(newest)),
                    other => {
                        *place = Place::without(other, live);
                        return Ok(Written::Gone);
                    }
                }
            }
        }
    }
    Err(Error::Contended)
}

/// What lies under the key of a session now.
pub(super) async fn newest<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    address: &Address,
) -> Result<Found<S, C::Data>, Error> {
    let loaded = sessions.store().load(&address.key, None).await.map_err(Error::store)?;
    let Some(record) = loaded else { return Ok(Found::Nothing) };
    let now = read_at(sessions, &record);
    Ok(interpret(sessions, address, record, now))
}

/// Removes the record of a session that was emptied, if it is still the version that
/// was seen. It becomes a note first, which no request writes over: a store removes
/// whatever there is.
async fn clear<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    address: &Address,
    seen: &S::Revision,
) -> Result<Update<()>, Error> {
    let ended = swap_for_ended::<S, C, K>(sessions, &address.key, seen).await?;
    if let Update::Updated(()) = ended {
        sessions.store().remove(&address.key).await.map_err(Error::store)?;
    }
    Ok(ended)
}

/// The header of a record that replaces another one.
pub(super) fn header_over(
    old: Header,
    settings: &Settings,
    permanent: Option<bool>,
    signs_in: bool,
    now: u64,
) -> Header {
    let permanent = permanent.unwrap_or(old.permanent);
    if signs_in {
        return Header::begin(settings, permanent, now);
    }
    let header = Header { permanent, ..old };
    match old.is_renewal_due(settings, now) {
        true => header.renewed(settings, now),
        false => header,
    }
}

/// Whether every write sends the cookie again, because it ends when the session idles.
pub(super) fn repeats_cookie<C: Codec>() -> bool {
    C::Record::COOKIE_ENDS == CookieEnds::WhenIdle
}

/// The record of a session that has none yet.
pub(super) fn new_record<C: Codec>(header: Header, data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut record = Vec::with_capacity(data.len() + 64);
    C::Record::begin(header, &[], &mut record);
    C::Record::append_new(data, &mut record);
    C::Record::finish(header, &mut record);
    // Some data can be written in a format, and not be read back from it.
    C::decode(C::Record::data(&record)).map_err(Error::codec)?;
    Ok(record)
}
