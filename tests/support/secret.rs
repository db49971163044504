//! Session data that must be in no error, though serde quotes them in its own.

use std::error::Error;
use std::fmt::{Debug, Display};

use cloakroom::Codec;
use postcard_schema::Schema;
use serde::de::{Deserializer, Unexpected};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

const TEXT: &str = "hunter2-secret";
const NUMBER: u64 = 271_828_182;

/// Data that serde quotes in its errors.
#[derive(Clone, Default, Serialize, Deserialize, Schema)]
pub(crate) struct Secret {
    pub(crate) text: String,
    number: u64,
}

impl Secret {
    pub(crate) fn new() -> Self {
        Self { text: TEXT.to_owned(), number: NUMBER }
    }
}

/// Says why it cannot be written, and quotes itself.
#[derive(Default, Deserialize, Schema)]
pub(crate) struct Unwritable {
    text: String,
    number: u64,
}

impl Unwritable {
    pub(crate) fn new() -> Self {
        Self { text: TEXT.to_owned(), number: NUMBER }
    }
}

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        let Self { text, number } = self;
        Err(serde::ser::Error::custom(format!("neither {text:?} nor {number} can be written")))
    }
}

/// A struct with an `Unwritable` in it.
#[derive(Default, Serialize, Deserialize, Schema)]
pub(crate) struct UnwritablePart {
    pub(crate) part: Option<Unwritable>,
}

/// Is written as any text, and refused when it is read.
#[derive(Clone, Default, Serialize, Schema)]
pub(crate) struct Mail(String);

impl<'de> Deserialize<'de> for Mail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.is_empty() || text.contains('@') {
            true => Ok(Self(text)),
            false => Err(serde::de::Error::invalid_value(Unexpected::Str(&text), &"an address")),
        }
    }
}

#[derive(Default, Serialize, Deserialize, Schema)]
pub(crate) struct WithMail {
    pub(crate) mail: Mail,
}

impl WithMail {
    pub(crate) fn new() -> Self {
        Self { mail: Mail(TEXT.to_owned()) }
    }
}

/// What a [`Secret`] is not: each field, and the names, are of another kind.
#[derive(Default, Serialize, Deserialize, Schema)]
pub(crate) struct TextIsANumber {
    text: u8,
}

#[derive(Default, Serialize, Deserialize, Schema)]
pub(crate) struct TextIsAChoice {
    text: Choice,
}

#[derive(Default, Serialize, Deserialize, Schema)]
enum Choice {
    #[default]
    One,
}

#[derive(Default, Serialize, Deserialize, Schema)]
pub(crate) struct NumberIsSmall {
    number: u8,
}

#[derive(Default, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Neither the error nor any of its sources shows a secret, however it is printed.
#[track_caller]
pub(crate) fn assert_discreet(error: &(dyn Error + 'static)) {
    let mut link = Some(error);
    while let Some(error) = link {
        assert_says_nothing(error);
        link = error.source();
    }
}

#[track_caller]
fn assert_says_nothing<E: Display + Debug + ?Sized>(error: &E) {
    for printed in [format!("{error}"), format!("{error:?}"), format!("{error:#?}")] {
        for secret in [TEXT, &NUMBER.to_string()] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

/// Bytes that are not the codec's data.
#[track_caller]
pub(crate) fn assert_decoding_is_discreet<C: Codec>(bytes: &[u8]) {
    let Err(error) = C::decode(bytes) else { panic!("they are refused") };
    assert_discreet(&error);
    assert_discreet(&cloakroom::Error::Codec(Box::new(error)));
}
