//! Bytes and data, for every codec.

use allocation_counter::measure;
use cloakroom::{Codec, Json, MessagePack};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseResult;

use crate::cases;
use crate::data::{Data, data, data_with_any_float};

pub(crate) fn encoded<C: Codec>(data: &C::Data) -> Vec<u8> {
    let mut bytes = Vec::new();
    C::encode(data, &mut bytes).expect("the data have a form in this format");
    bytes
}

pub(crate) fn decoded<C: Codec>(bytes: &[u8]) -> C::Data {
    C::decode(bytes).expect("the bytes are the data's")
}

fn come_back<C: Codec<Data = Data>>(data: &Data) -> TestCaseResult {
    prop_assert_eq!(&decoded::<C>(&encoded::<C>(data)), data);
    Ok(())
}

/// Bytes that decode hold data, which come back from their own encoding; all
/// others are an error.
fn are_data_or_an_error<C: Codec<Data = Data>>(bytes: &[u8]) -> TestCaseResult {
    if let Ok(data) = C::decode(bytes)
        && !data.single.is_nan()
        // JSON reads a number that is too large for an `f32` as infinity, and
        // cannot write it.
        && C::encode(&data, &mut Vec::new()).is_ok()
    {
        come_back::<C>(&data)?;
    }
    Ok(())
}

/// What happens to a record on a damaged disk.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    Insert(Index, u8),
    Replace(Index, u8),
    Repeat(Index, Index),
}

impl Damage {
    fn inflict(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len()), *byte),
            Self::Replace(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                bytes.extend_from_within(from.min(to)..from.max(to));
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        any::<(Index, u8)>().prop_map(|(at, byte)| Damage::Insert(at, byte)),
        any::<(Index, u8)>().prop_map(|(at, byte)| Damage::Replace(at, byte)),
        any::<(Index, Index)>().prop_map(|(from, to)| Damage::Repeat(from, to)),
    ]
}

macro_rules! for_codec {
    ($name:ident, $codec:ident, $data:expr) => {
        mod $name {
            use super::*;

            type Tested = cloakroom::$codec<Data>;

            proptest! {
                #![proptest_config(cases(256))]

                #[test]
                fn data_come_back_as_they_were(data in $data) {
                    come_back::<Tested>(&data)?;
                }

                #[test]
                fn encoding_appends_and_leaves_what_was_there(data in $data) {
                    let mut bytes = b"before".to_vec();
                    Tested::encode(&data, &mut bytes).expect("encoded");
                    prop_assert_eq!(bytes.strip_prefix(b"before"), Some(&*encoded::<Tested>(&data)));
                }

                #[test]
                fn bytes_after_the_data_are_refused(data in $data, more in vec(any::<u8>(), 1..20)) {
                    // White space after JSON is part of it (RFC 8259, section 2).
                    prop_assume!(!more.iter().all(u8::is_ascii_whitespace));
                    let bytes = [encoded::<Tested>(&data), more].concat();
                    prop_assert!(Tested::decode(&bytes).is_err());
                }

                #[test]
                fn an_encoding_cut_short_is_refused(data in $data, at in any::<Index>()) {
                    let bytes = encoded::<Tested>(&data);
                    prop_assert!(Tested::decode(&bytes[..at.index(bytes.len())]).is_err());
                }

                #[test]
                fn damaged_bytes_are_data_or_an_error(data in $data, damage in damage()) {
                    let mut bytes = encoded::<Tested>(&data);
                    damage.inflict(&mut bytes);
                    are_data_or_an_error::<Tested>(&bytes)?;
                }

                #[test]
                fn arbitrary_bytes_are_data_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
                    are_data_or_an_error::<Tested>(&bytes)?;
                }

                #[test]
                fn bytes_cost_no_more_memory_than_they_are_worth(
                    data in $data,
                    damage in damage(),
                    arbitrary in vec(any::<u8>(), 0..300),
                ) {
                    let mut damaged = encoded::<Tested>(&data);
                    damage.inflict(&mut damaged);
                    for bytes in [damaged, arbitrary] {
                        let cost = measure(|| drop(Tested::decode(&bytes))).bytes_max;
                        prop_assert!(cost <= 4_096 + 256 * bytes.len() as u64, "{cost} bytes");
                    }
                }

                #[test]
                fn merging_arbitrary_bytes_does_no_harm(
                    data in data(),
                    all in [vec(any::<u8>(), 0..60), vec(any::<u8>(), 0..60)],
                ) {
                    let [a, b] = &all;
                    let good = encoded::<Tested>(&data);
                    for [base, mine, theirs] in [[&good, a, b], [a, &good, b], [a, b, &good]] {
                        let _ = Tested::merge(base, mine, theirs);
                    }
                }
            }
        }
    };
}

for_codec!(messagepack, MessagePack, data_with_any_float());
for_codec!(json, Json, data());

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_float_without_a_form_in_json_is_refused(
        data in data(),
        float in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)],
    ) {
        let data = Data { ratio: crate::data::Real(float), ..data };
        prop_assert!(Json::encode(&data, &mut Vec::new()).is_err());
        prop_assert!(MessagePack::encode(&data, &mut Vec::new()).is_ok());
    }
}
