//! What a handler changed: the encoded data before and after.

use crate::codec::Codec;
use crate::error::Error;

/// The encoded data as they were, and as the handler made them. Both lie in one
/// buffer: `[before][after]`.
#[derive(Debug, Default)]
pub(super) struct Changes {
    buffer: Vec<u8>,
    before: Before,
}

/// The data before the handler changed them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    /// The handler did not ask for the data to change them.
    #[default]
    Untouched,
    /// This many bytes of the buffer. They were encoded from the very value that
    /// the handler then changed: a `HashMap` that is decoded twice has two orders,
    /// and would count as changed.
    Encoded(usize),
    /// They could not be encoded, so they count as changed.
    Unknown,
}

impl Changes {
    /// Notes what `data` are before they are changed, unless that was noted;
    /// `room` is how many bytes they are about.
    pub(super) fn note<C: Codec>(&mut self, data: &C::Data, room: usize) {
        if self.is_touched() {
            return;
        }
        self.buffer.clear();
        // For both versions, with a small change.
        self.buffer.reserve(2 * room + 64);
        self.before = match C::encode(data, &mut self.buffer) {
            Ok(()) => Before::Encoded(self.buffer.len()),
            Err(_) => Before::Unknown,
        };
    }

    /// The data count as changed from `before`, which was encoded.
    pub(super) fn begin_from(&mut self, before: Vec<u8>) {
        self.before = Before::Encoded(before.len());
        self.buffer = before;
    }

    pub(super) fn is_touched(&self) -> bool {
        self.before != Before::Untouched
    }

    /// Encodes the data as they are now, and says whether they have changed.
    pub(super) fn encode<C: Codec>(&mut self, data: &C::Data) -> Result<bool, Error> {
        self.buffer.truncate(self.before_len());
        C::encode(data, &mut self.buffer).map_err(Error::codec)?;
        Ok(self.before() != Some(self.after()))
    }

    /// The encoded data before the change; `None` where they could not be encoded.
    pub(super) fn before(&self) -> Option<&[u8]> {
        match self.before {
            Before::Encoded(len) => self.buffer.get(..len),
            Before::Untouched | Before::Unknown => None,
        }
    }

    /// The data as encoded last.
    pub(super) fn after(&self) -> &[u8] {
        self.buffer.get(self.before_len()..).unwrap_or_default()
    }

    /// The store holds the data as they are now.
    pub(super) const fn clear(&mut self) {
        self.before = Before::Untouched;
    }

    const fn before_len(&self) -> usize {
        match self.before {
            Before::Encoded(len) => len,
            Before::Untouched | Before::Unknown => 0,
        }
    }
}
