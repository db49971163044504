//! Faults: [`MongoDbError`].

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use mongodb::error::{CommandError, ErrorKind, WriteConcernError, WriteFailure};

/// A fault of [`MongoDb`](crate::MongoDb).
///
/// Of what the server wrote, it repeats only the number and the name (`13`, `Unauthorized`):
/// messages of the server may contain keys.
pub struct MongoDbError {
    fault: Fault,
}

enum Fault {
    TimedOut,
    /// A connection failed, or could not be made.
    Connection(Option<Arc<io::Error>>),
    /// No server answered, or none that accepts writes.
    NoPrimary,
    /// The URL or the settings cannot be used.
    Unusable,
    SignIn,
    Refused(i32, Box<str>),
    /// The write happened, but may not last.
    Unconfirmed,
    Duplicates,
    Unexpected,
    TooLarge,
    Stopped,
}

impl MongoDbError {
    pub(crate) const TIMED_OUT: Self = Self { fault: Fault::TimedOut };
    pub(crate) const UNEXPECTED: Self = Self { fault: Fault::Unexpected };
    pub(crate) const TOO_LARGE: Self = Self { fault: Fault::TooLarge };
    pub(crate) const STOPPED: Self = Self { fault: Fault::Stopped };

    pub(crate) fn of(error: mongodb::error::Error) -> Self {
        let fault = match *error.kind {
            ErrorKind::Io(error) if error.kind() == io::ErrorKind::TimedOut => Fault::TimedOut,
            ErrorKind::Io(error) => Fault::Connection(Some(error)),
            ErrorKind::ConnectionPoolCleared { .. } => Fault::Connection(None),
            ErrorKind::ServerSelection { .. } => Fault::NoPrimary,
            ErrorKind::InvalidArgument { .. }
            | ErrorKind::InvalidTlsConfig { .. }
            | ErrorKind::DnsResolve { .. } => Fault::Unusable,
            ErrorKind::Authentication { .. } => Fault::SignIn,
            ErrorKind::Command(CommandError { code, code_name, .. }) => refused(code, &code_name),
            ErrorKind::Write(WriteFailure::WriteError(error)) => {
                refused(error.code, error.code_name.as_deref().unwrap_or_default())
            }
            ErrorKind::Write(WriteFailure::WriteConcernError(WriteConcernError { .. })) => {
                Fault::Unconfirmed
            }
            ErrorKind::Shutdown => Fault::Stopped,
            _ => Fault::Unexpected,
        };
        Self { fault }
    }

    /// A fault of the URL, before anything was sent.
    pub(crate) fn of_url(_: mongodb::error::Error) -> Self {
        Self { fault: Fault::Unusable }
    }

    pub(crate) fn of_migration(error: mongodb::error::Error) -> Self {
        if is_duplicate(&error) { Self { fault: Fault::Duplicates } } else { Self::of(error) }
    }

    /// Whether the deadline ended the operation.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.fault, Fault::TimedOut)
    }

    /// Whether the value is longer than a document can hold.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.fault, Fault::TooLarge)
    }
}

/// Whether the unique index refused a document.
pub(crate) fn is_duplicate(error: &mongodb::error::Error) -> bool {
    const DUPLICATE_KEY: i32 = 11_000;
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::Command(error) => error.code == DUPLICATE_KEY,
        _ => false,
    }
}

fn refused(code: i32, name: &str) -> Fault {
    const AUTHENTICATION_FAILED: i32 = 18;
    const MAX_TIME_EXPIRED: i32 = 50;
    const OBJECT_TOO_LARGE: [i32; 3] = [10_334, 17_419, 17_420];
    match code {
        AUTHENTICATION_FAILED => Fault::SignIn,
        MAX_TIME_EXPIRED => Fault::TimedOut,
        code if OBJECT_TOO_LARGE.contains(&code) => Fault::TooLarge,
        // A name is one word. Anything else could be a message.
        code if name.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Fault::Refused(code, name.into())
        }
        code => Fault::Refused(code, Box::default()),
    }
}

impl fmt::Display for MongoDbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.fault {
            Fault::TimedOut => "MongoDB did not answer in time",
            Fault::Connection(_) => "the connection to MongoDB failed",
            Fault::NoPrimary => "no primary of MongoDB could be reached",
            Fault::Unusable => {
                "no connection to MongoDB can be made from this URL; `mongodb+srv` needs the feature `dns-resolver` of the crate `mongodb`"
            }
            Fault::SignIn => "MongoDB refused the user name or the password",
            Fault::Refused(code, name) if name.is_empty() => {
                return write!(f, "MongoDB refused a command: {code}");
            }
            Fault::Refused(code, name) => {
                return write!(f, "MongoDB refused a command: {code} ({name})");
            }
            Fault::Unconfirmed => "a write to MongoDB was not confirmed, and may be undone",
            Fault::Duplicates => {
                "several documents have the same id: remove all but one, so that MongoDB can make the index"
            }
            Fault::Unexpected => "MongoDB sent an unexpected reply",
            Fault::TooLarge => {
                "the value is longer than the 8 MiB that fit beside the one that it replaces"
            }
            Fault::Stopped => "the runtime or the client of MongoDB is shutting down",
        })
    }
}

impl fmt::Debug for MongoDbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MongoDbError({self})")
    }
}

impl Error for MongoDbError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::Connection(Some(error)) => Some(&**error),
            _ => None,
        }
    }
}
