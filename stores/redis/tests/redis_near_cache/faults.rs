//! Connections that break or go silent, and servers that cannot help.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cloakroom::Store;
use cloakroom_redis::{NearCache, Redis, RedisError};
use servers::free_port;
use servers::proxy::{Fault, Proxy};
use servers::races::{fresh_number, load_number};
use servers::redis::RedisServer as Server;
use tokio::task::JoinSet;

use super::{number_at, patient, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_cut_connection_nothing_outdated_is_read() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let store = patient(&proxy.url()).await;
    let key = fresh_number(&store).await;
    for n in 1..=20 {
        assert_eq!(number_at(&store, &key).await, n - 1);
        proxy.set(Fault::Cut);
        until(async || load_number(&store, &key).await.is_err()).await;
        server.ask::<()>(&["SET", key.as_str(), &n.to_string()]);
        proxy.set(Fault::None);
        until(async || match load_number(&store, &key).await {
            Ok(seen) => {
                assert_eq!(seen, n, "an outdated read");
                true
            }
            Err(_) => false,
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_while_many_read_leave_nothing_outdated_behind() {
    let server = Server::start(&[]);
    let store = patient(&server.url()).await;
    let key = Arc::new(fresh_number(&store).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..8 {
        let (store, key, is_over) = (store.clone(), key.clone(), is_over.clone());
        readers.spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let _ = store.load(&key, None).await;
                tokio::task::yield_now().await;
            }
        });
    }
    for n in 1..=200 {
        server.close_connections();
        server.ask::<()>(&["SET", key.as_str(), &n.to_string()]);
        until(async || load_number(&store, &key).await.is_ok_and(|seen| seen == n)).await;
    }
    is_over.store(true, Ordering::SeqCst);
    readers.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_connection_is_believed_for_the_configured_time_only() {
    let server = Server::start(&[]);
    let proxy = Proxy::before(server.port());
    let silence = Duration::from_millis(300);
    let redis = Redis::options().response_timeout(silence).connection_timeout(silence);
    let redis = redis.connect(&proxy.url()).await.expect("the server is up");
    let store = NearCache::options().max_silence(silence).in_front_of(redis).await;
    let store = store.expect("the server tracks");
    let key = fresh_number(&store).await;

    let read = async || load_number(&store, &key).await;
    assert_eq!(read().await.expect("answers"), 0);
    let last_heard = Instant::now();
    proxy.set(Fault::Silence);
    server.ask::<()>(&["SET", key.as_str(), "1"]);
    loop {
        let asked = Instant::now();
        match read().await {
            // The cache cannot know better yet.
            Ok(seen) => assert!(seen == 0 && asked < last_heard + silence, "an outdated read"),
            Err(fault) => break assert!(fault.is_timeout(), "{fault}"),
        }
    }
    proxy.set(Fault::None);
    until(async || match read().await {
        Ok(seen) => {
            assert_eq!(seen, 1, "an outdated read");
            true
        }
        Err(_) => false,
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let server = Server::start(&[]);
    let redis = Redis::connect(&server.url()).await.expect("the server is up");
    drop(server);
    assert!(NearCache::new(redis).await.is_err());
    let url = format!("redis://127.0.0.1:{}", free_port());
    assert!(Redis::connect(&url).await.is_err());
}

#[tokio::test]
async fn a_server_that_forbids_tracking_is_an_error_and_no_cache() {
    let server = Server::start(&[]);
    server.ask::<()>(&["ACL", "SETUSER", "app", "on", ">right", "~*", "+@all", "-client|tracking"]);
    let url = format!("redis://app:right@127.0.0.1:{}", server.port());
    let redis = Redis::connect(&url).await.expect("the server is up");
    let fault: RedisError = NearCache::new(redis).await.expect_err("tracking is forbidden");
    assert_eq!(
        fault.to_string(),
        "Redis forbids this user the command CLIENT: the documentation of `Redis` lists the commands to allow"
    );
}
