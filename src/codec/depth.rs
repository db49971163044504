//! How deep session data may be nested.

/// Levels of lists, maps, structs and variants with content inside the data
/// themselves.
///
/// Their depth is that of the stack: a limit keeps data that were sent by a client
/// from ending the process.
pub(super) const MAX_LEVELS: u8 = 100;

/// Options and newtypes on the way to a value. They leave no trace in the bytes, so
/// some types could otherwise be read for ever: `struct Chain(Option<Box<Chain>>)`.
const MAX_WRAPPERS: u8 = 200;

/// How much deeper a value may be nested.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    levels: u8,
    wrappers: u8,
}

impl Depth {
    /// That of the data themselves.
    pub(super) const TOP: Self = Self { levels: MAX_LEVELS + 1, wrappers: MAX_WRAPPERS };

    /// Inside a list, map, struct or variant. `None` where the limit is reached.
    pub(super) fn inside(self) -> Option<Self> {
        Some(Self { levels: self.levels.checked_sub(1)?, ..self })
    }

    /// Inside an option or a newtype.
    pub(super) fn wrapped(self) -> Option<Self> {
        Some(Self { wrappers: self.wrappers.checked_sub(1)?, ..self })
    }
}
