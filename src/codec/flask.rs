//! Records as Flask-Session writes and reads them.

use std::marker::PhantomData;

use super::Codec;
use super::by_entry::{self, ByEntry};
use super::named::{Entry, Name, NamedFields};
use crate::record::FlaskRecord;

/// Session data in records that a Flask application shares: those of
/// [`MessagePack`](super::MessagePack), Flask-Session's default, or of `Json`.
///
/// `Config::flask_session` makes sessions with it, and the guide says what
/// sharing takes. The struct names the fields that this program reads and
/// writes. Each needs a default, since Flask does not write it before it has a
/// value: write `#[serde(default)]` above the struct, and
/// `#[serde(skip_serializing_if = "..")]` above a field that Flask should not
/// see while it is empty.
///
/// A record is the data's map and nothing around it:
///
/// - Keys that the struct does not name stay as they are, byte for byte and in
///   their order, also when the data become the default: they are Flask's. So does the
///   value of a field that did not change. One that did is
///   written whole: what Flask keeps inside a map, and the field's type does not name,
///   is then gone.
/// - `_permanent` is the session's own: `set_permanent` writes it, and what a
///   struct says under that name is ignored.
/// - There is no time of creation: `created_at()` and `expires_at()` are `None`,
///   and the absolute timeout does not hold. The store alone knows the expiry.
/// - A session that was changed, and has no key left but `_permanent`, is removed.
///
/// # Errors
///
/// Data that are no map from names to values, such as a list, cannot be shared;
/// nor can maps whose keys are maps, or data that are nested more than 100 levels
/// deep. Python refuses such a record, and Flask-Session would then take
/// it for a pickle. Saving them is an error.
///
/// A `RawValue` of `serde_json` is written as it is. Python refuses some, such as
/// `1e400`, so that Flask answers with an error; no pickle begins as JSON does.
pub struct Flask<C> {
    codec: PhantomData<fn() -> C>,
}

/// The data cannot be shared with Flask, or the bytes are not such data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlaskError<E> {
    /// The format cannot represent the data, or the bytes are not the data's.
    #[error("the session data cannot be shared with Flask")]
    Codec(#[source] E),
    /// They are not a map from names to what Python can read.
    #[error("session data shared with Flask are a map from names to what Python can read")]
    NotAMap,
}

impl<C: NamedFields> Codec for Flask<C> {
    type Data = C::Data;
    type Error = FlaskError<C::Error>;

    type Record = FlaskRecord<C>;

    fn encode(data: &C::Data, out: &mut Vec<u8>) -> Result<(), Self::Error> {
        let start = out.len();
        C::encode_shared(data, out).map_err(FlaskError::Codec)?;
        match has_names_that_are_no_text::<C>(&out[start..]) {
            Some(false) => Ok(()),
            Some(true) | None => Err(FlaskError::NotAMap),
        }
    }

    fn decode(bytes: &[u8]) -> Result<C::Data, Self::Error> {
        by_entry::decode::<Self>(bytes)
    }

    fn retain(
        base: Option<&[u8]>,
        mine: &[u8],
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Self::Error> {
        by_entry::retain::<Self>(base, mine, stored, out)
    }

    fn has_fields() -> bool {
        by_entry::has_fields::<Self>()
    }

    fn merge(base: &[u8], mine: &[u8], theirs: &[u8]) -> Result<Vec<u8>, Self::Error> {
        by_entry::merge::<Self>(base, mine, theirs)
    }
}

impl<C: NamedFields> ByEntry for Flask<C> {
    const IS_HUMAN_READABLE: bool = C::SHARED_IS_HUMAN_READABLE;
    const RESERVED: Option<&'static str> = Some("_permanent");

    fn decode_exact(bytes: &[u8]) -> Result<C::Data, Self::Error> {
        // A number would be taken for the position of a field.
        if has_names_that_are_no_text::<C>(bytes).ok_or(FlaskError::NotAMap)? {
            let mut entries = entries::<C>(bytes).ok_or(FlaskError::NotAMap)?;
            entries.retain(|entry| matches!(entry.key, Name::Text(_)));
            let mut named = Vec::with_capacity(bytes.len());
            C::write(&entries, &mut named);
            return C::decode_shared(&named).map_err(FlaskError::Codec);
        }
        C::decode_shared(bytes).map_err(FlaskError::Codec)
    }

    fn split(bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
        entries::<C>(bytes)
    }

    fn join(entries: &[Entry<'_>], out: &mut Vec<u8>) {
        C::write(entries, out);
    }

    fn no_map() -> Option<Self::Error> {
        Some(FlaskError::NotAMap)
    }
}

/// `None` for what is no map.
fn has_names_that_are_no_text<C: NamedFields>(map: &[u8]) -> Option<bool> {
    let mut found = false;
    C::visit(map, |entry| found |= matches!(entry.key, Name::Other(_)))?;
    Some(found)
}

fn entries<C: NamedFields>(map: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    C::visit(map, |entry| entries.push(entry))?;
    Some(entries)
}

impl<C> Clone for Flask<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Flask<C> {}

impl<C> std::fmt::Debug for Flask<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flask")
    }
}
