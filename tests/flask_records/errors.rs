//! What the errors of shared sessions say: nothing of the session data.

use cloakroom::{Codec, Flask, Json, MessagePack};

use crate::secret::{
    Nothing, NumberIsSmall, Secret, TextIsAChoice, TextIsANumber, Unwritable, UnwritablePart,
    WithMail, assert_decoding_is_discreet, assert_discreet,
};

fn encoded<C: Codec>(data: &C::Data) -> Vec<u8> {
    let mut bytes = Vec::new();
    C::encode(data, &mut bytes).expect("encoded");
    bytes
}

#[track_caller]
fn assert_encoding_is_discreet<C: Codec>(data: &C::Data) {
    let Err(error) = C::encode(data, &mut Vec::new()) else { panic!("it is refused") };
    assert_discreet(&error);
    assert_discreet(&cloakroom::Error::Codec(Box::new(error)));
}

macro_rules! every_mistake {
    ($Codec:ident) => {{
        let secret = encoded::<Flask<$Codec<Secret>>>(&Secret::new());
        assert_decoding_is_discreet::<Flask<$Codec<TextIsANumber>>>(&secret);
        assert_decoding_is_discreet::<Flask<$Codec<TextIsAChoice>>>(&secret);
        assert_decoding_is_discreet::<Flask<$Codec<NumberIsSmall>>>(&secret);
        assert_decoding_is_discreet::<Flask<$Codec<Nothing>>>(&secret);
        assert_decoding_is_discreet::<Flask<$Codec<Secret>>>(&secret[..secret.len() - 1]);
        let mail = encoded::<Flask<$Codec<WithMail>>>(&WithMail::new());
        assert_decoding_is_discreet::<Flask<$Codec<WithMail>>>(&mail);
        let text = encoded::<$Codec<String>>(&Secret::new().text);
        assert_decoding_is_discreet::<Flask<$Codec<Secret>>>(&text);

        assert_encoding_is_discreet::<Flask<$Codec<Unwritable>>>(&Unwritable::new());
        let part = UnwritablePart { part: Some(Unwritable::new()) };
        assert_encoding_is_discreet::<Flask<$Codec<UnwritablePart>>>(&part);
        assert_encoding_is_discreet::<Flask<$Codec<String>>>(&Secret::new().text);
    }};
}

#[test]
fn what_cannot_be_shared_as_messagepack_is_in_no_error() {
    every_mistake!(MessagePack);
}

#[test]
fn what_cannot_be_shared_as_json_is_in_no_error() {
    every_mistake!(Json);
}
