//! What is in the store.

use std::collections::BTreeMap;

use cloakroom::{Config, Error, Renewal, Ttl};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::shelf::{Account, SID, Shelf, close, hex, id_in, json, packed, with_cookie};

/// `{"_permanent": True, "value": "42"}`
const PERMANENT: &str = "82aa5f7065726d616e656e74c3a576616c7565a23432";
/// `{"value": "42"}`
const NOT_PERMANENT: &str = "81a576616c7565a23432";

#[tokio::test]
async fn a_new_session_is_written_as_flask_writes_it() {
    let shelf = Shelf::default();
    for (permanent, record) in [(true, PERMANENT), (false, NOT_PERMANENT)] {
        let config = Config::flask_session().store(shelf.clone()).data::<Account>();
        let sessions = config.permanent(permanent).build();
        let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
        session.value = Some("42".to_owned());
        let id = id_in(&close(session).await.expect("a cookie"));

        assert_eq!(id.len(), 43);
        assert_eq!(shelf.get_hex(&id).as_deref(), Some(record));
        assert_eq!(shelf.ttl(&id), Some(Ttl::seconds(2_678_400)), "also when not permanent");
    }
}

#[tokio::test]
async fn json_is_written_as_flask_writes_it() {
    let shelf = Shelf::default();
    let mut session = json(&shelf).open(&HeaderMap::new()).await.expect("opened");
    session.value = Some("é".to_owned());
    let id = id_in(&close(session).await.expect("a cookie"));
    assert_eq!(shelf.get(&id).as_deref(), Some(r#"{"_permanent":true,"value":"é"}"#.as_bytes()));
}

#[tokio::test]
async fn a_session_of_flask_is_read() {
    let shelf = Shelf::default();
    for (record, permanent) in [(PERMANENT, true), (NOT_PERMANENT, false)] {
        shelf.put_hex(SID, record);
        let session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
        assert_eq!(session.value.as_deref(), Some("42"));
        assert_eq!(session.is_permanent(), permanent);
        assert!(!session.is_new());
        assert_eq!(session.id().map(|id| id.as_str()), Some(SID));
        assert_eq!((session.created_at(), session.expires_at()), (None, None));
        close(session).await;
        assert_eq!(shelf.get_hex(SID).as_deref(), Some(record), "reading changes nothing");
    }
}

/// `user_id` in eight bytes, a list, a timestamp, a tuple and a number as keys, a
/// nested map with bytes, and a name in the long form; `value` stands in between.
const FULL: &str = "88a7757365725f6964cf0000000000000007\
    a4636172749501a2c3a9c0c3cb3ff8000000000000\
    a4736565 6ed7ffa1dcd42065937d25\
    92010205\
    00c3\
    a576616c7565a23432\
    a16481a16bc40200ff\
    d901 7ac2";

#[tokio::test]
async fn what_the_struct_does_not_name_or_change_stays_byte_for_byte_in_its_order() {
    let full = FULL.replace(' ', "");
    for (value, expected) in [
        (Some("43"), full.replace("a576616c7565a23432", "a576616c7565a23433")),
        (None, full.replace("a576616c7565a23432", "").replacen("88", "87", 1)),
    ] {
        let shelf = Shelf::default();
        shelf.put_hex(SID, &full);
        let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
        assert_eq!(session.user_id, Some(7));
        session.value = value.map(str::to_owned);
        close(session).await;
        assert_eq!(shelf.get_hex(SID), Some(expected));
    }
}

#[tokio::test]
async fn the_same_holds_for_json() {
    let shelf = Shelf::default();
    let record = r#"{ "n": 1e2, "\u0076alue": "42" , "é":{"a":[1, 2]},"user_id":7,"n":2}"#;
    shelf.put(SID, record.as_bytes());
    let mut session = json(&shelf).open(&with_cookie(SID)).await.expect("opened");
    assert_eq!(session.value.as_deref(), Some("42"));
    session.value = Some("43".to_owned());
    close(session).await;
    let expected = r#"{"n":1e2,"\u0076alue":"43","é":{"a":[1, 2]},"user_id":7,"n":2}"#;
    assert_eq!(String::from_utf8(shelf.get(SID).expect("a record")).expect("text"), expected);
}

#[tokio::test]
async fn several_saves_in_one_request_keep_what_the_struct_does_not_name() {
    let shelf = Shelf::default();
    shelf.put(SID, br#"{"theirs":1,"_permanent":true}"#);
    let mut session = json(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.value = Some("a".to_owned());
    session.save().await.expect("saved");
    session.user_id = Some(7);
    session.save().await.expect("saved");
    session.update(|account| account.value = None).await.expect("updated");
    session.set_permanent(false);
    session.save().await.expect("saved");
    session.rotate();
    let id = id_in(&close(session).await.expect("a cookie"));
    assert_eq!(shelf.get(&id).as_deref(), Some(&br#"{"theirs":1,"user_id":7}"#[..]));
}

#[tokio::test]
async fn a_conflict_merges_with_what_flask_has_written() {
    let shelf = Shelf::default();
    for with_update in [false, true] {
        shelf.put(SID, br#"{"theirs":1,"value":"a"}"#);
        let mut session = json(&shelf).open(&with_cookie(SID)).await.expect("opened");
        shelf.put(SID, br#"{"theirs":2,"value":"b","new":[3]}"#);
        match with_update {
            true => session.update(|account| account.user_id = Some(7)).await.expect("updated"),
            false => session.user_id = Some(7),
        }
        close(session).await;
        let merged = br#"{"theirs":2,"value":"b","new":[3],"user_id":7}"#;
        assert_eq!(shelf.get(SID).as_deref(), Some(&merged[..]));
    }
}

#[tokio::test]
async fn a_merge_of_the_applications_own_keeps_what_the_struct_does_not_name() {
    let shelf = Shelf::default();
    shelf.put(SID, br#"{"theirs":1}"#);
    let config = Config::flask_session().store(shelf.clone());
    let sessions = config
        .codec(cloakroom::Json::<Account>::new())
        .merge_conflicts_with(|versions| Account { user_id: Some(9), ..versions.mine })
        .build();
    let mut session = sessions.open(&with_cookie(SID)).await.expect("opened");
    shelf.put(SID, br#"{"theirs":2,"user_id":3}"#);
    session.value = Some("a".to_owned());
    close(session).await;
    let merged = br#"{"theirs":2,"user_id":9,"value":"a"}"#;
    assert_eq!(shelf.get(SID).as_deref(), Some(&merged[..]));
}

#[tokio::test]
async fn permanent_is_written_and_removed_as_flask_does_it() {
    let shelf = Shelf::default();
    for (before, permanent, after) in [
        (r#"{"a":1}"#, true, r#"{"_permanent":true,"a":1}"#),
        (r#"{"a":1,"_permanent":false}"#, true, r#"{"a":1,"_permanent":true}"#),
        (r#"{"a":1,"_permanent":true}"#, false, r#"{"a":1}"#),
        (r#"{"a":1,"_permanent":false}"#, false, r#"{"a":1,"_permanent":false}"#),
        (r#"{"a":1,"_permanent":1}"#, true, r#"{"a":1,"_permanent":1}"#),
    ] {
        shelf.put(SID, before.as_bytes());
        let mut session = json(&shelf).open(&with_cookie(SID)).await.expect("opened");
        session.set_permanent(permanent);
        close(session).await;
        let stored = String::from_utf8(shelf.get(SID).expect("a record")).expect("text");
        assert_eq!(stored, after);
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Nosy {
    #[serde(skip_serializing_if = "Option::is_none")]
    _permanent: Option<bool>,
    n: u32,
}

#[tokio::test]
async fn a_struct_with_a_field_of_that_name_does_not_decide_it() {
    let shelf = Shelf::default();
    let config = Config::flask_session().store(shelf.clone());
    let sessions = config.data::<Nosy>().build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.n = 1;
    let id = id_in(&close(session).await.expect("a cookie"));
    let permanent = "82aa5f7065726d616e656e74c3a16e01";
    assert_eq!(shelf.get_hex(&id).as_deref(), Some(permanent));

    let mut session = sessions.open(&with_cookie(&id)).await.expect("opened");
    session._permanent = None;
    session.n = 2;
    close(session).await;
    assert_eq!(shelf.get_hex(&id), Some(permanent.replace("6e01", "6e02")));

    // Where it stands does not change either.
    shelf.put_hex(SID, "82a16e01aa5f7065726d616e656e74c3");
    let mut session = sessions.open(&with_cookie(SID)).await.expect("opened");
    session._permanent = None;
    session.n = 2;
    close(session).await;
    assert_eq!(shelf.get_hex(SID).as_deref(), Some("82a16e02aa5f7065726d616e656e74c3"));
}

#[tokio::test]
async fn nor_does_a_map_with_a_key_of_that_name() {
    let shelf = Shelf::default();
    let config = Config::flask_session().store(shelf.clone());
    let sessions = config.data::<BTreeMap<String, serde_json::Value>>().build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    for name in ["_permanent", "a"] {
        session.insert(name.to_owned(), "moved:0:".into());
    }
    let id = id_in(&close(session).await.expect("a cookie"));
    let permanent = "82aa5f7065726d616e656e74c3a161a86d6f7665643a303a";
    assert_eq!(shelf.get_hex(&id).as_deref(), Some(permanent));
}

#[tokio::test]
async fn an_emptied_session_is_removed_and_its_cookie_too() {
    for with_update in [false, true] {
        let shelf = Shelf::default();
        shelf.put_hex(SID, PERMANENT);
        let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
        match with_update {
            true => session.update(|account| account.value = None).await.expect("updated"),
            false => session.value = None,
        }
        let cookie = close(session).await.expect("the removal");
        assert!(cookie.starts_with("session=;") && cookie.contains("Max-Age=0"), "{cookie}");
        assert_eq!(shelf.get(SID), None);
    }
}

#[tokio::test]
async fn an_emptied_session_stays_when_flask_puts_something_in_meanwhile() {
    let shelf = Shelf::default();
    shelf.put_hex(SID, PERMANENT);
    let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.value = None;
    shelf.put_hex(SID, &format!("83{}a16105", &PERMANENT[2..]));
    close(session).await;
    assert_eq!(shelf.get_hex(SID).as_deref(), Some("82aa5f7065726d616e656e74c3a16105"));

    // And the other way round: what is left after the merge is nothing.
    shelf.put_hex(SID, "82a576616c7565a23432a7757365725f696407");
    let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.value = None;
    shelf.put_hex(SID, NOT_PERMANENT);
    assert!(close(session).await.expect("the removal").contains("Max-Age=0"));
    assert_eq!(shelf.get(SID), None);
}

#[tokio::test]
async fn a_new_session_without_content_is_never_made() {
    let shelf = Shelf::default();
    let mut session = packed(&shelf).open(&HeaderMap::new()).await.expect("opened");
    session.value = Some("a".to_owned());
    session.value = None;
    session.set_permanent(true);
    session.rotate();
    assert_eq!(close(session).await, None);
    assert!(shelf.ids().is_empty());
}

#[tokio::test]
async fn an_emptied_session_may_be_filled_again() {
    let shelf = Shelf::default();
    shelf.put_hex(SID, PERMANENT);
    let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.value = None;
    session.save().await.expect("saved");
    assert!(session.is_new());
    session.value = Some("42".to_owned());
    let id = id_in(&close(session).await.expect("a cookie"));
    assert_ne!(id, SID);
    assert_eq!(shelf.get_hex(&id).as_deref(), Some(PERMANENT));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_session_and_stays_untouched() {
    let pickle = hex("80049518000000000000007d948c0576616c7565948c023432947392");
    for record in [
        &pickle,
        &b"(dp0"[..],
        &b"[1]"[..],
        &hex("93a1610102"),
        &hex("81a576616c756507"),
        &hex(&format!("{PERMANENT}00")),
        &hex(&PERMANENT[..20]),
        &hex("8180c0"),
        &hex("81a161d4ff00"),
        &hex("81a161a1ff"),
        &[],
    ] {
        let shelf = Shelf::default();
        shelf.put(SID, record);
        let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
        assert!(session.is_new() && session.is_unreadable(), "{record:02x?}");
        session.value = Some("mine".to_owned());
        assert!(matches!(session.save().await, Err(Error::Unreadable)));
        let updated = session.update(|account| account.user_id = Some(7)).await;
        assert!(matches!(updated, Err(Error::Unreadable)));
        assert_eq!(close(session).await, None);
        assert_eq!(shelf.ids(), [SID], "nothing is made beside it");
        assert_eq!(shelf.get(SID).as_deref(), Some(record), "left as it was");
    }
}

#[tokio::test]
async fn a_sign_in_ends_a_session_that_cannot_be_read_and_begins_one() {
    let shelf = Shelf::default();
    shelf.put(SID, b"(dp0");
    let mut session = packed(&shelf).open(&with_cookie(SID)).await.expect("opened");
    session.value = Some("mine".to_owned());
    session.sign_in();
    let id = id_in(&close(session).await.expect("a cookie"));
    assert_ne!(id, SID);
    let record = "82aa5f7065726d616e656e74c3a576616c7565a46d696e65";
    assert_eq!(shelf.get_hex(&id).as_deref(), Some(record));
    shelf.assert_ended(SID);
}

#[tokio::test]
async fn data_that_python_could_not_read_are_an_error_and_nothing_is_written() {
    type Odd = Vec<BTreeMap<BTreeMap<u8, u8>, u8>>;

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Account {
        odd: Odd,
    }

    let shelf = Shelf::default();
    let sessions = Config::flask_session().store(shelf.clone()).data::<Account>().build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.odd = vec![BTreeMap::from([(BTreeMap::new(), 1)])];
    assert!(matches!(session.save().await, Err(Error::Codec(_))));

    let sessions = Config::flask_session().store(shelf.clone()).data::<Vec<u8>>().build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.push(1);
    assert!(matches!(session.save().await, Err(Error::Codec(_))));

    let config = Config::flask_session().store(shelf.clone());
    let sessions = config.data::<BTreeMap<u8, u8>>().build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.insert(1, 1);
    assert!(matches!(session.save().await, Err(Error::Codec(_))));
    assert!(shelf.ids().is_empty());
}

#[tokio::test]
async fn every_request_renews_unless_that_is_turned_off() {
    let shelf = Shelf::default();
    let config = || Config::flask_session().store(shelf.clone()).data::<Account>();
    let by_default = config().build();
    let below = config().renewal(Renewal::default()).build();
    let never = config().renewal(Renewal::Never).build();
    for (sessions, call, sends) in [
        (by_default, "load and extend", true),
        (below, "load and extend", true),
        (never, "load", false),
    ] {
        shelf.put_hex(SID, PERMANENT);
        shelf.take_calls();
        let session = sessions.open(&with_cookie(SID)).await.expect("opened");
        assert_eq!(close(session).await.is_some(), sends);
        assert_eq!(shelf.take_calls(), [call]);

        // A change renews and sends the cookie in any case, as Flask does.
        let mut session = sessions.open(&with_cookie(SID)).await.expect("opened");
        session.user_id = Some(7);
        assert!(close(session).await.is_some());
        assert_eq!(shelf.take_calls(), [call, "update"]);
        assert_eq!(shelf.ttl(SID), Some(Ttl::days(31)));
    }
}
