//! What can go wrong with files.

use std::io;

/// A fault of the [`File`](super::File) store. No message names a path or a
/// key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Group or others may write to the directory, and so could make sessions.
    #[error("the session directory is writable by its group or by others; take that away from it")]
    SharedDirectory,
    /// The directory belongs to another user, who could make sessions.
    #[error("the session directory does not belong to the user whose files are put there")]
    ForeignDirectory,
    /// The mode lets others write, or does not let the owner read and write.
    #[error("the mode of session files is one of 0600, 0640, 0604 and 0644")]
    InvalidMode,
    /// Something else stands in the place of a lock file.
    #[error("a lock of the session directory is not a regular file")]
    InvalidLock,
    /// Another process kept a lock for too long, or the disk did not answer. The operation may
    /// or may not have happened.
    #[error("a session file could not be used in time")]
    TimedOut,
    /// The value is longer than 64 MiB.
    #[error("the value is longer than a session file holds")]
    TooLarge,
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness for a revision")]
    NoRandomness,
    /// There is no tokio runtime here to run blocking work on.
    #[error("sessions in files need a tokio runtime")]
    NoRuntime,
    /// The work panicked, or the tokio runtime ended before it began.
    #[error("the work on a session file was stopped")]
    Stopped,
    /// The system refused an operation.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl FileError {
    /// For `map_err`: names what was being done.
    pub(super) fn io<E: Into<io::Error>>(doing: &'static str) -> impl FnOnce(E) -> Self {
        move |error| Self::Io { doing, source: error.into() }
    }
}
