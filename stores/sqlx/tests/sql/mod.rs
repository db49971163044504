//! What has to hold for every store in an SQL database.

#![allow(dead_code, reason = "each test program uses a part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cloakroom::store::{Create, Update};
use cloakroom::{Key, Store, Sweep, Ttl, Writable};
use cloakroom_sqlx::{SqlError, SqlName};
use servers::proxy::{Fault, Proxy};
use servers::races::{drop_after, fresh_key, fresh_number, increment_once, load_number};
use servers::visitor::{close, open, sessions, visit};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Both timeouts of the stores in tests of faults.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(600);
/// Both timeouts, and what a busy machine adds.
pub(crate) const DEADLINE: Duration = Duration::from_millis(2_500);
const RECOVERY: Duration = Duration::from_secs(2);

/// A name that no other test uses.
pub(crate) fn fresh_name() -> SqlName {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let (process, call) = (std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
    SqlName::new(format!("test_{process}_{call}")).expect("a name")
}

/// What a URL leads to in which a password was not encoded.
pub(crate) const UNREADABLE_URL: &str = "the URL cannot be read: in the name and the password of the user, percent-encode `#` as \
     `%23`, `/` as `%2F`, `?` as `%3F`, `@` as `%40`, `:` as `%3A` and `%` as `%25`";

/// What a server leads to that cannot be used through TLS.
pub(crate) const NO_TLS: &str = "no connection to the database through TLS: the server offers none, its certificate is not \
     trusted, or the feature `rustls` of `cloakroom-sqlx` is off";

/// What stands before the server's name when it is not encoded, and cannot be read. The last
/// ones look like a name of a server with a port.
pub(crate) const NOT_ENCODED: [&str; 8] = [
    "app:secret#1",
    "app:secret/1",
    "app:secret?1",
    "app:secret@/1",
    "app:12#secret",
    "app:12/secret",
    "app:12?secret",
    "app#secret:1",
];

/// What `migrate` says of a table of another program.
pub(crate) fn misfit(table: &SqlName, what: &str) -> String {
    let table = table.as_str();
    format!(
        "the table `{table}` {what}: leave it to the program that made it, and name another with \
         `options().table(..)`"
    )
}

/// A store gets through a fault of the network.
pub(crate) async fn recovers_from<S>(
    store: S,
    proxy: &Proxy,
    fault: Fault,
    is_expected: fn(&SqlError) -> bool,
) where
    S: Store<Error = SqlError> + Clone,
{
    let key = fresh_number(&store).await;
    let other = fresh_number(&store).await;
    increment_once(&store, &other).await.expect("incremented");

    proxy.set(fault);
    fails_in_time(&store, &key, is_expected).await;
    proxy.set(Fault::None);
    answers_again(&store, &key).await;
    // Late answers reach no other operation.
    for _ in 0..100 {
        assert_eq!(load_number(&store, &other).await.expect("answers"), 1);
        assert_eq!(load_number(&store, &key).await.expect("answers"), 0);
    }
}

/// Many operations at once, so that some wait for a connection.
pub(crate) async fn fails_in_time<S>(store: &S, key: &Key, is_expected: fn(&SqlError) -> bool)
where
    S: Store<Error = SqlError> + Clone,
{
    let mut operations = JoinSet::new();
    for _ in 0..20 {
        let (store, key) = (store.clone(), key.clone());
        operations.spawn(async move {
            let start = Instant::now();
            let loaded = store.load(&key, None).await;
            (loaded.expect_err("the answer does not arrive"), start.elapsed())
        });
    }
    for (fault, time) in operations.join_all().await {
        assert!(time < DEADLINE, "an error after {time:?}");
        assert!(is_expected(&fault), "{fault}");
    }
}

/// No request fails after the network has forgotten every connection of the pool.
pub(crate) async fn forgotten_connections_cost_no_error<S: Writable + Clone>(
    store: S,
    proxy: &Proxy,
) {
    let sessions = sessions(store.clone());
    let cookies = visit(&sessions).await;
    let key = fresh_number(&store).await;
    for visited in 1..=6 {
        assert_eq!(a_hundred_callers_return(&store, &key).await, 100);
        until_connections_are_doubted(Instant::now()).await;
        proxy.forget_connections();
        let mut session = open(&sessions, &cookies).await;
        assert_eq!(session.count, visited);
        session.count += 1;
        close(session).await;
    }
}

pub(crate) async fn answers_again<S: Store>(store: &S, key: &Key) {
    let start = Instant::now();
    while store.load(key, None).await.is_err() {
        assert!(start.elapsed() < RECOVERY, "no recovery within {RECOVERY:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Returns when connections that were used before this moment are asked whether they
/// are there: for a tenth of a second they count as being there.
pub(crate) async fn until_connections_are_doubted(last_used: Instant) {
    while last_used.elapsed() < Duration::from_millis(200) {
        sleep(Duration::from_millis(10)).await;
    }
}

/// A hundred operations at once, whatever they come to.
pub(crate) async fn a_hundred_callers_return<S>(store: &S, key: &Key) -> usize
where
    S: Store + Clone,
{
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let (store, key) = (store.clone(), key.clone());
        callers.spawn(async move { store.load(&key, None).await.is_ok() });
    }
    callers.join_all().await.into_iter().filter(|is_ok| *is_ok).count()
}

/// A sweep removes what is past its time, in several steps, and nothing else.
/// The store has no records before.
pub(crate) async fn sweeps_in_steps<S: Sweep>(store: &S, pass: impl AsyncFn(Duration)) {
    const EXPIRED: u64 = 2_345;
    for _ in 0..EXPIRED {
        let made = store.create(&fresh_key(), b"data", Ttl::MIN).await.expect("answers");
        assert!(matches!(made, Create::Created(_)));
    }
    let live = fresh_number(store).await;
    pass(Duration::from_millis(5)).await;
    assert_eq!(store.sweep().await.expect("answers"), EXPIRED);
    assert_eq!(store.sweep().await.expect("answers"), 0);
    assert_eq!(load_number(store, &live).await.expect("answers"), 0);
}

/// An operation is dropped while its connection has never seen its statement,
/// so that answers of another kind are under way. Pools are of one connection.
pub(crate) async fn dropped_first_operations_mix_nothing_up<S: Store>(
    connect: impl AsyncFn() -> S,
) {
    let (one, other) = (fresh_number(&connect().await).await, fresh_number(&connect().await).await);
    increment_once(&connect().await, &other).await.expect("incremented");
    for polls in 1..=12 {
        let store = connect().await;
        drop_after(polls, store.load(&one, None)).await;
        drop_after(polls, store.load(&one, Some(Ttl::hours(1)))).await;
        for _ in 0..3 {
            assert_eq!(load_number(&store, &other).await.expect("answers"), 1);
            assert_eq!(load_number(&store, &one).await.expect("answers"), 0);
        }
    }
}

/// The least that a store does: a record is made, changed and removed.
pub(crate) async fn keeps_a_record<S: Store>(store: &S) {
    let key = fresh_number(store).await;
    let record = store.load(&key, Some(Ttl::hours(1))).await.expect("answers").expect("kept");
    let updated = store.update(&key, b"1", Ttl::hours(1), &record.revision).await;
    assert!(matches!(updated, Ok(Update::Updated(_))));
    let stale = store.update(&key, b"2", Ttl::hours(1), &record.revision).await;
    assert!(matches!(stale, Ok(Update::Conflict)));
    let removed = store.remove(&key).await.expect("answers").expect("kept");
    assert_eq!(removed.as_ref(), b"1");
    let gone = store.update(&key, b"2", Ttl::hours(1), &record.revision).await;
    assert!(matches!(gone, Ok(Update::Gone)));
}
