//! PgBouncer, a pooler in front of PostgreSQL.

use std::ffi::OsString;
use std::fs;

use super::{Process, folder, free_port, owned_by, postgres, require, wait_until_up};

const PACKAGE: &str = "pgbouncer";
/// The pooler does not run as root.
const USER: &str = "postgres";

/// A private pooler, which gives each transaction any connection to the server.
pub struct PgBouncer {
    _process: Process,
    port: u16,
}

impl PgBouncer {
    /// Starts a pooler with up to three connections to the server at a port of this machine.
    pub fn before(server: u16) -> Self {
        require("pgbouncer", PACKAGE);
        let (port, folder) = (free_port(), folder());
        let settings = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n\
             * = host=127.0.0.1 port={server} user=postgres\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = transaction\n\
             default_pool_size = 3\n"
        );
        fs::write(&settings, text).expect("the folder is there");
        let command = owned_by(USER, &folder, "pgbouncer");
        let arguments = command.get_args().map(OsString::from).chain([settings.into_os_string()]);
        let program = command.get_program().to_str().expect("text");
        let process = Process::start(PACKAGE, "TERM", &folder, program, arguments);
        let pooler = Self { _process: process, port };
        wait_until_up(&folder, || postgres::try_ask(&pooler.url(), "SELECT 1").is_some());
        pooler
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}
