//! Three-way merges, for every codec.

use cloakroom::Codec;
use proptest::prelude::*;

use crate::cases;
use crate::codecs::{decoded, encoded};
use crate::data::{Data, data};

macro_rules! fields {
    ($($field:ident)*) => {
        const FIELDS: usize = [$(stringify!($field)),*].len();

        /// Takes those fields from `other` that are chosen, and differ.
        fn take(data: &mut Data, other: &Data, chosen: Chosen) {
            let mut chosen = chosen.into_iter();
            $(if chosen.next() == Some(true) && data.$field != other.$field {
                data.$field.clone_from(&other.$field);
            })*
        }

        /// The chosen fields in which `a` and `b` differ.
        fn differing(a: &Data, b: &Data, chosen: Chosen) -> Chosen {
            let mut differ = [$(a.$field != b.$field),*].into_iter();
            chosen.map(|chosen| differ.next() == Some(true) && chosen)
        }
    };
}

fields! { count balance small ratio single text choice list by_name by_number bytes }

/// Which fields of [`Data`], in their order.
type Chosen = [bool; FIELDS];

fn with(base: &Data, other: &Data, chosen: Chosen) -> Data {
    let mut data = base.clone();
    take(&mut data, other, chosen);
    data
}

/// The data as another request sees them: a map that was decoded anew has its
/// entries in another order.
fn of_another_request<C: Codec<Data = Data>>(data: &Data) -> Data {
    decoded::<C>(&encoded::<C>(data))
}

fn merged<C: Codec<Data = Data>>(base: &Data, mine: &Data, theirs: &Data) -> Data {
    let [base, mine, theirs] = [base, mine, theirs].map(encoded::<C>);
    decoded::<C>(&C::merge(&base, &mine, &theirs).expect("three encodings"))
}

macro_rules! for_codec {
    ($name:ident, $codec:ident) => {
        mod $name {
            use super::*;

            type Tested = cloakroom::$codec<Data>;

            proptest! {
                #![proptest_config(cases(200))]

                #[test]
                fn where_this_request_changed_nothing_theirs_is_kept(base in data(), theirs in data()) {
                    let [base, theirs] = [base, theirs].map(|data| encoded::<Tested>(&data));
                    prop_assert_eq!(Tested::merge(&base, &base, &theirs).expect("merged"), theirs);
                }

                #[test]
                fn where_only_this_request_changed_anything_mine_is_kept(base in data(), mine in data()) {
                    prop_assert_eq!(merged::<Tested>(&base, &mine, &base), mine);
                }

                #[test]
                fn changes_to_different_fields_both_survive(
                    base in data(), other in data(), another in data(), chosen: Chosen,
                ) {
                    let rest = chosen.map(|chosen| !chosen);
                    let mine = with(&base, &other, chosen);
                    let theirs = with(&of_another_request::<Tested>(&base), &another, rest);
                    let expected = with(&mine, &another, rest);
                    prop_assert_eq!(merged::<Tested>(&base, &mine, &theirs), expected);
                }

                #[test]
                fn what_this_request_changed_wins(
                    base in data(), other in data(), theirs in data(), chosen: Chosen,
                ) {
                    let mine = with(&base, &other, chosen);
                    let expected = with(&theirs, &other, differing(&base, &mine, chosen));
                    prop_assert_eq!(merged::<Tested>(&base, &mine, &theirs), expected);
                }
            }
        }
    };
}

for_codec!(messagepack, MessagePack);
for_codec!(json, Json);
