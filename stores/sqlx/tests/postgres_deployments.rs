//! Two programs with two settings at one PostgreSQL, where the statements of the store
//! decide when a record is over.

#[path = "../../../tests/deployments/matrix.rs"]
mod matrix;
#[path = "../../../tests/deployments/programs.rs"]
mod programs;

use std::sync::Arc;
use std::time::Duration;

use cloakroom::Clock;
use cloakroom_sqlx::{Postgres, SqlName};
use programs::Place;
use servers::postgres::shared_url;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgPool, PgPoolOptions};

/// The server has a clock of its own, which no test moves. Instead, its records lose time.
/// Each test has a table. The seconds that it takes pass as well.
struct AtPostgres {
    store: Arc<Postgres>,
    pool: PgPool,
    pass: String,
}

impl Place for AtPostgres {
    type Store = Postgres;

    async fn prepare(_: &Clock, prefix: &str) -> Self {
        let table = format!("t_{}", prefix.trim_end_matches(':').replace('-', "_"));
        let pool = PgPoolOptions::new().max_connections(1).connect(&shared_url()).await;
        let pool = pool.expect("the server is up");
        let options = Postgres::options().table(SqlName::new(&table).expect("a name"));
        let store = options.pool(pool.clone());
        store.migrate().await.expect("migrated");
        let pass =
            format!("UPDATE {table} SET expiry = expiry - $1::bigint * interval '1 millisecond'");
        Self { store: Arc::new(store), pool, pass }
    }

    fn store(&self) -> &Arc<Postgres> {
        &self.store
    }

    async fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).expect("not that long");
        let pass = sqlx::query(AssertSqlSafe(self.pass.clone())).bind(millis);
        pass.execute(&self.pool).await.expect("the server answers");
    }
}

matrix::matrix!(AtPostgres);
