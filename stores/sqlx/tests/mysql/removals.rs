//! Removals of what is past its time.

use std::time::Duration;

use cloakroom::Store;
use cloakroom_sqlx::MySql;
use servers::races::fresh_number;
use sqlx::AssertSqlSafe;
use tokio::time::sleep;

use super::sql::fresh_name;
use super::{made, pool, run};

#[tokio::test]
async fn a_record_whose_time_is_just_postponed_does_not_outlive_its_removal() {
    let table = fresh_name();
    let store = made(MySql::options().table(table.clone())).await;
    let key = fresh_number(&store).await;
    let table = table.as_str();
    run(&format!("UPDATE {table} SET expiry = UTC_TIMESTAMP() - INTERVAL 1 MINUTE")).await;

    // As a load that began in time, and has waited for a lock.
    let pool = pool().await;
    let mut load = pool.begin().await.expect("begun");
    let postpone = format!("UPDATE {table} SET expiry = UTC_TIMESTAMP() + INTERVAL 1 HOUR");
    sqlx::query(AssertSqlSafe(postpone)).execute(&mut *load).await.expect("postponed");
    let removal = tokio::spawn({
        let (store, key) = (store.clone(), key.clone());
        async move { store.remove(&key).await }
    });
    let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE ?";
    while !removal.is_finished() {
        let waiting = sqlx::query_scalar(waiting).bind(format!("DELETE FROM `{table}`%"));
        if waiting.fetch_one(&pool).await.is_ok_and(|count: i64| count > 0) {
            break;
        }
        sleep(Duration::from_millis(5)).await;
    }
    load.commit().await.expect("committed");

    let removed = removal.await.expect("no panic").expect("answers");
    assert_eq!(removed.as_deref(), Some(&b"0"[..]));
    assert!(store.load(&key, None).await.expect("answers").is_none());
}

#[tokio::test]
async fn what_is_past_its_time_is_removed_but_not_handed_out() {
    let table = fresh_name();
    let store = made(MySql::options().table(table.clone())).await;
    let key = fresh_number(&store).await;
    let table = table.as_str();
    run(&format!("UPDATE {table} SET expiry = UTC_TIMESTAMP() - INTERVAL 1 MINUTE")).await;
    assert!(store.remove(&key).await.expect("answers").is_none());
    let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}")));
    let count: i64 = count.fetch_one(&pool().await).await.expect("answers");
    assert_eq!(count, 0);
}
