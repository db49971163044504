//! What is sent, and how often.

use std::time::Duration;

use cloakroom::store::Update;
use cloakroom::{Renewal, Store, Ttl};
use cloakroom_mongodb::MongoDb;
use http::HeaderMap;
use servers::mongodb::{Listener, MongoDbServer as Server};
use servers::proxy::{Fault, Proxy};
use servers::races::{fresh_key, fresh_number};
use servers::visitor::{Counter, close, open, sessions, visit};

use super::DATABASE;

#[tokio::test]
async fn a_read_is_one_find() {
    let (_server, listener, store) = listened_to().await;
    let sessions = sessions(store);
    let cookies = visit(&sessions).await;
    listener.commands();

    close(open(&sessions, &cookies).await).await;
    assert_eq!(listener.names(), ["find"]);
}

#[tokio::test]
async fn a_change_is_one_find_and_one_update() {
    let (_server, listener, store) = listened_to().await;
    let sessions = sessions(store);
    let cookies = visit(&sessions).await;
    listener.commands();

    let mut session = open(&sessions, &cookies).await;
    session.count += 1;
    close(session).await;
    assert_eq!(listener.names(), ["find", "update"]);
}

#[tokio::test]
async fn a_new_session_is_one_update() {
    let (_server, listener, store) = listened_to().await;
    let sessions = sessions(store);

    visit(&sessions).await;
    assert_eq!(listener.names(), ["update"]);
}

#[tokio::test]
async fn a_logout_is_one_find_and_one_update() {
    let (_server, listener, store) = listened_to().await;
    let sessions = sessions(store);
    let cookies = visit(&sessions).await;
    listener.commands();

    let mut session = open(&sessions, &cookies).await;
    session.destroy();
    close(session).await;
    assert_eq!(listener.names(), ["find", "update"]);
    assert!(open(&sessions, &cookies).await.is_new());
}

#[tokio::test]
async fn postponing_the_expiry_costs_no_further_command() {
    let (_server, listener, store) = listened_to().await;
    let config = cloakroom::Config::new().store(store).data::<Counter>();
    let sessions = config.renewal(Renewal::EveryRequest).build();
    let cookies = visit(&sessions).await;
    listener.commands();

    close(open(&sessions, &cookies).await).await;
    assert_eq!(listener.names(), ["findAndModify"]);
}

#[tokio::test]
async fn a_visit_without_a_cookie_asks_nothing() {
    let (_server, listener, store) = listened_to().await;
    close(open(&sessions(store), &HeaderMap::new()).await).await;
    assert!(listener.names().is_empty());
}

#[tokio::test]
async fn an_update_asks_a_second_time_only_when_it_is_refused() {
    let (_server, listener, store) = listened_to().await;
    let key = fresh_number(&store).await;
    let old = store.load(&key, None).await.expect("answers").expect("kept").revision;
    listener.commands();

    let updated = store.update(&key, b"1", Ttl::hours(1), &old).await;
    assert!(matches!(updated, Ok(Update::Updated(_))));
    assert_eq!(listener.names(), ["update"]);
    let refused = store.update(&key, b"2", Ttl::hours(1), &old).await;
    assert!(matches!(refused, Ok(Update::Conflict)));
    assert_eq!(listener.names(), ["update", "find"]);
    let refused = store.update(&fresh_key(), b"2", Ttl::hours(1), &old).await;
    assert!(matches!(refused, Ok(Update::Gone)));
    assert_eq!(listener.names(), ["update", "find"]);
}

#[tokio::test]
async fn a_majority_confirms_every_write_and_every_read_whatever_the_client_says() {
    let server = Server::start(&[]);
    let url =
        format!("{}/?w=1&readConcernLevel=local&readPreference=secondaryPreferred", server.url());
    let listener = Listener::connect(&url).await;
    let store = MongoDb::new(listener.client.clone());
    store.migrate().await.expect("migrated");
    let key = fresh_number(&store).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    let _ = store.load(&key, Some(Ttl::hours(1))).await.expect("answers");
    let _ = store.update(&key, b"1", Ttl::hours(1), &record.revision).await.expect("answers");
    let _ = store.update(&key, b"2", Ttl::hours(1), &record.revision).await.expect("answers");
    store.remove(&key).await.expect("answers");

    let commands = listener.commands();
    assert_eq!(commands.len(), 8);
    for (name, command) in commands {
        let (concern, level) =
            if name == "find" { ("readConcern", "level") } else { ("writeConcern", "w") };
        let asked = command.get_document(concern).expect("a concern").get_str(level);
        assert_eq!(asked.ok(), Some("majority"), "{name}");
        // Left out, it means the primary.
        let preference = command.get_document("$readPreference").ok();
        let mode = preference.and_then(|preference| preference.get_str("mode").ok());
        assert!(mode.is_none_or(|mode| mode == "primary"), "{name} reads from {mode:?}");
    }
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_sent_again_and_is_no_conflict() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    // No heartbeat meets the fault in the place of the update.
    let url = format!(
        "mongodb://127.0.0.1:{}/?directConnection=true&heartbeatFrequencyMS=600000",
        proxy.port()
    );
    let listener = Listener::connect(&url).await;
    let store = MongoDb::new(listener.client.clone()).deadline(Duration::from_secs(20));
    let key = fresh_number(&store).await;
    let seen = store.load(&key, None).await.expect("answers").expect("kept").revision;
    listener.commands();

    proxy.set(Fault::CutOnce);
    let updated = store.update(&key, b"1", Ttl::hours(1), &seen).await;
    assert!(matches!(updated, Ok(Update::Updated(_))), "{updated:?}");
    assert_eq!(listener.names(), ["update", "update"]);
    proxy.set(Fault::CutOnce);
    let removed = store.remove(&key).await.expect("answers");
    assert_eq!(removed.as_deref(), Some(&b"1"[..]));
    assert_eq!(listener.names(), ["findAndModify", "findAndModify"]);
}

async fn listened_to() -> (Server, Listener, MongoDb) {
    let server = Server::start(&[]);
    let listener = Listener::connect(&server.url()).await;
    let store = MongoDb::new(listener.client.clone()).database(DATABASE).expect("a name");
    store.migrate().await.expect("migrated");
    listener.commands();
    (server, listener, store)
}
