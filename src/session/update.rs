//! The atomic read-modify-write.

use super::changes::Changes;
use super::merge::Ingredients;
use super::state::{DueCookie, Live, Place, State, Wish};
use super::write::{How, Proposal, Written, header_over, new_record, write};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record::{Format, Header};
use crate::signer::Signer;
use crate::store::Store;

impl<S: Store, C: Codec> State<S, C> {
    /// Calls `change` on a copy of the data, which takes their place once it was
    /// stored.
    pub(super) async fn update<K, R, F>(
        &mut self,
        sessions: &Sessions<S, C, K>,
        mut change: F,
    ) -> Result<R, Error>
    where
        K: Signer,
        F: FnMut(&mut C::Data) -> R,
    {
        self.save_changes(sessions).await?;
        if self.wish == Wish::Destroy {
            return Err(Error::Ended);
        }
        let settings = sessions.settings();
        let mut changes = Changes::default();
        let mut result = None;
        if let Place::New = self.place {
            changes.note::<C>(&self.data, 0);
            let before = changes.before().ok_or(Error::Ended);
            let mut data = C::decode(before?).map_err(Error::codec)?;
            let result = change(&mut data);
            if changes.encode::<C>(&data)? {
                let now = settings.clock.unix_millis();
                let header = Header::begin(settings, self.permanent, now);
                let record = new_record::<C>(header, changes.after())?;
                self.create_record(sessions, header, record).await?;
            }
            self.data = data;
            return Ok(result);
        }
        let propose = |seen: &Live<S>, is_newest: bool| {
            let mut data = C::decode(seen.data::<C>()).map_err(Error::codec)?;
            changes.clear();
            changes.note::<C>(&data, seen.data::<C>().len());
            result = Some(change(&mut data));
            if !changes.encode::<C>(&data)? {
                // The answer must be as current as one that writes.
                return Ok(match is_newest {
                    true => Proposal::Nothing(Some(data)),
                    false => Proposal::LookAgain,
                });
            }
            let now = settings.clock.unix_millis();
            let header = header_over::<C>(seen.header, settings, None, false, now);
            let ingredients = Ingredients::<S, C> {
                data: &data,
                changes: &changes,
                seen,
                is_newest: false,
                drops_unknown: false,
            };
            let mut draft = ingredients.combine(settings, header)?;
            draft.data = Some(data);
            Ok(Proposal::Write(Box::new(draft)))
        };
        let written = write(sessions, &mut self.place, How::Swap, false, propose).await?;
        match written {
            Written::Stored(data) => {
                if !C::Record::SAYS_TIMES {
                    self.cookie = DueCookie::Repeat { seen_at: settings.clock.unix_millis() };
                }
                self.take_over(data);
            }
            Written::Nothing(data) => self.take_over(data),
            Written::Cleared(data) => {
                self.cookie = DueCookie::Remove;
                self.take_over(data);
            }
            Written::Gone => {
                self.cookie = DueCookie::Keep;
                return Err(self.place.why_gone());
            }
        }
        result.ok_or(Error::Ended)
    }
}
