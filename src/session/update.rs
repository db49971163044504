//! The atomic read-modify-write.

use super::open::State;
use super::save::MAX_ATTEMPTS;
use super::state::Fate;
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::{Error, SessionError};
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec> State<S, C> {
    /// Calls `change` on a copy of the data, which takes their place only when
    /// it was stored.
    pub(super) async fn update<K, R, F>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        mut change: F,
    ) -> Result<R, SessionError<S, C>>
    where
        K: Signer,
        F: FnMut(&mut C::Data) -> R,
    {
        self.save(sessions).await?;
        if self.fate == Fate::Destroy {
            return Err(Error::Ended);
        }
        for _ in 0..MAX_ATTEMPTS {
            self.note_base().map_err(Error::Codec)?;
            let base = self.draft.base().unwrap_or_default();
            let mut data = C::decode(base).map_err(Error::Codec)?;
            let result = change(&mut data);

            let plan = self.plan_write(sessions.settings());
            let changed = self.draft.write::<C>(plan.header, &data).map_err(Error::Codec)?;
            if !changed {
                return Ok(result);
            }
            C::decode(self.draft.data()).map_err(Error::Codec)?;
            let stored = match &self.stored {
                None => self.create(sessions, plan).await?,
                Some(_) => self.swap(sessions, plan).await?,
            };
            if self.fate == Fate::Ended {
                return Err(Error::Ended);
            }
            if stored {
                self.data = data;
                return Ok(result);
            }
            if self.stored.is_some() {
                let newest = self.load_newest(sessions).await?.ok_or(Error::Ended)?;
                self.data = C::decode(newest.data()).map_err(Error::Codec)?;
                self.draft.commit();
                self.adopt(newest);
            }
        }
        Err(Error::Contended)
    }
}
