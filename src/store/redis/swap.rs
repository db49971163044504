//! The compare-and-swap behind [`Store::update`](crate::Store::update).
//!
//! Compared are the bytes themselves: for the server that is less work than any
//! digest of them, and nobody can make two values that it takes for one.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, ServerErrorKind, Value, cmd};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::{Redis, RedisError, RedisRevision};
use crate::store::{Key, Update};
use crate::ttl::Ttl;

const SCRIPT: &str = "\
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return held and 0 or -1
";

/// The name under which a server keeps a script that it has seen.
static NAME: LazyLock<String> = LazyLock::new(|| {
    HEXLOWER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, SCRIPT.as_bytes()).as_ref())
});

impl<C> Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    pub(super) async fn compare_and_swap(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &RedisRevision,
    ) -> Result<Update<RedisRevision>, RedisError> {
        match self.run(key, value, ttl, seen).await? {
            Value::Int(1) => Ok(Update::Updated(RedisRevision::of(value))),
            Value::Int(0) => Ok(Update::Conflict),
            Value::Int(-1) => Ok(Update::Gone),
            _ => Err(RedisError::UNEXPECTED),
        }
    }

    async fn run(
        &self,
        key: &Key,
        value: &[u8],
        ttl: Ttl,
        seen: &RedisRevision,
    ) -> Result<Value, RedisError> {
        let arguments = |mut command: Cmd| {
            command.arg(1).arg(key.as_str()).arg(&*seen.0).arg(value).arg(ttl.as_millis());
            command
        };
        let by_name = arguments(cmd("EVALSHA").arg(&*NAME).take());
        let reply = self.connection.clone().req_packed_command(&by_name).await;
        match reply.and_then(Value::extract_error) {
            // A server that was restarted, or that took over, has yet to see it.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&arguments(cmd("EVAL").arg(SCRIPT).take())).await
            }
            reply => reply.map_err(RedisError::of),
        }
    }
}
