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
    pub(crate) write: fn(permanent: bool, data: &[u8], out: &mut Vec<u8>) -> Result<(), E>,
    /// Appends a record without data, which the other program takes for no
    /// session, and which leaves us a note.
    pub(crate) note: fn(text: &str, out: &mut Vec<u8>),
}

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
