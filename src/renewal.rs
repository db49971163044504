//! How uses of a session renew it.

/// When a use of a session lets its idle timeout begin anew, in the store and
/// in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Renewal {
    /// When less than this share of the idle timeout is left. Most requests
    /// then only read; a session that is in use ends between that share and the
    /// whole of the idle timeout after its last use.
    WhenBelow(Percent),
    /// At every request that opens the session. The store postpones the expiry
    /// in the round trip that reads the record, where it can.
    ///
    /// In sessions that Flask shares, each response sets the cookie again, unless it ends
    /// with the browser. A request that takes longer than 100 ms, and writes nothing, reads
    /// the record once more before that, so that it sends no id that another request has
    /// replaced.
    EveryRequest,
    /// Never: a session ends when the idle timeout has passed since its
    /// creation.
    Never,
}

impl Default for Renewal {
    fn default() -> Self {
        Self::WhenBelow(Percent::default())
    }
}

/// A share from 1 to 99 percent.
///
/// # Default
///
/// 80 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    percent: u8,
}

impl Percent {
    /// A share in percent.
    ///
    /// # Errors
    ///
    /// [`InvalidPercent`] when it is not from 1 to 99.
    pub const fn new(percent: u8) -> Result<Self, InvalidPercent> {
        match percent {
            1..=99 => Ok(Self { percent }),
            _ => Err(InvalidPercent),
        }
    }

    /// This share of a time in milliseconds.
    pub(crate) const fn of(self, millis: u64) -> u64 {
        millis.saturating_mul(self.percent as u64) / 100
    }
}

impl Default for Percent {
    fn default() -> Self {
        Self { percent: 80 }
    }
}

/// The share is not from 1 to 99 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a share is from 1 to 99 percent")]
#[non_exhaustive]
pub struct InvalidPercent;
