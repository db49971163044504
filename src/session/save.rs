//! Saving a session: what was decided, carried out at the store.
//!
//! The state changes only after the store has answered. Whoever drops the
//! future at an await therefore leaves a state that is merely older than the
//! store's, and saving it again meets a conflict, which is merged.

use super::address::Address;
use super::open::{Held, Presented, State, Stored};
use super::plan::Plan;
use super::state::{Fate, Step, Ticket};
use crate::codec::Codec;
use crate::config::{OnConflict, Sessions, Turn};
use crate::error::Error;
use crate::record::{self, Contents, Header};
use crate::signer::Signer;
use crate::store::{Create, Key, Record, Store, Update};
use crate::ttl::Ttl;

/// After so many conflicts in a row, or taken keys, a request gives up.
pub(super) const MAX_ATTEMPTS: u32 = 1_000;
/// How long the record under an old key says where the session went: longer
/// than a request takes.
pub(super) const MOVED_TTL: Ttl = Ttl::minutes(1);

/// What another request saved in the meantime.
pub(super) struct Newest<S: Store> {
    pub(super) header: Header,
    pub(super) record: Record<S::Value, S::Revision>,
}

/// Our changes on top of what another request saved, to be tried next.
struct Merged<S: Store, C: Codec> {
    newest: Newest<S>,
    plan: Plan,
    data: C::Data,
    record: Vec<u8>,
}

impl<S: Store, C: Codec> State<S, C> {
    /// Saves, for the caller who asks for it: a session that ended is an error.
    pub(super) async fn save<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        let settings = sessions.settings();
        self.used_at = settings.clock.unix_millis();
        let plan = self.plan(settings, false)?;
        self.carry_out(sessions, plan).await?;
        match self.fate {
            Fate::Ended | Fate::Late => Err(Error::Ended),
            Fate::Keep | Fate::Rotate | Fate::Destroy => Ok(()),
        }
    }

    /// Does what was decided.
    pub(crate) async fn carry_out<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
    ) -> Result<(), Error> {
        match plan.step {
            Step::Nothing => Ok(()),
            Step::Confirm => {
                self.confirm_ticket(sessions).await;
                Ok(())
            }
            Step::Create => {
                let created = create(sessions, self.draft.record::<C>(), plan).await?;
                self.created(created);
                Ok(())
            }
            Step::Update | Step::Renew | Step::Rotate | Step::Clear => {
                self.write(sessions, plan).await
            }
            Step::Remove => Box::pin(self.remove(sessions)).await,
        }
    }

    /// A record was made for the session. Its id is fresh, which is all that a
    /// rotation asks for.
    pub(super) fn created(&mut self, (address, stored): (Address, Stored<S>)) {
        self.address = address;
        self.stored = Some(stored);
        self.fate = Fate::Keep;
        self.ticket = Ticket::Send;
        self.draft.commit();
    }

    /// Replaces the record, merging until no other request is in the way. From the
    /// first conflict on, the requests of this process take turns.
    ///
    /// What few requests need has a box of its own, so that it does not enlarge the
    /// future of the others.
    async fn write<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        mut plan: Plan,
    ) -> Result<(), Error> {
        let mut merged: Option<Merged<S, C>> = None;
        let mut turn = None;
        let may_rotate = matches!(plan.step, Step::Rotate | Step::Clear);
        if may_rotate && Box::pin(self.settle_rotation(sessions)).await? {
            if plan.step == Step::Rotate {
                plan.step = Step::Update;
            }
            // The fresh record may hold what another request had saved before,
            // except where that is refused.
            if !matches!(sessions.settings().on_conflict, OnConflict::Reject) {
                let again = Box::pin(self.merge_newest(sessions, &mut turn, plan, None)).await?;
                let Some(again) = again else { return Ok(()) };
                plan = again.plan;
                merged = Some(again);
            }
        }
        for _ in 0..MAX_ATTEMPTS {
            let updated = match plan.step {
                Step::Rotate => Box::pin(self.rotate(sessions, plan, merged.as_ref())).await?,
                Step::Clear => {
                    let newest = merged.as_ref().map(|merged| &merged.newest);
                    let seen = newest.map(|newest| &newest.record.revision);
                    Box::pin(self.clear(sessions, seen)).await?
                }
                _ => self.swap(sessions, plan, merged.as_ref()).await?,
            };
            match updated {
                Update::Updated(()) => {
                    if let Some(merged) = merged {
                        self.data.set(merged.data);
                        self.permanent = merged.plan.header.permanent;
                    }
                    self.draft.commit();
                    if plan.sends_ticket && plan.step != Step::Clear {
                        self.ticket = Ticket::Send;
                    }
                    return Ok(());
                }
                Update::Gone => {
                    self.end(Presented::Dead);
                    return Ok(());
                }
                // Whoever wrote in between has renewed it, too.
                Update::Conflict if plan.step == Step::Renew => return Ok(()),
                Update::Conflict => {
                    let again = self.merge_newest(sessions, &mut turn, plan, merged);
                    let Some(again) = Box::pin(again).await? else { return Ok(()) };
                    plan = again.plan;
                    merged = Some(again);
                }
            }
        }
        Err(Error::Contended)
    }

    async fn swap<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
        merged: Option<&Merged<S, C>>,
    ) -> Result<Update<()>, Error> {
        let Some(stored) = &mut self.stored else { return Ok(Update::Gone) };
        let record = merged.map_or_else(|| self.draft.record::<C>(), |merged| &merged.record);
        let seen = merged.map(|merged| &merged.newest.record.revision);
        let swapped = stored.swap::<C>(sessions.store(), &self.address.key, record, plan, seen);
        swapped.await.map_err(Error::store)
    }

    /// Moves the session to a fresh id. The new record is there before the old
    /// one ends, and nobody learns its id unless the old one ended.
    async fn rotate<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        plan: Plan,
        merged: Option<&Merged<S, C>>,
    ) -> Result<Update<()>, Error> {
        let store = sessions.store();
        let Some(stored) = &self.stored else { return Ok(Update::Gone) };
        let record = merged.map_or_else(|| self.draft.record::<C>(), |merged| &merged.record);
        let seen = merged.map_or(&stored.revision, |merged| &merged.newest.record.revision);

        let fresh = create::<S, C, K>(sessions, record, plan).await?;
        let (fresh, _) = &**self.rotating.insert(Box::new(fresh));
        let moved = record::moved::<C>(&fresh.key, sessions.settings().clock.unix_millis());
        let updated = store.update(&self.address.key, &moved, MOVED_TTL, seen).await;
        match updated.map_err(Error::store)? {
            Update::Updated(_) => {
                self.settled();
                Ok(Update::Updated(()))
            }
            Update::Conflict => {
                self.undo_rotation(sessions).await?;
                Ok(Update::Conflict)
            }
            Update::Gone => {
                self.undo_rotation(sessions).await?;
                Ok(Update::Gone)
            }
        }
    }

    /// Whether a rotation whose future was dropped has happened all the same; if
    /// not, it is undone.
    async fn settle_rotation<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<bool, Error> {
        let (Some(rotating), Some(_)) = (&self.rotating, &self.stored) else { return Ok(false) };
        let (fresh, _) = &**rotating;
        let old = sessions.store().load(&self.address.key, None).await.map_err(Error::store)?;
        let contents = old.as_ref().map(|record| record::read::<C>(record.value.as_ref(), 0));
        if matches!(contents, Some(Ok(Contents::Moved { to, .. })) if to.is(&fresh.key)) {
            self.settled();
            return Ok(true);
        }
        self.undo_rotation(sessions).await?;
        Ok(false)
    }

    /// The session has its fresh id.
    fn settled(&mut self) {
        self.stored = self.rotating.take().map(|fresh| {
            let (address, stored) = *fresh;
            self.address = address;
            stored
        });
        self.fate = Fate::Keep;
        self.ticket = Ticket::Send;
    }

    /// Removes the record of a rotation that did not happen.
    pub(super) async fn undo_rotation<K: Signer>(
        &mut self,
        sessions: &Sessions<S, C, K>,
    ) -> Result<(), Error> {
        if let Some((fresh, _)) = self.rotating.as_deref() {
            sessions.store().remove(&fresh.key).await.map_err(Error::store)?;
            self.rotating = None;
        }
        Ok(())
    }

    /// Takes up what another request saved, with our changes on top. `None` when
    /// nothing is left to be written.
    async fn merge_newest<'t, K: Signer>(
        &mut self,
        sessions: &'t Sessions<S, C, K>,
        turn: &mut Option<Turn<'t>>,
        plan: Plan,
        before: Option<Merged<S, C>>,
    ) -> Result<Option<Merged<S, C>>, Error> {
        let settings = sessions.settings();
        if matches!(settings.on_conflict, OnConflict::Reject) {
            return Err(Error::Conflict);
        }
        let Some(newest) = self.load_newest(sessions, turn).await? else { return Ok(None) };
        let Some(stored) = &self.stored else { return Ok(None) };

        let theirs = newest.data::<C>();
        let (base, mine) = match &before {
            Some(before) => (Some(before.newest.data::<C>()), record::data_of::<C>(&before.record)),
            None => (self.draft.base(), self.draft.data::<C>()),
        };
        let merged = match (base, &settings.on_conflict) {
            _ if !self.draft.is_touched() => theirs.to_vec(),
            (Some(base), OnConflict::Custom(merge)) => {
                merge(base, mine, theirs).ok_or(Error::Conflict)?
            }
            (Some(base), _) => C::merge(base, mine, theirs).map_err(Error::codec)?,
            (None, _) => match C::FOREIGN {
                Some(foreign) => C::merge(foreign.empty, mine, theirs).map_err(Error::codec)?,
                None => mine.to_vec(),
            },
        };
        let data = C::decode(&merged).map_err(Error::codec)?;
        let permanent = match self.permanent == stored.header.permanent {
            true => newest.header.permanent,
            false => self.permanent,
        };
        let now = settings.clock.unix_millis();
        let mut again =
            Plan::to_write::<C>(plan.step, Some(newest.header), permanent, settings, now);
        if plan.step == Step::Update && merged == theirs && again.header.says::<C>(newest.header) {
            self.adopt(newest, data);
            return Ok(None);
        }
        let record = record::of_data::<C>(again.header, &merged).map_err(Error::codec)?;
        again.step = match plan.step {
            _ if self.draft.is_touched() && record::is_empty::<C>(&record) => Step::Clear,
            // What another request put in keeps the session.
            Step::Clear if self.fate == Fate::Rotate => Step::Rotate,
            Step::Clear => Step::Update,
            step => step,
        };
        Ok(Some(Merged { newest, plan: again, data, record }))
    }

    /// The session as it is now; `None`, and the end, when it is no more. Whoever
    /// has no `turn` yet waits for one, which lasts until the caller is done.
    pub(super) async fn load_newest<'t, K: Signer>(
        &mut self,
        sessions: &'t Sessions<S, C, K>,
        turn: &mut Option<Turn<'t>>,
    ) -> Result<Option<Newest<S>>, Error> {
        let settings = sessions.settings();
        if self.stored.is_none() {
            return Ok(None);
        }
        let key = &self.address.key;
        if turn.is_none() {
            *turn = Some(sessions.turns().wait(key).await);
        }
        let loaded = sessions.store().load(key, None).await.map_err(Error::store)?;
        let Some(record) = loaded else {
            self.end(Presented::Dead);
            return Ok(None);
        };
        let now = settings.clock.unix_millis();
        let end = match record::read::<C>(record.value.as_ref(), now) {
            Ok(Contents::Session(header, _)) => {
                let header = header.as_loaded(settings, now);
                return Ok(Some(Newest { header, record }));
            }
            Ok(Contents::Moved { to, .. }) => Presented::moved(to),
            Ok(Contents::Ended) => Presented::Dead,
            // Another version of the program has taken it over.
            Err(record::UnknownFormat) => Presented::Unreadable(Box::new(key.clone())),
        };
        self.end(end);
        Ok(None)
    }

    /// The store holds this version now, and nothing of ours is missing in it.
    pub(super) fn adopt(&mut self, newest: Newest<S>, data: C::Data) {
        let Some(stored) = &mut self.stored else { return };
        stored.header = newest.header;
        stored.revision = newest.record.revision;
        stored.record = Held::Loaded(newest.record.value);
        self.permanent = newest.header.permanent;
        self.data.set(data);
        self.draft.commit();
    }
}

impl<S: Store> Stored<S> {
    /// Replaces the record, if it is still the version that was `seen`: ours,
    /// unless another is named.
    pub(super) async fn swap<C: Codec>(
        &mut self,
        store: &S,
        key: &Key,
        record: &[u8],
        plan: Plan,
        seen: Option<&S::Revision>,
    ) -> Result<Update<()>, S::Error> {
        let seen = seen.unwrap_or(&self.revision);
        Ok(match store.update(key, record, plan.ttl, seen).await? {
            Update::Updated(revision) => {
                self.revision = revision;
                self.header = plan.header;
                self.record = Held::written::<C>(record);
                Update::Updated(())
            }
            Update::Conflict => Update::Conflict,
            Update::Gone => Update::Gone,
        })
    }
}

impl<S: Store> Newest<S> {
    pub(super) fn data<C: Codec>(&self) -> &[u8] {
        record::data_of::<C>(self.record.value.as_ref())
    }
}

/// Makes a record under a fresh id. A taken one is tried again, though only a
/// broken generator makes it.
pub(super) async fn create<S: Store, C: Codec, K: Signer>(
    sessions: &Sessions<S, C, K>,
    record: &[u8],
    plan: Plan,
) -> Result<(Address, Stored<S>), Error> {
    for _ in 0..MAX_ATTEMPTS {
        let address = Address::generate(sessions)?;
        let created = sessions.store().create(&address.key, record, plan.ttl).await;
        if let Create::Created(revision) = created.map_err(Error::store)? {
            let record = Held::written::<C>(record);
            return Ok((address, Stored { header: plan.header, record, revision }));
        }
    }
    Err(Error::Contended)
}
