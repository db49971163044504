//! Records in the format of another program.

/// What a codec knows about records that are not in cloakroom's own format:
/// they hold the data and nothing else.
#[derive(Debug)]
#[doc(hidden)]
pub struct Foreign<E> {
    /// Encoded data without any field.
    pub(crate) empty: &'static [u8],
    /// What the record says beside the data; `None` for what is not in the
    /// format.
    pub(crate) read: fn(&[u8]) -> Option<Outline>,
    /// Appends the record of encoded data.
    pub(crate) write: WriteRecord<E>,
    /// Appends a record without data, which the other program takes for no
    /// session, and which leaves us a note.
    pub(crate) note: fn(text: &str, out: &mut Vec<u8>),
}

/// Says whether the session is permanent, then its data, and where to.
type WriteRecord<E> = fn(bool, &[u8], &mut Vec<u8>) -> Result<(), E>;

/// What can be seen of a record without knowing the data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[doc(hidden)]
pub struct Outline {
    pub(crate) permanent: bool,
    /// Whether it holds no data.
    pub(crate) is_empty: bool,
    /// What was left in place of data.
    pub(crate) note: Option<String>,
}
