//! The formats of records: [`RecordFormat`].

#![expect(unnameable_types, reason = "what a sealed trait is made of")]

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::header::Header;
use crate::codec::Undecodable;
use crate::renewal::Renewal;
use crate::store::Key;

/// A format of records. A [`Codec`](crate::Codec) names the one that its data are
/// kept in: `NativeRecord`, unless another program reads them.
///
/// It is sealed: there are two formats.
pub trait RecordFormat: sealed::Format {}

pub(crate) mod sealed {
    use super::{Act, Contents, CookieEnds, Header, Key, Renewal, Unreadable};

    /// What the session asks of a format.
    pub trait Format: Send + Sync + 'static {
        /// When the cookie of a permanent session ends.
        const COOKIE_ENDS: CookieEnds;

        /// Whether entries of the data that this program does not know are those of
        /// other versions of it. Otherwise another program may have put them there.
        const OWNS_UNKNOWN_ENTRIES: bool;

        /// How uses can renew the session, where the application chose this.
        fn renewal(chosen: Renewal) -> Renewal;

        /// The times in a header, if the record says them.
        fn times(header: Header) -> Option<Header>;

        /// Reads a record at the time `now`, in Unix milliseconds.
        fn read(record: &[u8], now: u64) -> Result<Contents<'_>, Unreadable>;

        /// The encoded data in the record of a session.
        fn data(record: &[u8]) -> &[u8];

        /// The extension block of the record of a session.
        fn extensions(record: &[u8]) -> &[u8];

        /// Begins the record of a session. The encoded data follow.
        fn begin(header: Header, extensions: &[u8], out: &mut Vec<u8>);

        /// Appends the encoded data of a new session.
        fn append_new(data: &[u8], out: &mut Vec<u8>);

        /// Completes the record of a session once its data were appended.
        fn finish(header: Header, out: &mut Vec<u8>);

        /// Whether the record of a session holds nothing that is worth keeping.
        fn is_empty(record: &[u8]) -> bool;

        /// The note that says where a session went, at the time `now`.
        fn moved(to: &Key, act: Act, now: u64) -> Vec<u8>;

        /// The note that a session ended, at the time `now`.
        fn ended(now: u64) -> Vec<u8>;
    }
}

/// When the cookie of a permanent session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum CookieEnds {
    /// At the absolute end of the session, so that no use has to repeat the cookie.
    WithSession,
    /// When the idle lifetime has passed since the response, as Flask's does.
    WhenIdle,
}

/// What stood in a record.
#[derive(Debug)]
#[doc(hidden)]
pub enum Contents<'a> {
    /// A session: what its record says, and its encoded data.
    Session(Header, &'a [u8]),
    /// A note: the session was given a fresh id.
    Moved {
        to: Destination,
        /// What gave it the fresh id, if the note says it.
        act: Option<Act>,
        /// Unix milliseconds.
        at: u64,
    },
    /// A note: the session ended.
    Ended {
        /// Unix milliseconds.
        at: u64,
    },
    /// The index of a user's sessions, which is no session.
    Index,
}

/// What gave a session its fresh id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Act {
    Rotation,
    SignIn,
}

/// Where a session was moved to.
#[derive(Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Destination {
    Key(Box<Key>),
    /// A digest of the key, which leads nowhere.
    Undisclosed(String),
}

impl Destination {
    /// Whether the session was moved to this key.
    pub(crate) fn is(&self, key: &Key) -> bool {
        match self {
            Self::Key(to) => **to == *key,
            Self::Undisclosed(digest) => *digest == digest_of(key),
        }
    }
}

/// Tells one key from another without leading to either.
pub(super) fn digest_of(key: &Key) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, key.as_str().as_bytes()).as_ref())
}

/// Why this program cannot read a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub enum Unreadable {
    Format,
    Pickle,
    /// With the codec's reason, if it gives one that a log may have.
    Data(Option<Undecodable>),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str(
                "it has a format that this program does not know: a newer version of cloakroom, another program, or a codec for records of another kind wrote it"
            ),
            Self::Pickle => f.write_str(
                "it is a Python pickle, which is never read; Flask-Session 0.7 and newer read it, and write it anew as MessagePack or JSON when they save the session"
            ),
            Self::Data(reason) => {
                f.write_str("its data do not decode")?;
                if let Some(reason) = reason {
                    write!(f, " ({reason})")?;
                }
                f.write_str(": another version of this program's session data, or another codec, wrote them")
            }
        }
    }
}
