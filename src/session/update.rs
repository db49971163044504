//! The atomic read-modify-write.

use super::changes::Changes;
use super::merge::Ingredients;
use super::state::{DueCookie, Live, Place, State, Wish};
use super::write::{How, Proposal, Written, header_over, new_record, repeats_cookie, write};
use crate::codec::Codec;
use crate::config::Sessions;
use crate::error::Error;
use crate::record::Header;
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
        self.save_changes(sessions, false).await?;
        if self.wish == Wish::Destroy {
            return Err(Error::Ended);
        }
        let settings = sessions.settings();
        let mut changes = Changes::default();
        let mut result = None;
        if let Place::New | Place::Unreadable(_) = self.place {
            let mut data = copy::<C>(&self.data)?;
            changes.note::<C>(&data, 0);
            let result = change(&mut data);
            if changes.encode::<C>(&data)? {
                self.end_unreadable(sessions).await?;
                let now = settings.clock.unix_millis();
                let header = Header::begin(settings, self.permanent, now);
                let record = new_record::<C>(header, changes.after())?;
                self.create_record(sessions, header, record).await?;
                self.mark_saved();
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
            let header = header_over(seen.header, settings, None, false, now);
            let ingredients = Ingredients::<S, C> {
                data: &data,
                changes: &changes,
                seen,
                is_newest: false,
                drops_unknown: false,
            };
            let mut replacement = ingredients.combine(settings, header)?;
            replacement.data = Some(data);
            Ok(Proposal::Write(replacement))
        };
        let written = write(sessions, &mut self.place, How::Swap, false, propose).await?;
        match written {
            Written::Done(data) => {
                if self.is_by_older_key || repeats_cookie::<C>() {
                    self.repeat_cookie(settings.clock.unix_millis());
                }
                self.is_by_older_key = false;
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

fn copy<C: Codec>(data: &C::Data) -> Result<C::Data, Error> {
    let mut encoded = Vec::new();
    C::encode(data, &mut encoded).map_err(Error::codec)?;
    C::decode(&encoded).map_err(Error::codec)
}
