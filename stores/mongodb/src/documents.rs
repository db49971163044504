//! Filters, changes and answers, as documents.

use std::time::Duration;

use bytes::Bytes;
use cloakroom::Key;
use mongodb::IndexModel;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, RawDocument, RawDocumentBuf, doc};
use mongodb::options::IndexOptions;

use crate::error::MongoDbError;

/// A document as the server sent it.
pub(crate) type Stored = RawDocumentBuf;

pub(crate) fn any(key: &Key) -> Document {
    doc! { "id": key.as_str() }
}

pub(crate) fn live(key: &Key, now: u64) -> Document {
    doc! { "id": key.as_str(), "expiration": { "$gt": date(now) } }
}

/// All other documents, also those without a date: only a live one keeps its key.
pub(crate) fn not_live(key: &Key, now: u64) -> Document {
    doc! { "id": key.as_str(), "expiration": { "$not": { "$gt": date(now) } } }
}

/// The live document, if it still holds the version that was seen.
pub(crate) fn unchanged(key: &Key, now: u64, seen: &[u8]) -> Document {
    doc! { "id": key.as_str(), "val": binary(seen), "expiration": { "$gt": date(now) } }
}

pub(crate) fn contents(value: &[u8], expiry: u64) -> Document {
    doc! { "$set": { "val": binary(value), "expiration": date(expiry) } }
}

/// The later of the two dates counts.
pub(crate) fn postponed(expiry: u64) -> Document {
    doc! { "$max": { "expiration": date(expiry) } }
}

pub(crate) fn only_id() -> Document {
    doc! { "_id": 1 }
}

pub(crate) fn only_value() -> Document {
    doc! { "_id": 0, "val": 1 }
}

pub(crate) fn value_and_expiration() -> Document {
    doc! { "_id": 0, "val": 1, "expiration": 1 }
}

pub(crate) fn ping() -> Document {
    doc! { "ping": 1 }
}

pub(crate) fn indexes() -> [IndexModel; 2] {
    let unique = IndexOptions::builder().name("id_1".to_owned()).unique(true).build();
    // The name that Flask-Session gives it, so that each finds the index of the other.
    let expiry = IndexOptions::builder()
        .name("expiration_1".to_owned())
        .expire_after(Duration::ZERO)
        .build();
    [
        IndexModel::builder().keys(doc! { "id": 1 }).options(unique).build(),
        IndexModel::builder().keys(doc! { "expiration": 1 }).options(expiry).build(),
    ]
}

/// The value in a document, in the buffer of the answer.
pub(crate) fn value_of(stored: Stored) -> Result<Bytes, MongoDbError> {
    let document = Bytes::from(stored.into_bytes());
    let stored = RawDocument::from_bytes(&document).map_err(|_| MongoDbError::UNEXPECTED)?;
    let value = stored.get_binary("val").map_err(|_| MongoDbError::UNEXPECTED)?;
    // An update would not find bytes of another subtype again.
    if value.subtype != BinarySubtype::Generic {
        return Err(MongoDbError::UNEXPECTED);
    }
    Ok(document.slice_ref(value.bytes))
}

pub(crate) fn is_live(stored: &RawDocument, now: u64) -> bool {
    stored.get_datetime("expiration").is_ok_and(|expiry| expiry > date(now))
}

/// Milliseconds since the Unix epoch as a date.
fn date(millis: u64) -> DateTime {
    DateTime::from_millis(millis.cast_signed())
}

fn binary(bytes: &[u8]) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}
