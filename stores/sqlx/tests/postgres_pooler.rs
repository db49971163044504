//! PostgreSQL behind a pooler that gives each transaction any connection to the server.

mod sql;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use cloakroom::store::{Create, Update};
use cloakroom::{Key, Store, Sweep, Ttl};
use cloakroom_sqlx::{Postgres, SqlError};
use servers::pgbouncer::PgBouncer;
use servers::postgres::PostgresServer as Server;
use servers::races::{fresh_key, fresh_number, no_save_outlives_a_logout};
use servers::visitor::{close, open, sessions, visit};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::task::JoinSet;

use sql::keeps_a_record;

/// What every operation says that cannot be carried out there.
const SAID: &str = "the connections lead to a pooler that shares prepared statements among its \
                    clients: call `options().transaction_pooler()`, or let the pooler keep a \
                    connection for the whole session";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_mixes_statements_up_never_ends_a_live_session() {
    for _ in 0..3 {
        let place = Place::new().await;
        let mut tasks = JoinSet::new();
        for reader in 0..6 {
            let place = place.clone();
            tasks.spawn(async move { place.load_all(&place.store().await, reader).await });
        }
        for ended in [0, 1] {
            let place = place.clone();
            tasks.spawn(async move { place.end(&place.store().await, ended).await });
        }
        tasks.join_all().await;
        place.check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_that_mixes_statements_up_gives_no_answer_to_another_statement() {
    for _ in 0..3 {
        let place = Place::new().await;
        let store = place.store().await;
        let mut tasks = JoinSet::new();
        for task in 0..6 {
            let (place, store) = (place.clone(), store.clone());
            tasks.spawn(async move {
                place.load_all(&store, task).await;
                place.do_everything_else(&store, task).await;
            });
        }
        let ending = place.clone();
        tasks.spawn(async move { ending.end(&store, 0).await });
        tasks.join_all().await;
        place.check().await;
    }
}

#[tokio::test]
async fn connecting_to_a_pooler_that_mixes_statements_up_is_an_error_that_says_what_to_do() {
    let place = Place::new().await;
    let fault = Postgres::connect(&place.pooler.url()).await.expect_err("it is a pooler");
    assert_eq!(fault.to_string(), SAID);
    let fault = place.store().await.migrate().await.expect_err("it is a pooler");
    assert_eq!(fault.to_string(), SAID);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_visit_succeeds_behind_a_pooler_of_transactions() {
    let pooler = PgBouncer::before(SHARED.port());
    let mut visitors = JoinSet::new();
    for _ in 0..8 {
        let url = pooler.url();
        visitors.spawn(async move {
            let store = Postgres::options().transaction_pooler().connect(&url).await;
            let store = store.expect("the pooler is up");
            store.migrate().await.expect("migrated");
            keeps_a_record(&store).await;
            let sessions = sessions(store.clone());
            let cookies = visit(&sessions).await;
            for visited in 1..20 {
                let mut session = open(&sessions, &cookies).await;
                assert_eq!(session.count, visited);
                session.count += 1;
                close(session).await;
            }
            assert_eq!(store.sweep().await.expect("answers"), 0);
        });
    }
    visitors.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_left_behind_a_pooler_when_a_logout_meets_100_saves() {
    let server = Server::start(&["default_transaction_isolation=serializable"]);
    let pooler = PgBouncer::before(server.port());
    let store = Postgres::options().transaction_pooler().connect(&pooler.url()).await;
    let store = store.expect("the pooler is up");
    store.migrate().await.expect("migrated");
    no_save_outlives_a_logout(store).await;
}

static SHARED: LazyLock<Server> = LazyLock::new(|| Server::start(&[]));

/// Sixty sessions that were made without a pooler, and the pooler.
#[derive(Clone)]
struct Place {
    pooler: Arc<PgBouncer>,
    direct: Postgres,
    keys: Arc<Vec<Key>>,
    ended: Arc<AtomicUsize>,
}

impl Place {
    async fn new() -> Self {
        let direct = connect(&SHARED.url()).await;
        let pooler = PgBouncer::before(SHARED.port());
        let mut keys = Vec::new();
        for _ in 0..60 {
            keys.push(fresh_number(&direct).await);
        }
        Self { pooler: Arc::new(pooler), direct, keys: Arc::new(keys), ended: Arc::default() }
    }

    /// A store with a pool of the application, of which it knows nothing.
    async fn store(&self) -> Postgres {
        let server: PgConnectOptions = self.pooler.url().parse().expect("a URL");
        let pool = PgPoolOptions::new().connect_with(server.extra_float_digits(None)).await;
        Postgres::new(pool.expect("the pooler is up"))
    }

    async fn load_all(&self, store: &Postgres, task: usize) {
        for round in 0..2 {
            for key in &self.keys[10..] {
                let extend = (round == 1 && task.is_multiple_of(2)).then(|| Ttl::hours(1));
                if let Some(found) = answer(store.load(key, extend).await) {
                    assert!(found.is_some(), "a live session counts as absent");
                }
            }
        }
    }

    async fn end(&self, store: &Postgres, place: usize) {
        if let Some(found) = answer(store.remove(&self.keys[place]).await) {
            assert!(found.is_some(), "a live session counts as absent");
            self.ended.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn do_everything_else(&self, store: &Postgres, task: usize) {
        let key = &self.keys[2 + task];
        for _ in 0..10 {
            if let Some(found) = answer(store.load(key, None).await) {
                let seen = found.expect("a live session").revision;
                if let Some(updated) = answer(store.update(key, b"1", Ttl::hours(1), &seen).await) {
                    assert!(matches!(updated, Update::Updated(_)), "the answer of another");
                }
            }
            if let Some(made) = answer(store.create(&fresh_key(), b"0", Ttl::hours(1)).await) {
                assert!(matches!(made, Create::Created(_)), "the answer of another");
            }
            if let Some(swept) = answer(store.sweep().await) {
                assert_eq!(swept, 0, "nothing has expired");
            }
        }
    }

    /// What was not ended is there, and what was acknowledged has happened.
    async fn check(&self) {
        let mut live = 0;
        for (place, key) in self.keys.iter().enumerate() {
            let record = self.direct.load(key, None).await.expect("answers");
            assert!(place < 2 || record.is_some(), "a session that was not ended is gone");
            live += usize::from(record.is_some());
        }
        assert_eq!(60 - live, self.ended.load(Ordering::SeqCst));
    }
}

/// An error is one that says what is wrong.
fn answer<T>(result: Result<T, SqlError>) -> Option<T> {
    match result {
        Ok(answer) => Some(answer),
        Err(fault) => {
            assert_eq!(fault.to_string(), SAID);
            None
        }
    }
}

async fn connect(url: &str) -> Postgres {
    let store = Postgres::connect(url).await.expect("the server is up");
    store.migrate().await.expect("migrated");
    store
}
