//! Saving a session: what the state machine decided, carried out at the store.
//!
//! The state changes only after the store has answered. Whoever drops the
//! future at an await therefore leaves a state that is merely older than the
//! store's, and saving it meets a conflict, which is merged.

use super::open::{Presented, State, Stored};
use super::state::{Fate, Situation, Step, Ticket};
use crate::codec::Codec;
use crate::config::{OnConflict, Sessions, Settings};
use crate::error::{Error, SessionError};
use crate::id::SessionId;
use crate::record::{self, Contents, HEADER_BYTES, Header};
use crate::signer::Signer;
use crate::store::{Create, Record, Store, Update};
use crate::ttl::Ttl;

/// After so many conflicts in a row, or taken keys, a request gives up.
pub(super) const MAX_ATTEMPTS: u32 = 1_000;
/// How many changes of the id a logout follows.
const MAX_MOVES: u32 = 8;
/// How long the record under an old key says where the session went: longer
/// than a request takes.
const MOVED_TTL: Ttl = Ttl::minutes(1);

/// What is to be done, decided without the store. Where that is to write, the
/// record stands in the draft.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) step: Step,
    pub(super) header: Header,
    pub(super) ttl: Ttl,
    /// Whether the idle timeout begins anew.
    renews: bool,
    /// Whether the browser's cookie is affected.
    sends_ticket: bool,
}

impl<S: Store, C: Codec> State<S, C> {
    /// The data, to be changed.
    pub(super) fn data_mut(&mut self) -> &mut C::Data {
        // Data that do not encode count as changed, and fail when saved.
        let _ = self.note_base();
        &mut self.data
    }

    pub(super) fn note_base(&mut self) -> Result<(), C::Error> {
        let room = self.stored.as_ref().and_then(Stored::data).map_or(0, <[u8]>::len);
        self.draft.note_base::<C>(&self.data, room)
    }

    /// Saves, for the caller who asks for it: a session that ended is an error.
    pub(super) async fn save<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), SessionError<S, C>> {
        let plan = self.plan(sessions.settings(), false)?;
        self.carry_out(sessions, plan).await?;
        match self.fate {
            Fate::Ended => Err(Error::Ended),
            Fate::Keep | Fate::Rotate | Fate::Destroy => Ok(()),
        }
    }

    /// Decides what is to be done; `failed` says that the response is a server
    /// error.
    pub(crate) fn plan(
        &mut self,
        settings: &Settings,
        failed: bool,
    ) -> Result<Plan, SessionError<S, C>> {
        let mut plan = self.plan_write(settings);
        let header = self.stored.as_ref().map(|stored| stored.header);
        let may_write = !failed && matches!(self.fate, Fate::Keep | Fate::Rotate);
        let changed = may_write
            && self.draft.is_touched()
            && self.draft.write::<C>(plan.header, &self.data).map_err(Error::Codec)?;
        if changed {
            // Some data can be written in a format, and not be read back from it.
            C::decode(self.draft.data()).map_err(Error::Codec)?;
        }
        plan.step = Situation {
            stored: header.is_some(),
            changed: changed || header.is_some_and(|header| header.permanent != self.permanent),
            renewal_due: plan.renews,
            fate: self.fate,
            failed,
        }
        .step();

        match plan.step {
            Step::Update | Step::Renew | Step::Rotate if !self.draft.is_touched() => {
                match self.stored.as_ref().and_then(Stored::data) {
                    Some(data) => self.draft.write_encoded(plan.header, data),
                    None => {
                        self.draft.write::<C>(plan.header, &self.data).map_err(Error::Codec)?;
                    }
                }
            }
            Step::Nothing if header.is_none() && matches!(self.presented, Presented::Dead) => {
                self.ticket = Ticket::Withdraw;
            }
            _ => {}
        }
        Ok(plan)
    }

    /// The header that a write now would give the record.
    pub(super) fn plan_write(&self, settings: &Settings) -> Plan {
        let now = settings.clock.unix_millis();
        let old = self.stored.as_ref().map(|stored| stored.header);
        let renews = old.is_some_and(|old| old.is_renewal_due(settings, now));
        let header = Header {
            created_at: old.map_or(now, |old| old.created_at),
            renewed_at: old.filter(|_| !renews).map_or(now, |old| old.renewed_at),
            permanent: self.permanent,
        };
        Plan {
            step: Step::Nothing,
            header,
            ttl: header.ttl(settings, now),
            renews,
            sends_ticket: old
                .is_none_or(|old| old.permanent != self.permanent || (renews && self.permanent)),
        }
    }

    /// Does what was decided.
    pub(crate) async fn carry_out<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        mut plan: Plan,
    ) -> Result<(), SessionError<S, C>> {
        for _ in 0..MAX_ATTEMPTS {
            let is_done = match plan.step {
                Step::Nothing => true,
                Step::Create => self.create(sessions, plan).await?,
                Step::Update | Step::Renew => self.swap(sessions, plan).await?,
                Step::Rotate => self.rotate(sessions, plan).await?,
                Step::Remove => self.remove(sessions).await?,
            };
            if is_done {
                return Ok(());
            }
            plan = match plan.step {
                // Whoever wrote in between has renewed it, too.
                Step::Renew => return Ok(()),
                Step::Update | Step::Rotate => match self.merge_newest(sessions, plan).await? {
                    Some(merged) => merged,
                    None => return Ok(()),
                },
                _ => plan,
            };
        }
        Err(Error::Contended)
    }

    /// `false` when the id is taken, which happens to a broken generator only.
    pub(super) async fn create<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
    ) -> Result<bool, SessionError<S, C>> {
        let id = SessionId::generate(sessions.settings().id_length)?;
        let key = sessions.key(&id);
        let created = sessions.store().create(&key, self.draft.record(), plan.ttl).await;
        match created.map_err(Error::Store)? {
            Create::KeyTaken => Ok(false),
            Create::Created(revision) => {
                self.stored = Some(Stored { id, key, header: plan.header, value: None, revision });
                // The id is fresh, which is all that a rotation asks for.
                self.fate = Fate::Keep;
                self.committed(plan);
                Ok(true)
            }
        }
    }

    /// `false` when another request was faster.
    pub(super) async fn swap<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
    ) -> Result<bool, SessionError<S, C>> {
        let Some(stored) = &mut self.stored else { return Ok(true) };
        let updated = sessions
            .store()
            .update(&stored.key, self.draft.record(), plan.ttl, &stored.revision)
            .await;
        match updated.map_err(Error::Store)? {
            Update::Updated(revision) => {
                stored.revision = revision;
                stored.header = plan.header;
                stored.value = None;
                self.committed(plan);
                Ok(true)
            }
            Update::Conflict => Ok(false),
            Update::Gone => {
                self.end(Presented::Dead);
                Ok(true)
            }
        }
    }

    /// Moves the session to a fresh id. The new record is there before the old
    /// one ends, and nobody learns its id unless the old one ended.
    ///
    /// `false` when another request was faster.
    async fn rotate<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
    ) -> Result<bool, SessionError<S, C>> {
        let store = sessions.store();
        let Some(stored) = &mut self.stored else { return Ok(true) };
        let id = SessionId::generate(sessions.settings().id_length)?;
        let key = sessions.key(&id);
        let created = store.create(&key, self.draft.record(), plan.ttl).await;
        let Create::Created(revision) = created.map_err(Error::Store)? else { return Ok(false) };

        let moved = record::moved(&key);
        let left = store.update(&stored.key, &moved, MOVED_TTL, &stored.revision).await;
        match left.map_err(Error::Store)? {
            Update::Updated(_) => {
                *stored = Stored { id, key, header: plan.header, value: None, revision };
                self.fate = Fate::Keep;
                self.committed(Plan { sends_ticket: true, ..plan });
                Ok(true)
            }
            Update::Conflict => {
                store.remove(&key).await.map_err(Error::Store)?;
                Ok(false)
            }
            Update::Gone => {
                store.remove(&key).await.map_err(Error::Store)?;
                self.end(Presented::Dead);
                Ok(true)
            }
        }
    }

    /// Removes the session, wherever it was moved to meanwhile.
    async fn remove<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<bool, SessionError<S, C>> {
        for _ in 0..MAX_MOVES {
            let key = match (&self.stored, &self.presented) {
                (Some(stored), _) => &stored.key,
                (None, Presented::Moved(to)) => to,
                (None, _) => break,
            };
            let removed = sessions.store().remove(key).await.map_err(Error::Store)?;
            self.stored = None;
            self.presented = match removed.as_ref().map(|value| record::read(value.as_ref())) {
                Some(Ok(Contents::Moved(to))) => Presented::Moved(to),
                _ => Presented::Dead,
            };
        }
        if !matches!(self.presented, Presented::Nothing) {
            self.ticket = Ticket::Withdraw;
        }
        Ok(true)
    }

    /// Takes up what another request saved, with our changes on top. `None` when
    /// nothing is left to be written.
    async fn merge_newest<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
    ) -> Result<Option<Plan>, SessionError<S, C>> {
        let settings = sessions.settings();
        if matches!(settings.on_conflict, OnConflict::Reject) {
            return Err(Error::Conflict);
        }
        let Some(newest) = self.load_newest(sessions).await? else { return Ok(None) };
        let theirs = newest.data();
        let merged = match (self.draft.base(), &settings.on_conflict) {
            _ if !self.draft.is_touched() => theirs.to_vec(),
            (Some(base), OnConflict::Custom(merge)) => {
                merge(base, self.draft.data(), theirs).ok_or(Error::Conflict)?
            }
            (Some(base), _) => C::merge(base, self.draft.data(), theirs).map_err(Error::Codec)?,
            (None, _) => self.draft.data().to_vec(),
        };
        self.data = C::decode(&merged).map_err(Error::Codec)?;
        self.draft.rebase(theirs);
        let is_as_theirs = merged == theirs;
        let header = newest.header;
        self.adopt(newest);

        let write = self.plan_write(settings);
        self.draft.write_encoded(write.header, &merged);
        let is_needless = plan.step == Step::Update && is_as_theirs && write.header == header;
        Ok((!is_needless).then_some(Plan { step: plan.step, ..write }))
    }

    /// The session as it is now; `None`, and the end, when it is no more.
    pub(super) async fn load_newest<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<Option<Newest<S>>, SessionError<S, C>> {
        let settings = sessions.settings();
        let Some(stored) = &self.stored else { return Ok(None) };
        let loaded = sessions.store().load(&stored.key, None).await.map_err(Error::Store)?;
        let Some(record) = loaded else {
            self.end(Presented::Dead);
            return Ok(None);
        };
        let end = match record::read(record.value.as_ref()) {
            Ok(Contents::Session(header, _)) => {
                let header = header.as_loaded(settings, settings.clock.unix_millis());
                return Ok(Some(Newest { header, record }));
            }
            Ok(Contents::Moved(to)) => Presented::Moved(to),
            // Another version of the program has taken it over.
            Err(record::UnknownFormat) => Presented::Unreadable,
        };
        self.end(end);
        Ok(None)
    }

    /// The store holds this version now.
    pub(super) fn adopt(&mut self, newest: Newest<S>) {
        let Some(stored) = &mut self.stored else { return };
        if self.permanent == stored.header.permanent {
            self.permanent = newest.header.permanent;
        }
        stored.header = newest.header;
        stored.revision = newest.record.revision;
        stored.value = Some(newest.record.value);
    }

    /// The draft was stored.
    fn committed(&mut self, plan: Plan) {
        self.draft.commit();
        if plan.sends_ticket {
            self.ticket = Ticket::Send;
        }
    }

    /// The session was destroyed, moved or expired meanwhile: changes are
    /// dropped, and nothing is written any more.
    fn end(&mut self, presented: Presented) {
        self.stored = None;
        self.fate = Fate::Ended;
        self.ticket = match presented {
            Presented::Dead | Presented::Nothing => Ticket::Withdraw,
            // The browser is about to have the new ticket, or one that another
            // version of the program reads.
            Presented::Moved(_) | Presented::Unreadable => Ticket::Keep,
        };
        self.presented = presented;
    }
}

/// What another request saved in the meantime.
pub(super) struct Newest<S: Store> {
    header: Header,
    record: Record<S::Value, S::Revision>,
}

impl<S: Store> Newest<S> {
    pub(super) fn data(&self) -> &[u8] {
        self.record.value.as_ref().get(HEADER_BYTES..).unwrap_or_default()
    }
}
