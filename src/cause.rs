//! What the log says about the cause of a fault.

use std::error::Error;
use std::{fmt, io, iter};

use crate::codec::{Undecodable, Unrepresentable};

/// What the log may say about the cause of a fault: what the system answered to a
/// store, and why a codec refused. Every other message may repeat a key or session
/// data.
pub(crate) fn cause_of(error: &(dyn Error + 'static)) -> Option<impl fmt::Display> {
    iter::successors(error.source(), |&error| error.source()).find_map(Cause::of)
}

enum Cause<'a> {
    System(&'a io::Error),
    Unrepresentable(Unrepresentable),
    Undecodable(Undecodable),
}

impl<'a> Cause<'a> {
    fn of(error: &'a (dyn Error + 'static)) -> Option<Self> {
        let unrepresentable = || error.downcast_ref().copied().map(Self::Unrepresentable);
        let undecodable = || error.downcast_ref().copied().map(Self::Undecodable);
        error.downcast_ref().map(Self::System).or_else(unrepresentable).or_else(undecodable)
    }
}

impl fmt::Display for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrepresentable(reason) => reason.fmt(f),
            Self::Undecodable(reason) => reason.fmt(f),
            Self::System(error) if error.get_ref().is_none() => error.fmt(f),
            // Another crate wrote its message, which may quote data.
            Self::System(error) => error.kind().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("a secret")]
    struct Link<E: Error + 'static>(#[source] E);

    fn logged(error: impl Error + 'static) -> Option<String> {
        cause_of(&error).map(|cause| cause.to_string())
    }

    #[test]
    fn what_the_system_answered_is_logged_however_deep_it_lies() {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(logged(Link(refused())).as_deref(), Some("connection refused"));
        assert_eq!(logged(Link(Link(refused()))).as_deref(), Some("connection refused"));
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(logged(Link(full)), Some(io::Error::from_raw_os_error(28).to_string()));
    }

    #[test]
    fn why_a_codec_refused_is_logged() {
        let refusal = Unrepresentable::WithoutNames;
        assert_eq!(logged(Link(Link(refusal))), Some(refusal.to_string()));
        let reason = Undecodable::new("they end too soon");
        assert_eq!(logged(Link(Link(reason))), Some(reason.to_string()));
        assert_eq!(Undecodable::behind(&Link(reason)), Some(reason));
        assert_eq!(Undecodable::behind(&Link(fmt::Error)), None);
    }

    #[test]
    fn no_other_message_is_logged() {
        assert_eq!(logged(Link(Link(fmt::Error))), None);
        let other = io::Error::new(io::ErrorKind::TimedOut, "a secret");
        assert_eq!(logged(Link(other)).as_deref(), Some("timed out"));
        let wrapped = io::Error::other(Link(io::Error::from(io::ErrorKind::BrokenPipe)));
        assert_eq!(logged(Link(wrapped)).as_deref(), Some("other error"));
    }
}
