//! The atomic read-modify-write.

use super::draft::Draft;
use super::open::{Presented, State, Stored};
use super::plan::Plan;
use super::save::{MAX_ATTEMPTS, create};
use super::state::{Fate, Step, Ticket};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record;
use crate::signer::Signer;
use crate::store::{Store, Update};

impl<S: Store, C: Codec> State<S, C> {
    /// Calls `change` on a copy of the data, which takes their place only when
    /// it was stored.
    pub(super) async fn update<K, R, F>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        mut change: F,
    ) -> Result<R, Error>
    where
        K: Signer,
        F: FnMut(&mut C::Data) -> R,
    {
        self.save(sessions).await?;
        if self.fate == Fate::Destroy {
            return Err(Error::Ended);
        }
        let settings = sessions.settings();
        let mut draft = Draft::default();
        let mut turn = None;
        for _ in 0..MAX_ATTEMPTS {
            let mut data = self.copy().map_err(Error::codec)?;
            draft.commit();
            draft.note_base::<C>(&data, 0).map_err(Error::codec)?;
            let result = change(&mut data);

            let old = self.stored.as_ref().map(|stored| stored.header);
            let now = settings.clock.unix_millis();
            let plan = Plan::to_write::<C>(Step::Update, old, self.permanent, settings, now);
            let loaded = self.stored.as_ref().and_then(Stored::data::<C>);
            if !draft.write::<C>(plan.header, &data, loaded).map_err(Error::codec)? {
                return Ok(result);
            }
            C::decode(draft.decodable::<C>()).map_err(Error::codec)?;
            let emptied = record::is_empty::<C>(draft.record::<C>());
            let Some(stored) = &mut self.stored else {
                if !emptied {
                    let created = create(sessions, draft.record::<C>(), plan).await?;
                    self.created(created);
                }
                self.data.set(data);
                return Ok(result);
            };
            let record = draft.record::<C>();
            let updated = match emptied {
                true => self.clear(sessions, None).await?,
                false => stored
                    .swap::<C>(sessions.store(), &self.address.key, record, plan, None)
                    .await
                    .map_err(Error::store)?,
            };
            match updated {
                Update::Updated(()) if emptied => {
                    self.data.set(data);
                    return Ok(result);
                }
                Update::Updated(()) => {
                    if plan.sends_ticket {
                        self.ticket = Ticket::Send;
                    }
                    self.data.set(data);
                    self.draft.commit();
                    return Ok(result);
                }
                Update::Conflict => {
                    let newest =
                        self.load_newest(sessions, &mut turn).await?.ok_or(Error::Ended)?;
                    let data = C::decode(newest.data::<C>()).map_err(Error::codec)?;
                    self.adopt(newest, data);
                }
                Update::Gone => {
                    self.end(Presented::Dead);
                    return Err(Error::Ended);
                }
            }
        }
        Err(Error::Contended)
    }

    /// The data as they were stored last.
    fn copy(&self) -> Result<C::Data, C::Error> {
        if let Some(loaded) = self.stored.as_ref().and_then(Stored::data::<C>) {
            return C::decode(loaded);
        }
        let mut encoded = Vec::new();
        C::encode(&self.data, &mut encoded)?;
        C::decode(&encoded)
    }
}
