//! What a write keeps of a record that both programs, or an older version of this one,
//! wrote.

use cloakroom::{Codec, Flask, Json, NamedFields};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Account {
    visits: u8,
    #[serde(alias = "uid", skip_serializing_if = "Option::is_none")]
    user_id: Option<u8>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is")]
enum Visitor {
    Guest { basket: u8 },
    User { id: u8, basket: u8 },
}

impl Default for Visitor {
    fn default() -> Self {
        Self::Guest { basket: 0 }
    }
}

/// What is stored after a change of a record.
fn written<C: NamedFields>(stored: &str, change: impl FnOnce(&mut C::Data)) -> String {
    let mut data = Flask::<C>::decode(stored.as_bytes()).expect("decoded");
    let (mut base, mut mine, mut out) = (Vec::new(), Vec::new(), Vec::new());
    Flask::<C>::encode(&data, &mut base).expect("encoded");
    change(&mut data);
    Flask::<C>::encode(&data, &mut mine).expect("encoded");
    Flask::<C>::retain(Some(&base), &mine, stored.as_bytes(), &mut out).expect("retained");
    String::from_utf8(out).expect("text")
}

#[test]
fn a_renamed_field_is_replaced_amid_the_keys_of_flask() {
    let stored = r#"{"_permanent":true,"uid":7,"csrf":"\u0061 b","visits":1}"#;
    assert_eq!(
        written::<Json<Account>>(stored, |account| account.visits = 2),
        r#"{"_permanent":true,"csrf":"\u0061 b","visits":2,"user_id":7}"#
    );
    assert_eq!(
        written::<Json<Account>>(stored, |account| account.user_id = None),
        r#"{"_permanent":true,"csrf":"\u0061 b","visits":1}"#
    );
}

#[test]
fn the_keys_of_flask_outlive_the_default() {
    let stored = r#"{"csrf":"x","visits":1}"#;
    assert_eq!(
        written::<Json<Account>>(stored, |account| *account = Account::default()),
        r#"{"csrf":"x","visits":0}"#
    );
}

#[test]
fn a_variant_is_written_as_a_whole_and_the_keys_of_flask_stay() {
    let stored = r#"{"_permanent":true,"is":"User","id":7,"basket":1,"csrf":"x"}"#;
    assert_eq!(
        written::<Json<Visitor>>(stored, |visitor| *visitor = Visitor::Guest { basket: 1 }),
        r#"{"_permanent":true,"is":"Guest","basket":1,"csrf":"x"}"#
    );

    // Another request signed in meanwhile: no part of it stays beside the guest.
    let (base, mine) = (br#"{"is":"Guest","basket":1}"#, br#"{"is":"Guest","basket":2}"#);
    let merged = Flask::<Json<Visitor>>::merge(base, mine, stored.as_bytes()).expect("merged");
    let merged = String::from_utf8(merged).expect("text");
    assert_eq!(merged, r#"{"_permanent":true,"is":"Guest","basket":2,"csrf":"x"}"#);
}
