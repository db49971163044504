//! What the errors of the codecs say: nothing of the session data.

use std::collections::BTreeMap;

use cloakroom::{Codec, Config, Error, Json, Memory, MessagePack, Postcard};
use http::HeaderMap;

use crate::codecs::encoded;
use crate::secret::{
    Nothing, NumberIsSmall, Secret, TextIsAChoice, TextIsANumber, Unwritable, UnwritablePart,
    WithMail, assert_decoding_is_discreet, assert_discreet,
};

/// A secret as the name of a field.
type Named = BTreeMap<String, u8>;

fn named() -> Named {
    Named::from([(Secret::new().text, 1)])
}

macro_rules! every_mistake_in_reading {
    ($Codec:ident) => {{
        let secret = encoded::<$Codec<Secret>>(&Secret::new());
        assert_decoding_is_discreet::<$Codec<TextIsANumber>>(&secret);
        assert_decoding_is_discreet::<$Codec<TextIsAChoice>>(&secret);
        assert_decoding_is_discreet::<$Codec<NumberIsSmall>>(&secret);
        assert_decoding_is_discreet::<$Codec<Nothing>>(&secret);
        assert_decoding_is_discreet::<$Codec<Nothing>>(&encoded::<$Codec<Named>>(&named()));
        assert_decoding_is_discreet::<$Codec<u8>>(&secret);
        assert_decoding_is_discreet::<$Codec<Secret>>(&secret[..secret.len() - 1]);
        let more: Vec<u8> = secret.iter().chain(&secret).copied().collect();
        assert_decoding_is_discreet::<$Codec<Secret>>(&more);
        let mail = encoded::<$Codec<WithMail>>(&WithMail::new());
        assert_decoding_is_discreet::<$Codec<WithMail>>(&mail);
    }};
}

#[test]
fn what_json_cannot_read_is_in_no_error() {
    every_mistake_in_reading!(Json);
}

#[test]
fn what_messagepack_cannot_read_is_in_no_error() {
    every_mistake_in_reading!(MessagePack);
}

#[test]
fn what_postcard_cannot_read_is_in_no_error() {
    // Data of another type have another mark.
    assert_decoding_is_discreet::<Postcard<WithMail>>(&encoded::<Postcard<WithMail>>(
        &WithMail::new(),
    ));
    let secret = encoded::<Postcard<Secret>>(&Secret::new());
    assert_decoding_is_discreet::<Postcard<TextIsAChoice>>(&secret);
    assert_decoding_is_discreet::<Postcard<TextIsANumber>>(&secret);
    assert_decoding_is_discreet::<Postcard<Secret>>(&secret[..secret.len() - 1]);
}

/// Data that cannot be encoded, or whose bytes cannot be read back.
async fn assert_saving_is_discreet<C: Codec>(codec: C, data: C::Data) {
    let sessions = Config::new().store(Memory::new()).codec(codec).build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    *session = data;
    let error = session.save().await.expect_err("it cannot be saved");
    assert!(matches!(error, Error::Codec(_)), "{error}");
    assert_discreet(&error);
}

async fn what_cannot_be_saved_is_in_no_error<A, B, D>(codecs: (A, B, D))
where
    A: Codec<Data = Unwritable>,
    B: Codec<Data = UnwritablePart>,
    D: Codec<Data = WithMail>,
{
    assert_saving_is_discreet(codecs.0, Unwritable::new()).await;
    let part = UnwritablePart { part: Some(Unwritable::new()) };
    assert_saving_is_discreet(codecs.1, part).await;
    assert_saving_is_discreet(codecs.2, WithMail::new()).await;
}

#[tokio::test]
async fn what_json_cannot_save_is_in_no_error() {
    what_cannot_be_saved_is_in_no_error((Json::new(), Json::new(), Json::new())).await;
}

#[tokio::test]
async fn what_messagepack_cannot_save_is_in_no_error() {
    let codecs = (MessagePack::new(), MessagePack::new(), MessagePack::new());
    what_cannot_be_saved_is_in_no_error(codecs).await;
}

#[tokio::test]
async fn what_postcard_cannot_save_is_in_no_error() {
    what_cannot_be_saved_is_in_no_error((Postcard::new(), Postcard::new(), Postcard::new())).await;
}

#[test]
fn an_error_of_json_says_where_the_mistake_is() {
    let error = Json::<BTreeMap<String, u8>>::decode(b"{\"a\": 1,\n\"b\": []}");
    let error = error.expect_err("a list");
    let expected = "the bytes are not the session data in JSON, at line 2, column 5";
    assert_eq!(error.to_string(), expected);
    let reason = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(reason.as_deref(), Some("a value does not fit the data's type"));
}
