//! Our changes on top of what the store holds.

use super::changes::Changes;
use super::state::Live;
use crate::codec::Codec;
use crate::config::{OnConflict, Settings};
use crate::error::Error;
use crate::record::{Format, Header};
use crate::store::Store;

/// A record to be written.
pub(super) struct Replacement<D> {
    pub(super) header: Header,
    pub(super) record: Vec<u8>,
    /// The data in it, where they are not those that the handler has.
    pub(super) data: Option<D>,
}

/// What a record is made of.
pub(super) struct Ingredients<'a, S: Store, C: Codec> {
    /// The data as the handler left them.
    pub(super) data: &'a C::Data,
    /// What it changed. It was encoded.
    pub(super) changes: &'a Changes,
    /// The version that the store holds.
    pub(super) seen: &'a Live<S>,
    /// Whether another request has written that version since ours was read.
    pub(super) is_newest: bool,
    /// Whether entries and extensions go that this program does not know.
    pub(super) drops_unknown: bool,
}

impl<S: Store, C: Codec> Ingredients<'_, S, C> {
    /// The record to be written.
    pub(super) fn combine(
        &self,
        settings: &Settings,
        header: Header,
    ) -> Result<Replacement<C::Data>, Error> {
        let stored = self.seen.data::<C>();
        let extensions = match self.drops_unknown {
            true => &[],
            false => C::Record::extensions(self.seen.bytes()),
        };
        let mut record =
            Vec::with_capacity(self.seen.bytes().len() + 2 * self.changes.after().len());
        C::Record::begin(header, extensions, &mut record);
        match (self.changes.is_touched(), self.is_newest, self.drops_unknown) {
            (false, _, false) => record.extend_from_slice(stored),
            (false, false, true) => {
                C::encode(self.data, &mut record).map_err(Error::codec)?;
            }
            (true, false, true) => record.extend_from_slice(self.changes.after()),
            (true, false, false) => {
                let (before, after) = (self.changes.before(), self.changes.after());
                C::retain(before, after, stored, &mut record).map_err(Error::codec)?;
            }
            (false, true, true) => {
                let seen = encode::<C>(self.data)?;
                record.extend_from_slice(&C::known(&[&seen], stored).map_err(Error::codec)?);
            }
            (true, true, true) => {
                let seen = [self.changes.before().unwrap_or_default(), self.changes.after()];
                let known = C::known(&seen, stored).map_err(Error::codec)?;
                record.extend_from_slice(&merge::<C>(self.changes, settings, &known)?);
            }
            (true, true, false) => {
                record.extend_from_slice(&merge::<C>(self.changes, settings, stored)?);
            }
        }
        C::Record::finish(header, &mut record);
        if !self.changes.is_touched() && !self.is_newest {
            return Ok(Replacement { header, record, data: None });
        }
        // Some data can be written in a format, and not be read back from it.
        let data = C::decode(C::Record::data(&record)).map_err(Error::codec)?;
        Ok(Replacement { header, record, data: self.is_newest.then_some(data) })
    }
}

/// What this request changed, over what another request has written meanwhile.
fn merge<C: Codec>(
    changes: &Changes,
    settings: &Settings,
    theirs: &[u8],
) -> Result<Vec<u8>, Error> {
    let after = changes.after();
    match (changes.before(), &settings.on_conflict) {
        (None, _) => Ok(after.to_vec()),
        (Some(before), OnConflict::Custom(merge)) => {
            merge(before, after, theirs).ok_or(Error::Conflict)
        }
        (Some(before), _) => C::merge(before, after, theirs).map_err(Error::codec),
    }
}

/// What this request changed, on top of `newest`. The changes count from there.
pub(super) fn rebase<C: Codec>(
    changes: &mut Changes,
    data: &C::Data,
    newest: C::Data,
    settings: &Settings,
) -> Result<C::Data, Error> {
    if !changes.is_touched() || !changes.encode::<C>(data)? {
        changes.clear();
        return Ok(newest);
    }
    let theirs = encode::<C>(&newest)?;
    let merged = merge::<C>(changes, settings, &theirs)?;
    let data = C::decode(&merged).map_err(Error::codec)?;
    let ours = encode::<C>(&data)?;
    // What both have in common must not count as changed: a `HashMap` that was decoded
    // once more has another order.
    let before = C::merge(&merged, &theirs, &ours).map_err(Error::codec)?;
    changes.begin_from(before);
    Ok(data)
}

/// The default data, with what this request changed: what is left where the record is
/// gone. `None` for changed data that are one value.
pub(super) fn over_default<C: Codec>(changes: &Changes) -> Result<Option<C::Data>, Error> {
    if !changes.is_touched() {
        return Ok(Some(C::Data::default()));
    }
    let (Some(before), after) = (changes.before(), changes.after()) else { return Ok(None) };
    let default = encode::<C>(&C::Data::default())?;
    if before != default && before != after && !C::has_fields() {
        return Ok(None);
    }
    let merged = C::merge(before, after, &default).map_err(Error::codec)?;
    C::decode(&merged).map(Some).map_err(Error::codec)
}

fn encode<C: Codec>(data: &C::Data) -> Result<Vec<u8>, Error> {
    let mut encoded = Vec::new();
    C::encode(data, &mut encoded).map_err(Error::codec)?;
    Ok(encoded)
}
