//! Sessions in Redis 6.2, which neither extends by `GT` nor compares and sets in one command.

use cloakroom::store::Create;
use cloakroom::{Store, Ttl};
use cloakroom_redis::Redis;
use servers::at_server::AtServer;
use servers::races::{fresh_key, fresh_number};
use servers::redis::SERVERS_CLOCK;
use servers::redis62::{shared_url, start};

mod keeps_the_contract {
    cloakroom::store_contract!(super::at_server().await);
}

async fn at_server() -> AtServer<Redis> {
    AtServer::connect(SERVERS_CLOCK, async || connect(&shared_url()).await).await
}

#[tokio::test]
async fn a_load_that_extends_is_one_script_after_the_server_has_refused_once() {
    let server = start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_key();
    let made = store.create(&key, b"0", Ttl::minutes(1)).await;
    assert!(matches!(made, Ok(Create::Created(_))));
    let extend = async |ttl| {
        server.forget_calls();
        let record = store.load(&key, Some(ttl)).await.expect("answers").expect("kept");
        assert_eq!(&*record.value, b"0");
        server.calls()
    };

    extend(Ttl::minutes(2)).await;
    let (script, get, left) = (call("evalsha"), call("get"), call("pttl"));
    // The server also counts what is done within the script.
    assert_eq!(
        extend(Ttl::minutes(3)).await,
        [script.clone(), get.clone(), call("pexpire"), left.clone()]
    );
    assert_eq!(extend(Ttl::minutes(1)).await, [script, get, left]);
    let left: u64 = server.ask(&["PTTL", key.as_str()]);
    assert!((170_000..=180_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_record_that_another_program_made_for_ever_stays_for_ever() {
    let server = start(&[]);
    let store = connect(&server.url()).await;
    let key = fresh_number(&store).await;
    server.ask::<()>(&["PERSIST", key.as_str()]);
    for _ in 0..2 {
        store.load(&key, Some(Ttl::minutes(1))).await.expect("answers").expect("kept");
        assert_eq!(server.ask::<i64>(&["PTTL", key.as_str()]), -1);
    }
}

async fn connect(url: &str) -> Redis {
    Redis::connect(url).await.expect("the server is up")
}

fn call(name: &str) -> (String, u64) {
    (name.to_owned(), 1)
}
