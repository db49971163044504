//! What stands in the server.

use std::time::{Duration, SystemTime};

use cloakroom::store::{Create, Update};
use cloakroom::{Key, Store, Ttl};
use cloakroom_mongodb::MongoDb;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, doc};
use mongodb::{Client, Collection};
use servers::mongodb::MongoDbServer as Server;
use servers::races::{fresh_key, fresh_number};
use tokio::task::JoinSet;

const LONG: Ttl = Ttl::hours(1);

/// As the store documents it.
const LONGEST: usize = (8 << 20) - 1024;

#[tokio::test]
async fn a_document_has_the_fields_that_flask_session_writes() {
    let (_server, store, documents) = fresh().await;
    let key = fresh_key();
    let made = store.create(&key, b"\0coat\xff", Ttl::minutes(1)).await;
    assert!(matches!(made, Ok(Create::Created(_))));

    let document = the_document(&documents, &key).await;
    let mut names: Vec<_> = document.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["_id", "expiration", "id", "val"]);
    assert!(matches!(document.get("_id"), Some(Bson::ObjectId(_))));
    assert_eq!(document.get("val"), Some(&Bson::Binary(binary(b"\0coat\xff"))));
    let expiry = document.get_datetime("expiration").expect("a date").to_system_time();
    let left = expiry.duration_since(SystemTime::now()).expect("in the future");
    assert!((50..=60).contains(&left.as_secs()), "{left:?}");
}

#[tokio::test]
async fn a_document_that_the_server_has_not_removed_yet_is_absent() {
    let (_server, store, documents) = fresh().await;
    let key = expired(&documents).await;
    assert!(store.load(&key, None).await.expect("answers").is_none());
    assert!(store.load(&key, Some(LONG)).await.expect("answers").is_none());
    let seen = revision(&store).await;
    assert!(matches!(store.update(&key, b"new", LONG, &seen).await, Ok(Update::Gone)));
    assert_eq!(value_of(&the_document(&documents, &key).await), b"0");

    let made = store.create(&key, b"new", LONG).await;
    assert!(matches!(made, Ok(Create::Created(_))));
    assert_eq!(value_of(&the_document(&documents, &key).await), b"new");
}

#[tokio::test]
async fn a_document_without_a_date_is_absent_and_gives_its_key_up() {
    let (_server, store, documents) = fresh().await;
    let odd = [doc! {}, doc! { "expiration": null }, doc! { "expiration": "2999-01-01" }];
    for mut document in odd {
        let key = fresh_key();
        document.insert("id", key.as_str());
        document.insert("val", binary(b"old"));
        documents.insert_one(document).await.expect("inserted");
        assert!(store.load(&key, None).await.expect("answers").is_none());

        let made = store.create(&key, b"new", LONG).await;
        assert!(matches!(made, Ok(Create::Created(_))), "{made:?}");
        let record = store.load(&key, None).await.expect("answers").expect("kept");
        assert_eq!(record.value, b"new".as_slice());
        assert_eq!(value_of(&the_document(&documents, &key).await), b"new");
    }
}

#[tokio::test]
async fn removing_an_expired_document_hands_nothing_out() {
    let (_server, store, documents) = fresh().await;
    let key = expired(&documents).await;
    assert!(store.remove(&key).await.expect("answers").is_none());
    assert_eq!(documents.count_documents(doc! {}).await.expect("counted"), 0);
}

#[tokio::test]
async fn a_document_that_is_no_record_is_a_fault_that_names_no_key() {
    let (_server, store, documents) = fresh().await;
    let expiration = DateTime::from_millis(DateTime::now().timestamp_millis() + 60_000);
    let odd = Binary { subtype: BinarySubtype::UserDefined(0x80), bytes: b"secret".to_vec() };
    for val in [Bson::String("secret".to_owned()), Bson::Null, odd.into()] {
        let key = fresh_key();
        let document = doc! { "id": key.as_str(), "val": val, "expiration": expiration };
        documents.insert_one(document).await.expect("inserted");
        let Err(fault) = store.load(&key, None).await else { panic!("no bytes") };
        assert_eq!(fault.to_string(), "MongoDB sent an unexpected reply");
    }
}

#[tokio::test]
async fn a_value_over_the_limit_is_a_fault_and_the_old_record_stays() {
    let (_server, store, documents) = fresh().await;
    let key = fresh_number(&store).await;
    let large = vec![7; LONGEST + 1];
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    let fault = store.update(&key, &large, LONG, &record.revision).await.expect_err("too long");
    assert!(fault.is_too_large());
    let fault = store.create(&fresh_key(), &large, LONG).await.expect_err("too long");
    assert!(fault.is_too_large());
    assert_eq!(documents.count_documents(doc! {}).await.expect("counted"), 1);
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    assert_eq!(&*record.value, b"0");
}

#[tokio::test]
async fn a_value_of_the_longest_length_can_replace_another() {
    let (_server, store, _) = fresh().await;
    let key = fresh_key();
    let made = store.create(&key, &vec![1; LONGEST], LONG).await.expect("answers");
    let Create::Created(seen) = made else { panic!("the key is fresh") };
    let updated = store.update(&key, &vec![2; LONGEST], LONG, &seen).await.expect("answers");
    assert!(matches!(updated, Update::Updated(_)));
    let removed = store.remove(&key).await.expect("answers").expect("kept");
    assert!(removed.len() == LONGEST && removed.iter().all(|byte| *byte == 2));
}

#[tokio::test]
async fn a_longer_value_of_another_program_can_be_replaced_by_one_that_fits_beside_it() {
    let (_server, store, documents) = fresh().await;
    let key = fresh_key();
    let long = vec![1; 12 << 20];
    insert(&documents, &key, &long, 60_000).await;
    let record = store.load(&key, None).await.expect("answers").expect("kept");
    assert_eq!(record.value, long);
    let update = |length| {
        let (store, key, seen) = (&store, &key, &record.revision);
        async move { store.update(key, &vec![2; length], LONG, seen).await }
    };
    assert!(update(5 << 20).await.expect_err("too long").is_too_large());
    assert!(matches!(update(3 << 20).await, Ok(Update::Updated(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_programs_may_migrate_at_once() {
    let server = Server::start(&[]);
    let mut programs = JoinSet::new();
    for _ in 0..20 {
        let url = server.url();
        programs.spawn(async move { MongoDb::connect(&url).await?.migrate().await });
    }
    for migrated in programs.join_all().await {
        migrated.expect("migrated");
    }
    assert_eq!(indexes(&documents_of(&server).await).await, ["_id_", "expiration_1", "id_1"]);
}

#[tokio::test]
async fn migrating_adds_to_the_index_of_flask_session() {
    let server = Server::start(&[]);
    let documents = documents_of(&server).await;
    let of_flask =
        doc! { "key": { "expiration": 1 }, "name": "expiration_1", "expireAfterSeconds": 0 };
    let command = doc! { "createIndexes": "sessions", "indexes": [of_flask] };
    server.ask("flask_session", command).expect("created");
    let key = expired(&documents).await;

    let store = MongoDb::connect(&server.url()).await.expect("the server is up");
    for _ in 0..2 {
        store.migrate().await.expect("migrated");
        assert_eq!(indexes(&documents).await, ["_id_", "expiration_1", "id_1"]);
    }
    let error = documents.insert_one(doc! { "id": key.as_str() }).await.expect_err("a duplicate");
    assert!(error.to_string().contains("E11000"));
}

#[tokio::test]
async fn documents_of_one_id_are_a_fault_that_names_no_id() {
    let server = Server::start(&[]);
    let documents = documents_of(&server).await;
    documents
        .insert_many([doc! { "id": "secret" }, doc! { "id": "secret" }])
        .await
        .expect("inserted");
    let store = MongoDb::connect(&server.url()).await.expect("the server is up");
    let fault = store.migrate().await.expect_err("not unique");
    assert!(fault.to_string().starts_with("several documents have the same id"), "{fault}");
    assert!(!format!("{fault} {fault:?}").contains("secret"));
}

#[tokio::test]
async fn another_index_of_the_same_name_is_a_fault() {
    let server = Server::start(&[]);
    let other =
        doc! { "key": { "expiration": 1 }, "name": "expiration_1", "expireAfterSeconds": 60 };
    let command = doc! { "createIndexes": "sessions", "indexes": [other] };
    server.ask("flask_session", command).expect("created");
    let store = MongoDb::connect(&server.url()).await.expect("the server is up");
    let fault = store.migrate().await.expect_err("another index");
    assert!(fault.to_string().starts_with("MongoDB refused a command: 8"), "{fault}");
}

#[tokio::test]
async fn two_collections_are_two_stores() {
    let server = Server::start(&[]);
    let store = MongoDb::connect(&server.url()).await.expect("the server is up");
    let key = fresh_number(&store).await;
    let elsewhere = store.clone().database("shop").and_then(|store| store.collection("carts"));
    let elsewhere = elsewhere.expect("names");
    assert!(elsewhere.load(&key, None).await.expect("answers").is_none());
    fresh_number(&elsewhere).await;
    assert_eq!(server.count("shop", "carts"), 1);
    assert_eq!(server.count("flask_session", "sessions"), 1);
    assert!(store.database("a.b").is_err());
}

async fn fresh() -> (Server, MongoDb, Collection<Document>) {
    let server = Server::start(&[]);
    let store = MongoDb::connect(&server.url()).await.expect("the server is up");
    let store = store.deadline(Duration::from_secs(20));
    store.migrate().await.expect("migrated");
    let documents = documents_of(&server).await;
    (server, store, documents)
}

async fn documents_of(server: &Server) -> Collection<Document> {
    let client = Client::with_uri_str(server.url()).await.expect("a client");
    client.database("flask_session").collection("sessions")
}

async fn the_document(documents: &Collection<Document>, key: &Key) -> Document {
    let mut found = documents.find(doc! { "id": key.as_str() }).await.expect("answers");
    assert!(found.advance().await.expect("answers"), "it is gone");
    let document = found.deserialize_current().expect("a document");
    assert!(!found.advance().await.expect("answers"), "there are two");
    document
}

fn value_of(document: &Document) -> &[u8] {
    document.get_binary_generic("val").expect("bytes")
}

/// A document whose time has been over for a minute.
async fn expired(documents: &Collection<Document>) -> Key {
    let key = fresh_key();
    insert(documents, &key, b"0", -60_000).await;
    key
}

async fn insert(documents: &Collection<Document>, key: &Key, val: &[u8], left: i64) {
    let expiration = DateTime::from_millis(DateTime::now().timestamp_millis() + left);
    let document = doc! { "id": key.as_str(), "val": binary(val), "expiration": expiration };
    documents.insert_one(document).await.expect("inserted");
}

async fn revision(store: &MongoDb) -> <MongoDb as Store>::Revision {
    let key = fresh_number(store).await;
    store.load(&key, None).await.expect("answers").expect("kept").revision
}

async fn indexes(documents: &Collection<Document>) -> Vec<String> {
    let mut names = documents.list_index_names().await.expect("answers");
    names.sort_unstable();
    names
}

fn binary(bytes: &[u8]) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}
