//! The load that extends.
//!
//! `PEXPIRE` with `GT` never shortens. The store sends it before the `GET`, in the same round
//! trip: in this order, a record that the `GET` finds has its time.
//!
//! Redis 7.0 and Valkey know `GT`. Older servers run a script. The store sends `GT` until a
//! server refuses it.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use cloakroom::{Key, Ttl};
use redis::aio::ConnectionLike;
use redis::{ErrorKind, Pipeline, ServerErrorKind, Value};

use crate::command::{bytes, on};
use crate::error::RedisError;
use crate::redis::Redis;
use crate::script::Script;

/// A record without an expiry has -1 milliseconds left.
static SCRIPT: Script = Script::new(
    "\
local held = redis.call('GET', KEYS[1])
if held then
  local left = redis.call('PTTL', KEYS[1])
  if left >= 0 and left < tonumber(ARGV[1]) then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
  end
end
return held
",
);

impl<C> Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    pub(crate) async fn load_and_extend(
        &self,
        key: &Key,
        ttl: Ttl,
    ) -> Result<Option<Bytes>, RedisError> {
        if !self.by_script.extend.load(Ordering::Relaxed) {
            let mut postpone = on(key, "PEXPIRE", 0);
            postpone.arg(ttl.as_millis()).arg("GT");
            let mut both = Pipeline::with_capacity(2);
            both.add_command(postpone).add_command(on(key, "GET", 0));
            let [postponed, value] = self.send_both(&both).await.map_err(RedisError::of)?;
            match postponed {
                // Whether or not the record had more time left.
                Ok(Value::Int(0 | 1)) => return bytes(value),
                Err(error) if is_unknown_option(&error) => {}
                reply => return Err(RedisError::of_reply(reply)),
            }
            self.by_script.extend.store(true, Ordering::Relaxed);
        }
        let millis = ttl.as_millis().to_string();
        bytes(self.run_script(&SCRIPT, key, &[millis.as_bytes()]).await)
    }
}

/// Whether the server does not know an option of `PEXPIRE`. Before Redis 7.0 it has none.
fn is_unknown_option(error: &redis::RedisError) -> bool {
    const ANSWERS: [&str; 3] = ["wrong number of arguments", "Unsupported option", "syntax error"];
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
        && error.detail().is_some_and(|detail| ANSWERS.iter().any(|it| detail.starts_with(it)))
}
