//! Entries of a newer program's session data, where an older program writes.

use cloakroom::{Config, Memory, MessagePack, Session, Sessions, Unsigned};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::site::close;

#[derive(Default, Serialize, Deserialize)]
struct Older {
    user: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Newer {
    user: String,
    #[serde(default)]
    role: String,
}

type At<T> = Sessions<Memory, MessagePack<T>, Unsigned>;

fn sites() -> (At<Older>, At<Newer>) {
    let store = Memory::new();
    let older = Config::new().store(store.clone()).codec(MessagePack::<Older>::new());
    let newer = Config::new().store(store).codec(MessagePack::<Newer>::new());
    (older.build(), newer.build())
}

/// The role that the newer program finds after the older one has done this.
async fn role_after(act: fn(&mut Session<Memory, MessagePack<Older>, Unsigned>)) -> String {
    let (older, newer) = sites();
    let mut session = newer.open(&HeaderMap::new()).await.expect("opened");
    (session.user, session.role) = ("ada".into(), "admin".into());
    let cookies = close(session).await.cookies();

    let mut session = older.open(&cookies).await.expect("opened");
    assert_eq!(session.user, "ada");
    act(&mut session);
    let cookies = close(session).await.after(&cookies);
    let session = newer.open(&cookies).await.expect("opened");
    assert!(!session.is_new());
    session.role.clone()
}

#[tokio::test]
async fn an_entry_that_the_program_does_not_know_outlives_a_change_and_a_rotation() {
    assert_eq!(role_after(|session| session.user = "bob".into()).await, "admin");
    assert_eq!(role_after(|session| session.rotate()).await, "admin");
}

#[tokio::test]
async fn an_entry_that_the_program_does_not_know_ends_where_rights_change() {
    let role = role_after(|session| {
        session.user = "bob".into();
        session.sign_in();
    });
    assert_eq!(role.await, "");
    let role = role_after(|session| {
        session.restart();
        session.user = "bob".into();
    });
    assert_eq!(role.await, "");
    assert_eq!(role_after(|session| session.sign_in()).await, "", "without a change");
}
