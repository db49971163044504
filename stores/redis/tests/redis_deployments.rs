//! Two programs with two settings at one Redis, which decides itself when a record is over.

#[path = "../../../tests/deployments/matrix.rs"]
mod matrix;
#[path = "../../../tests/deployments/programs.rs"]
mod programs;

use std::sync::Arc;
use std::time::Duration;

use cloakroom::Clock;
use cloakroom_redis::Redis;
use programs::Place;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use servers::redis::shared_url;

/// The server has a clock of its own, which no test moves. Instead, its records lose time:
/// those whose names begin with a prefix, all at once.
const PASS: &str = "\
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local left = redis.call('PTTL', key) - tonumber(ARGV[2])
  if left > 0 then
    redis.call('PEXPIRE', key, left)
  else
    redis.call('DEL', key)
  end
end
";

/// The seconds that a test takes pass as well.
struct AtRedis {
    store: Arc<Redis>,
    connection: MultiplexedConnection,
    prefix: String,
}

impl Place for AtRedis {
    type Store = Redis;

    async fn prepare(_: &Clock, prefix: &str) -> Self {
        let url = shared_url();
        let client = redis::Client::open(url.as_str()).expect("a URL");
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
        Self {
            store: Arc::new(Redis::connect(&url).await.expect("the server is up")),
            connection: connection.expect("the server is up"),
            prefix: prefix.to_owned(),
        }
    }

    fn store(&self) -> &Arc<Redis> {
        &self.store
    }

    async fn pass(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("not that long");
        let mut pass = redis::cmd("EVAL");
        pass.arg(PASS).arg(0).arg(&self.prefix).arg(millis);
        let passed = pass.exec_async(&mut self.connection.clone()).await;
        passed.expect("the server answers");
    }
}

/// Many tests run at once.
const PATIENCE: Duration = Duration::from_secs(30);

matrix::matrix!(AtRedis);
