//! Loading with `extend` postpones an expiry, and never brings it forward.

use cloakroom::store::Create;
use cloakroom::{Clock, IdLength, Key, KeyPrefix, Memory, SessionId, Store, Ttl};

fn key() -> Key {
    Key::plain(&KeyPrefix::default(), &SessionId::generate(IdLength::default()).expect("an id"))
}

#[tokio::test]
async fn a_load_that_extends_by_less_than_what_is_left_leaves_the_expiry() {
    let clock = Clock::manual();
    let store = Memory::new().clock(clock.clone());
    let key = key();
    let Ok(created) = store.create(&key, b"data", Ttl::hours(1)).await;
    assert!(matches!(created, Create::Created(_)));
    for ttl in [Ttl::MIN, Ttl::minutes(1), Ttl::minutes(59)] {
        let Ok(loaded) = store.load(&key, Some(ttl)).await;
        assert!(loaded.is_some());
    }
    clock.advance(Ttl::minutes(60).as_duration() - Ttl::MIN.as_duration());
    let Ok(loaded) = store.load(&key, None).await;
    assert!(loaded.is_some(), "an hour was promised");
    clock.advance(Ttl::MIN.as_duration());
    let Ok(loaded) = store.load(&key, None).await;
    assert!(loaded.is_none(), "and not more");
}

#[tokio::test]
async fn a_load_that_extends_by_more_than_what_is_left_postpones_the_expiry() {
    let clock = Clock::manual();
    let store = Memory::new().clock(clock.clone());
    let key = key();
    let Ok(created) = store.create(&key, b"data", Ttl::minutes(1)).await;
    assert!(matches!(created, Create::Created(_)));
    let Ok(loaded) = store.load(&key, Some(Ttl::hours(1))).await;
    assert!(loaded.is_some());
    clock.advance(Ttl::minutes(59).as_duration());
    let Ok(loaded) = store.load(&key, Some(Ttl::MIN)).await;
    assert!(loaded.is_some(), "an hour was promised");
    clock.advance(Ttl::minutes(1).as_duration());
    let Ok(loaded) = store.load(&key, None).await;
    assert!(loaded.is_none(), "and not more");
}
