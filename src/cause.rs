//! What the log says about the cause of a fault.

use std::error::Error;
use std::{fmt, io, iter};

/// What the log may say about the cause of a store's fault: what the system
/// answered. Every other message may repeat a key or session data.
pub(crate) fn cause_of(error: &(dyn Error + 'static)) -> Option<impl fmt::Display> {
    iter::successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>())
        .map(SystemFault)
}

/// An I/O error without the message of whoever made it.
struct SystemFault<'a>(&'a io::Error);

impl fmt::Display for SystemFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get_ref() {
            None => self.0.fmt(f),
            Some(_) => self.0.kind().fmt(f),
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
    fn no_other_message_is_logged() {
        assert_eq!(logged(Link(Link(fmt::Error))), None);
        let other = io::Error::new(io::ErrorKind::TimedOut, "a secret");
        assert_eq!(logged(Link(other)).as_deref(), Some("timed out"));
        let wrapped = io::Error::other(Link(io::Error::from(io::ErrorKind::BrokenPipe)));
        assert_eq!(logged(Link(wrapped)).as_deref(), Some("other error"));
    }
}
