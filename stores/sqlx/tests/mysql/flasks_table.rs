//! In a table that Flask-Session made.

use cloakroom::{Store, Ttl};
use cloakroom_sqlx::MySql;
use servers::mysql::shared_url;
use servers::races::fresh_number;

use super::sql::keeps_a_record;
use super::{flasks_table, run};

#[tokio::test]
async fn a_table_that_flask_made_can_be_used() {
    let table = flasks_table().await;
    // As it is, and with an index.
    let store = MySql::options().table(table).connect(&shared_url()).await;
    let store = store.expect("the server is up");
    keeps_a_record(&store).await;
    store.migrate().await.expect("migrated");
    keeps_a_record(&store).await;
}

#[tokio::test]
async fn keys_that_differ_in_case_are_told_apart_in_a_table_that_flask_made() {
    let table = flasks_table().await;
    let store = MySql::options().table(table.clone()).connect(&shared_url()).await;
    let store = store.expect("the server is up");
    let key = fresh_number(&store).await;
    for change in ["UPPER(session_id)", "CONCAT(LOWER(session_id), ' ')"] {
        run(&format!("UPDATE {} SET session_id = {change}", table.as_str())).await;
        assert!(store.load(&key, None).await.expect("answers").is_none());
        assert!(store.load(&key, Some(Ttl::hours(1))).await.expect("answers").is_none());
        assert!(store.remove(&key).await.expect("answers").is_none());
    }
}
