//! What the pieces of a request cost: `cargo bench --bench pieces --all-features`.

use std::hint::black_box;

use cloakroom::store::{Create, Update};
use cloakroom::{
    Codec, Config, HmacSha256, IdLength, Json, Key, KeyPrefix, Memory, MessagePack, Postcard,
    Renewal, SecretKey, SessionId, Sessions, Signer, Store, Ttl,
};
use criterion::{Criterion, criterion_group, criterion_main};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

type Data = MessagePack<Visitor>;

/// How many other records are in the store.
const RECORDS: usize = 1_000;

#[derive(Default, Serialize, Deserialize, postcard_schema::Schema)]
struct Visitor {
    user: u64,
    visits: u64,
    name: String,
    recent: Vec<u64>,
}

fn visitor() -> Visitor {
    Visitor {
        user: 12_345,
        visits: 678,
        name: "Ada Lovelace".to_owned(),
        recent: vec![1, 20, 300, 4_000, 50_000],
    }
}

fn ids(c: &mut Criterion) {
    let mut group = c.benchmark_group("ids");
    let length = IdLength::default();
    group.bench_function("generate", |b| b.iter(|| SessionId::generate(length)));

    let prefix = KeyPrefix::default();
    let id = SessionId::generate(length).expect("randomness");
    group.bench_function("hashed key", |b| {
        b.iter(|| Key::hashed(&prefix, "__Host-id", black_box(&id)))
    });
    group.bench_function("plain key", |b| b.iter(|| Key::plain(&prefix, black_box(&id))));
}

fn signatures(c: &mut Criterion) {
    let mut group = c.benchmark_group("hmac-sha256");
    let signer = HmacSha256::new(&SecretKey::new([7; 32]));
    let id = SessionId::generate(IdLength::default()).expect("randomness");
    let mut value = String::with_capacity(128);
    let mut sign = || {
        value.clear();
        value.push_str(id.as_str());
        signer.sign("__Host-id", black_box(id.as_str()), &mut value);
        value.len()
    };
    group.bench_function("sign", |b| b.iter(&mut sign));
    sign();
    group.bench_function("verify", |b| {
        b.iter(|| signer.verify("__Host-id", black_box(&value)).is_some());
    });

    assert!(
        signer.verify("__Host-id", &value).is_some_and(|verified| verified.id() == id.as_str())
    );
    value.pop();
    group.bench_function("refuse", |b| {
        b.iter(|| signer.verify("__Host-id", black_box(&value)).is_some());
    });
}

fn codecs(c: &mut Criterion) {
    codec::<Postcard<Visitor>>(c, "postcard");
    codec::<MessagePack<Visitor>>(c, "messagepack");
    codec::<Json<Visitor>>(c, "json");
}

fn codec<C: Codec<Data = Visitor>>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(name);
    let data = visitor();
    let mut bytes = Vec::new();
    group.bench_function("encode", |b| {
        b.iter(|| {
            bytes.clear();
            C::encode(black_box(&data), &mut bytes).expect("encoded");
        });
    });
    group.bench_function("decode", |b| {
        b.iter(|| C::decode(black_box(&bytes)).expect("decoded"));
    });
}

fn memory(c: &mut Criterion) {
    let mut group = c.benchmark_group("memory");
    let runtime = runtime();
    let store = Memory::new();
    let keys: Vec<Key> = (0..RECORDS).map(|_| fresh_key()).collect();
    for key in &keys {
        runtime.block_on(create(&store, key));
    }
    let mut keys = keys.iter().cycle();
    let mut next = || keys.next().expect("endless");

    group.bench_function("load", |b| b.to_async(&runtime).iter(|| store.load(next(), None)));
    group.bench_function("load and update", |b| {
        b.to_async(&runtime).iter(|| load_and_update(&store, next()));
    });
    group.bench_function("create and remove", |b| {
        b.to_async(&runtime).iter(|| async {
            let key = fresh_key();
            create(&store, &key).await;
            store.remove(&key).await
        });
    });
}

async fn create(store: &Memory, key: &Key) {
    let created = store.create(key, &[7; 64], Ttl::days(1)).await;
    assert!(matches!(created, Ok(Create::Created(_))));
}

async fn load_and_update(store: &Memory, key: &Key) {
    let Ok(Some(record)) = store.load(key, None).await else { panic!("the record is there") };
    let updated = store.update(key, &[8; 64], Ttl::days(1), &record.revision).await;
    assert!(matches!(updated, Ok(Update::Updated(_))));
}

fn framework_free(c: &mut Criterion) {
    let config = || Config::new().store(Memory::new()).data();
    let every_request = || config().renewal(Renewal::EveryRequest);
    let key = || SecretKey::generate().expect("randomness");

    open(c, "unsigned", &config().build());
    open(c, "signed", &config().signed().secret_key(key()).build());
    send_cookie(c, "unsigned", &every_request().build());
    send_cookie(c, "signed", &every_request().signed().secret_key(key()).build());
}

fn open<K: Signer>(c: &mut Criterion, name: &str, sessions: &Sessions<Memory, Data, K>) {
    let mut group = c.benchmark_group(format!("open, {name}"));
    let runtime = runtime();
    let none = HeaderMap::new();
    let cookie = runtime.block_on(create_session(sessions));
    let valid = with_cookie(&cookie);
    let forged = with_cookie(&swap_first_character_of_id(&cookie));

    for (name, headers) in [("no cookie", &none), ("forged", &forged), ("valid", &valid)] {
        group.bench_function(name, |b| b.to_async(&runtime).iter(|| sessions.open(headers)));
    }
    group.bench_function("valid, change, close", |b| {
        b.to_async(&runtime).iter(|| visit(sessions, &valid, |data| data.visits += 1));
    });
}

/// Every response sends the cookie, so that the figure contains the signing.
fn send_cookie<K: Signer>(c: &mut Criterion, name: &str, sessions: &Sessions<Memory, Data, K>) {
    let mut group = c.benchmark_group(format!("renew on every request, {name}"));
    let runtime = runtime();
    let valid = with_cookie(&runtime.block_on(create_session(sessions)));
    let sent = runtime.block_on(visit(sessions, &valid, |_| ()));
    assert!(sent.contains_key(SET_COOKIE));
    group.bench_function("open, close", |b| {
        b.to_async(&runtime).iter(|| visit(sessions, &valid, |_| ()));
    });
}

async fn visit<K: Signer>(
    sessions: &Sessions<Memory, Data, K>,
    request: &HeaderMap,
    change: impl Fn(&mut Visitor),
) -> HeaderMap {
    let mut session = sessions.open(request).await.expect("opened");
    assert_eq!(session.user, visitor().user);
    change(&mut session);
    let mut response = HeaderMap::new();
    session.close(&mut response).await.expect("closed");
    response
}

/// The cookie of a new session: `name=id` or `name=id.tag`.
async fn create_session<K: Signer>(sessions: &Sessions<Memory, Data, K>) -> String {
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    *session = visitor();
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("stored");

    let cookie = headers[SET_COOKIE].to_str().expect("ASCII");
    cookie.split(';').next().expect("a pair").to_owned()
}

fn with_cookie(cookie: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie).expect("ASCII"))])
}

fn swap_first_character_of_id(cookie: &str) -> String {
    let (name, value) = cookie.split_once('=').expect("a pair");
    let other = if value.starts_with('A') { 'B' } else { 'A' };
    format!("{name}={other}{}", &value[1..])
}

fn fresh_key() -> Key {
    let id = SessionId::generate(IdLength::default()).expect("randomness");
    Key::plain(&KeyPrefix::default(), &id)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().expect("a runtime")
}

criterion_group!(benches, ids, signatures, codecs, memory, framework_free);
criterion_main!(benches);
