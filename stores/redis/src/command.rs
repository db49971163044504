//! Commands and their replies.

use bytes::Bytes;
use cloakroom::Key;
use redis::{Cmd, RedisResult, Value};

use crate::error::RedisError;

/// A command for one key, with room for `values` bytes of values.
pub(crate) fn on(key: &Key, name: &'static str, values: usize) -> Cmd {
    let key = key.as_bytes();
    let mut command = with_room(key.len() + values);
    command.arg(name).arg(key);
    command
}

/// An empty command with room for `bytes` bytes beside its name and options.
pub(crate) fn with_room(bytes: usize) -> Cmd {
    const ARGUMENTS: usize = 7;
    const NAME_AND_OPTIONS: usize = 64;
    Cmd::with_capacity(ARGUMENTS, NAME_AND_OPTIONS + bytes)
}

pub(crate) fn bytes(reply: RedisResult<Value>) -> Result<Option<Bytes>, RedisError> {
    match reply {
        Ok(Value::BulkString(value)) => Ok(Some(value.into())),
        Ok(Value::Nil) => Ok(None),
        reply => Err(RedisError::of_reply(reply)),
    }
}

/// The error of the crate `redis` after a timeout.
pub(crate) fn timed_out() -> redis::RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}
