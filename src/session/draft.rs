//! The encoded data, before and after the handler changed them.

use crate::codec::Codec;
use crate::record::{self, HEADER_BYTES, Header};

/// One buffer for both: `[base][header][data]`. The base is what the data were
/// when they were last as in the store, the rest is the record to be written.
///
/// A record in a foreign format stands apart, since it also holds what the data
/// do not name: `[base][data]`.
#[derive(Debug, Default)]
pub(super) struct Draft {
    buffer: Vec<u8>,
    base: Base,
    foreign: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Base {
    /// Nobody could have changed the data since they were loaded or saved.
    #[default]
    Untouched,
    /// The first bytes of the buffer. They were encoded from the very value that
    /// is then changed, so that a `HashMap` has the same order in both and
    /// counts as changed only when it was.
    Encoded(usize),
    /// The data could not be encoded, so they count as changed.
    Unknown,
}

impl Draft {
    /// Notes what `data` are before they are changed; `room` is how many bytes
    /// they are about.
    pub(super) fn note_base<C: Codec>(
        &mut self,
        data: &C::Data,
        room: usize,
    ) -> Result<(), C::Error> {
        if self.is_touched() {
            return Ok(());
        }
        self.base = Base::Unknown;
        self.buffer.clear();
        // For both versions, with a small change.
        self.buffer.reserve(2 * room + HEADER_BYTES + 64);
        C::encode(data, &mut self.buffer)?;
        self.base = Base::Encoded(self.buffer.len());
        Ok(())
    }

    /// HOOK of `detach`: the data count as changed, so that a new session is stored.
    pub(super) const fn note_unknown_base(&mut self) {
        self.base = Base::Unknown;
    }

    /// What the data were; `None` when they were not touched.
    pub(super) fn base(&self) -> Option<&[u8]> {
        match self.base {
            Base::Encoded(len) => self.buffer.get(..len),
            Base::Untouched | Base::Unknown => None,
        }
    }

    pub(super) const fn is_touched(&self) -> bool {
        !matches!(self.base, Base::Untouched)
    }

    /// Writes the record of `data`, and says whether they differ from the base.
    /// `stored` is the record that it replaces.
    pub(super) fn write<C: Codec>(
        &mut self,
        header: Header,
        data: &C::Data,
        stored: Option<&[u8]>,
    ) -> Result<bool, C::Error> {
        self.buffer.truncate(self.base_len());
        if C::FOREIGN.is_none() {
            header.write(&mut self.buffer);
        }
        C::encode(data, &mut self.buffer)?;
        if let Some(foreign) = C::FOREIGN {
            // A merge takes no more from the data than it may, also in a new record.
            let (base, stored) = match stored {
                None => (foreign.empty, foreign.empty),
                Some(stored) => (self.base().unwrap_or(foreign.empty), stored),
            };
            let merged = C::merge(base, self.data::<C>(), stored)?;
            self.foreign = record::of_data::<C>(header, &merged)?;
        }
        Ok(self.base() != Some(self.data::<C>()))
    }

    /// Writes the record of data that are encoded already.
    pub(super) fn write_encoded<C: Codec>(
        &mut self,
        header: Header,
        data: &[u8],
    ) -> Result<(), C::Error> {
        if C::FOREIGN.is_some() {
            self.foreign = record::of_data::<C>(header, data)?;
            return Ok(());
        }
        self.buffer.truncate(self.base_len());
        header.write(&mut self.buffer);
        self.buffer.extend_from_slice(data);
        Ok(())
    }

    /// The record as written last.
    pub(super) fn record<C: Codec>(&self) -> &[u8] {
        match C::FOREIGN {
            Some(_) => &self.foreign,
            None => self.buffer.get(self.base_len()..).unwrap_or_default(),
        }
    }

    /// The data in the record, which are read when it is loaded.
    pub(super) fn decodable<C: Codec>(&self) -> &[u8] {
        record::data_of::<C>(self.record::<C>())
    }

    /// The data as encoded last.
    pub(super) fn data<C: Codec>(&self) -> &[u8] {
        let header = if C::FOREIGN.is_some() { 0 } else { HEADER_BYTES };
        self.buffer.get(self.base_len() + header..).unwrap_or_default()
    }

    /// The record was stored: the data are as in the store again.
    pub(super) const fn commit(&mut self) {
        self.base = Base::Untouched;
    }

    const fn base_len(&self) -> usize {
        match self.base {
            Base::Encoded(len) => len,
            Base::Untouched | Base::Unknown => 0,
        }
    }
}
