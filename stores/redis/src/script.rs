//! Scripts that the server runs.

use std::sync::OnceLock;

use cloakroom::Key;
use data_encoding::HEXLOWER;
use redis::aio::ConnectionLike;
use redis::{ErrorKind, RedisResult, ServerErrorKind, Value};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use crate::command::with_room;
use crate::redis::Redis;

/// A script that works on one key.
pub(crate) struct Script {
    text: &'static str,
    /// The name under which a server caches it.
    name: OnceLock<String>,
}

impl Script {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, name: OnceLock::new() }
    }

    fn name(&self) -> &str {
        self.name.get_or_init(|| {
            HEXLOWER.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, self.text.as_bytes()).as_ref())
        })
    }
}

impl<C> Redis<C>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    pub(crate) async fn run_script(
        &self,
        script: &Script,
        key: &Key,
        arguments: &[&[u8]],
    ) -> RedisResult<Value> {
        let room: usize = arguments.iter().map(|argument| argument.len()).sum();
        let command = |name: &str, script: &str| {
            let key = key.as_bytes();
            let mut command = with_room(script.len() + key.len() + room);
            command.arg(name).arg(script).arg(1).arg(key);
            for argument in arguments {
                command.arg(*argument);
            }
            command
        };
        match self.send(&command("EVALSHA", script.name())).await {
            // A server has not seen the script after a restart or a failover.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&command("EVAL", script.text)).await
            }
            reply => reply,
        }
    }
}
