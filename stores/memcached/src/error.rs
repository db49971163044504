//! Faults: [`MemcachedError`].

use std::error::Error;
use std::fmt;
use std::io;

/// A fault of [`Memcached`](crate::Memcached).
///
/// It does not repeat what the server wrote.
pub struct MemcachedError {
    fault: Fault,
}

enum Fault {
    /// A reply or a new connection took too long.
    TimedOut,
    /// All connections were in use for too long.
    Busy,
    Connection(io::Error),
    /// The URL cannot be used.
    Unusable,
    UnknownCommand,
    WithoutCas,
    Refused,
    Unexpected,
    TooLarge,
    Full,
}

impl MemcachedError {
    pub(crate) const TIMED_OUT: Self = Self { fault: Fault::TimedOut };
    pub(crate) const BUSY: Self = Self { fault: Fault::Busy };
    pub(crate) const UNUSABLE: Self = Self { fault: Fault::Unusable };
    pub(crate) const UNKNOWN_COMMAND: Self = Self { fault: Fault::UnknownCommand };
    pub(crate) const WITHOUT_CAS: Self = Self { fault: Fault::WithoutCas };
    pub(crate) const REFUSED: Self = Self { fault: Fault::Refused };
    pub(crate) const UNEXPECTED: Self = Self { fault: Fault::Unexpected };
    pub(crate) const TOO_LARGE: Self = Self { fault: Fault::TooLarge };
    pub(crate) const FULL: Self = Self { fault: Fault::Full };

    /// Whether a timeout ended the operation: while it waited for a reply, or for a
    /// connection.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.fault, Fault::TimedOut | Fault::Busy)
    }

    /// Whether the value is larger than the server accepts, or than
    /// [`max_value_bytes`](crate::MemcachedOptions::max_value_bytes) allows.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.fault, Fault::TooLarge)
    }

    /// Whether other connections to the server may be broken, too.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self.fault, Fault::TimedOut | Fault::Connection(_))
    }

    /// Whether the server answered and refused the command.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.fault, Fault::UnknownCommand | Fault::Refused)
    }
}

impl From<io::Error> for MemcachedError {
    fn from(error: io::Error) -> Self {
        Self { fault: Fault::Connection(error) }
    }
}

impl fmt::Display for MemcachedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.fault {
            Fault::TimedOut => "Memcached did not answer in time",
            Fault::Busy => "no connection to Memcached became free in time",
            Fault::Connection(_) => "the connection to Memcached failed",
            Fault::Unusable => {
                "the URL is not one of Memcached: write `memcached://host:port`, without a password"
            }
            Fault::UnknownCommand => "Memcached does not know a command: use version 1.6 or newer",
            Fault::WithoutCas => {
                "Memcached runs with `-C`, which turns CAS tokens off: start it without"
            }
            Fault::Refused => "Memcached refused a command",
            Fault::Unexpected => "Memcached sent an unexpected reply",
            Fault::TooLarge => "the value is larger than Memcached accepts",
            Fault::Full => "Memcached has no memory left for the value",
        })
    }
}

impl fmt::Debug for MemcachedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemcachedError({self})")
    }
}

impl Error for MemcachedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::Connection(error) => Some(error),
            _ => None,
        }
    }
}
