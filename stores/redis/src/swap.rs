//! The compare-and-swap behind [`Store::update`](cloakroom::Store::update).
//!
//! The server compares the bytes themselves. That is less work for it than a digest, and no
//! two values pass for one.
//!
//! Valkey 8.1 and Redis 8.4 do it in a `SET`. Older servers run a script. The store sends
//! the `SET` until a server refuses it.

use std::sync::atomic::Ordering;

use cloakroom::store::Update;
use cloakroom::{Key, Ttl};
use redis::aio::ConnectionLike;
use redis::{ErrorKind, ServerErrorKind, Value};

use crate::command::on;
use crate::error::RedisError;
use crate::redis::{Redis, RedisRevision};
use crate::script::Script;

static SCRIPT: Script = Script::new(
    "\
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return held and 0 or -1
",
);

impl<C> Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    pub(crate) async fn compare_and_swap(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &RedisRevision,
    ) -> Result<Update<RedisRevision>, RedisError> {
        if !self.by_script.swap.load(Ordering::Relaxed) {
            if let Some(updated) = self.swap_natively(key, value, ttl, seen).await? {
                return Ok(updated);
            }
            self.by_script.swap.store(true, Ordering::Relaxed);
        }
        let millis = ttl.as_millis().to_string();
        match self.run_script(&SCRIPT, key, &[&seen.0, value, millis.as_bytes()]).await {
            Ok(Value::Int(1)) => Ok(Update::Updated(RedisRevision::of(value))),
            Ok(Value::Int(0)) => Ok(Update::Conflict),
            Ok(Value::Int(-1)) => Ok(Update::Gone),
            reply => Err(RedisError::of_reply(reply)),
        }
    }

    /// `None` if the server does not know `IFEQ`.
    async fn swap_natively(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &RedisRevision,
    ) -> Result<Option<Update<RedisRevision>>, RedisError> {
        let mut command = on(key, "SET", value.len() + seen.0.len());
        command.arg(value).arg("IFEQ").arg(&*seen.0).arg("PX").arg(ttl.as_millis());
        match self.send(&command).await {
            Ok(Value::Okay) => Ok(Some(Update::Updated(RedisRevision::of(value)))),
            Ok(Value::Nil) => self.why_not(key).await.map(Some),
            Err(error) if is_syntax_error(&error) => Ok(None),
            reply => Err(RedisError::of_reply(reply)),
        }
    }

    /// Why the server did not replace a record.
    async fn why_not(&self, key: &Key) -> Result<Update<RedisRevision>, RedisError> {
        match self.send(&on(key, "EXISTS", 0)).await {
            Ok(Value::Int(0)) => Ok(Update::Gone),
            Ok(Value::Int(_)) => Ok(Update::Conflict),
            reply => Err(RedisError::of_reply(reply)),
        }
    }
}

/// Whether the server does not know an option of `SET`.
fn is_syntax_error(error: &redis::RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
        && error.detail() == Some("syntax error")
}
