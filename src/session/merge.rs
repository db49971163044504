//! Our changes on top of what the store holds.

use super::changes::Changes;
use super::state::Live;
use super::write::Draft;
use crate::codec::Codec;
use crate::config::{OnConflict, Settings};
use crate::error::Error;
use crate::record::{Format, Header};
use crate::store::Store;

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
    ) -> Result<Draft<C::Data>, Error> {
        let stored = self.seen.data::<C>();
        let all = match (self.changes.is_touched(), self.is_newest) {
            (false, _) => stored.to_vec(),
            (true, false) => self.retain(stored)?,
            (true, true) => self.merge(settings, stored)?,
        };
        let known = || match (self.changes.is_touched(), self.is_newest) {
            (false, false) => encode::<C>(self.data),
            (true, false) => Ok(self.changes.after().to_vec()),
            (touched, true) => {
                let theirs = encode::<C>(&C::decode(stored).map_err(Error::codec)?)?;
                if touched { self.merge(settings, &theirs) } else { Ok(theirs) }
            }
        };
        let must_drop = self.drops_unknown || (C::Record::SAYS_TIMES && self.is_reset(&all)?);
        if !must_drop {
            let record = self.record(header, &all);
            if !self.changes.is_touched() && !self.is_newest {
                return Ok(Draft { header, record, data: None });
            }
            // Some data can be written in a format, and not be read back from it.
            match C::decode(C::Record::data(&record)) {
                Ok(data) => {
                    return Ok(Draft { header, record, data: self.is_newest.then_some(data) });
                }
                // Entries that this program does not know may be in the way.
                Err(_) if C::Record::SAYS_TIMES => {}
                Err(error) => return Err(Error::codec(error)),
            }
        }
        let record = self.record(header, &known()?);
        let data = C::decode(C::Record::data(&record)).map_err(Error::codec)?;
        Ok(Draft { header, record, data: self.is_newest.then_some(data) })
    }

    fn record(&self, header: Header, data: &[u8]) -> Vec<u8> {
        let extensions = match self.drops_unknown {
            true => &[],
            false => C::Record::extensions(self.seen.bytes()),
        };
        let mut record = Vec::with_capacity(data.len() + extensions.len() + 64);
        C::Record::begin(header, extensions, &mut record);
        record.extend_from_slice(data);
        C::Record::finish(header, &mut record);
        record
    }

    /// What this request changed, over the version that it changed.
    fn retain(&self, stored: &[u8]) -> Result<Vec<u8>, Error> {
        let after = self.changes.after();
        let Some(before) = self.changes.before() else { return Ok(after.to_vec()) };
        C::retain(before, after, stored).map_err(Error::codec)
    }

    /// What this request changed, over what another request has written meanwhile.
    fn merge(&self, settings: &Settings, theirs: &[u8]) -> Result<Vec<u8>, Error> {
        let after = self.changes.after();
        match (self.changes.before(), &settings.on_conflict) {
            (None, _) => Ok(after.to_vec()),
            (Some(before), OnConflict::Custom(merge)) => {
                merge(before, after, theirs).ok_or(Error::Conflict)
            }
            (Some(before), _) => C::merge(before, after, theirs).map_err(Error::codec),
        }
    }

    /// Whether the handler made the data the default again, while there is more in the
    /// record than this program knows.
    fn is_reset(&self, all: &[u8]) -> Result<bool, Error> {
        let after = self.changes.after();
        if !self.changes.is_touched() || all == after {
            return Ok(false);
        }
        Ok(encode::<C>(&C::Data::default())? == after)
    }
}

/// The default data, with what this request changed: what is left where the record is
/// gone. `None` for changed data that are one value.
pub(super) fn over_default<C: Codec>(changes: &Changes) -> Result<Option<C::Data>, Error> {
    let (Some(before), after) = (changes.before(), changes.after()) else { return Ok(None) };
    if !changes.is_touched() || before == after {
        return Ok(Some(C::Data::default()));
    }
    if !C::has_fields() {
        return Ok(None);
    }
    let default = encode::<C>(&C::Data::default())?;
    let merged = C::merge(before, after, &default).map_err(Error::codec)?;
    C::decode(&merged).map(Some).map_err(Error::codec)
}

fn encode<C: Codec>(data: &C::Data) -> Result<Vec<u8>, Error> {
    let mut encoded = Vec::new();
    C::encode(data, &mut encoded).map_err(Error::codec)?;
    Ok(encoded)
}
