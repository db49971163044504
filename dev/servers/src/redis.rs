//! Redis, on one server.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs};

use redis::{Client, Connection, FromRedisValue, RedisResult};

use super::certificate::Certificate;
use super::{Process, folder, free_port, signals, wait_until_up};

const PROGRAM: &str = "redis-server";
const PACKAGE: &str = "redis-server";

/// The server counts whole milliseconds, and keeps a record during the one in
/// which its time is over.
pub const SERVERS_CLOCK: Duration = Duration::from_millis(2);

/// The server that the tests of a program share: the one that `REDIS_URL` names,
/// or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<RedisServer> = LazyLock::new(|| RedisServer::start(&[]));
    env::var("REDIS_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// A private server.
pub struct RedisServer {
    program: String,
    process: Option<Process>,
    folder: PathBuf,
    options: Vec<OsString>,
    port: u16,
    tls_port: Option<u16>,
}

impl RedisServer {
    /// Starts a server with further options, for example `--appendonly yes`.
    pub fn start(options: &[&str]) -> Self {
        Self::start_program(PROGRAM.to_owned(), options)
    }

    /// Starts a server of another kind, which takes the same options.
    pub fn start_program(program: String, options: &[&str]) -> Self {
        let port = free_port();
        let folder = folder();
        let mut all: Vec<OsString> = vec!["--port".into(), port.to_string().into()];
        all.extend(["--bind", "127.0.0.1", "--save", "", "--dir"].map(OsString::from));
        all.push(folder.clone().into());
        all.extend(options.iter().map(OsString::from));

        Self::start_with(program, folder, all, port)
    }

    /// Starts a server that offers TLS, too.
    pub fn start_with_tls() -> (Self, Certificate) {
        let folder = folder();
        let certificate = Certificate::make(&folder);
        let (port, tls_port) = (free_port(), free_port());
        let [chain, key, authority] =
            [certificate.certificate(), certificate.key(), certificate.authority()];
        let mut options: Vec<OsString> = vec!["--port".into(), port.to_string().into()];
        options.extend(["--tls-port".into(), tls_port.to_string().into()]);
        options.extend(["--bind", "127.0.0.1", "--save", "", "--dir"].map(OsString::from));
        options.extend([folder.clone().into(), "--tls-auth-clients".into(), "no".into()]);
        options.extend(["--tls-cert-file".into(), chain.into(), "--tls-key-file".into()]);
        options.extend([key.into(), "--tls-ca-cert-file".into(), authority.into()]);
        let mut server = Self::start_with(PROGRAM.to_owned(), folder, options, port);
        server.tls_port = Some(tls_port);
        (server, certificate)
    }

    /// Starts a sentinel that watches a master under a name. It and another one agree
    /// that the master is down after half a second without an answer.
    pub fn start_sentinel(name: &str, master: &Self) -> Self {
        let port = free_port();
        let folder = folder();
        let file = folder.join("sentinel.conf");
        let settings = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor {name} 127.0.0.1 {} 2\n\
             sentinel down-after-milliseconds {name} 500\n\
             sentinel failover-timeout {name} 3000\n",
            folder.display(),
            master.port
        );
        fs::write(&file, settings).expect("a file in a new folder");
        let options = vec![file.into(), "--sentinel".into()];
        Self::start_with(PROGRAM.to_owned(), folder, options, port)
    }

    fn start_with(program: String, folder: PathBuf, options: Vec<OsString>, port: u16) -> Self {
        let mut server = Self { program, process: None, folder, options, port, tls_port: None };
        server.start_again();
        server
    }

    /// Starts a server that was killed, with its port and its data.
    pub fn start_again(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop_and_keep_folder();
        }
        let options = self.options.clone();
        let process = Process::start(PACKAGE, "KILL", &self.folder, &self.program, options);
        self.process = Some(process);
        let process_id = format!("process_id:{}\r\n", self.process().id());
        wait_until_up(&self.folder, || {
            self.try_ask(&["INFO", "server"]).is_ok_and(|info: String| info.contains(&process_id))
                // Not while it reads its data.
                && self.try_ask::<()>(&["PING"]).is_ok()
        });
    }

    pub fn kill(&self) {
        signals::kill(&[self.process().id()]);
    }

    /// Lets the server be silent, while its connections stay open.
    pub fn pause(&self) {
        signals::pause(&[self.process().id()]);
    }

    pub fn resume(&self) {
        signals::resume(&[self.process().id()]);
    }

    /// Closes all connections of clients, whatever they wait for.
    pub fn close_connections(&self) {
        self.ask::<()>(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Of a server that offers TLS.
    pub fn tls_url(&self) -> String {
        let port = self.tls_port.expect("the server offers TLS");
        format!("rediss://127.0.0.1:{port}")
    }

    /// Asks the server on a connection of its own.
    pub fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        self.try_ask(command).unwrap_or_else(|fault| panic!("{command:?}: {fault}"))
    }

    pub fn try_ask<T: FromRedisValue>(&self, command: &[&str]) -> RedisResult<T> {
        redis::cmd(command[0]).arg(&command[1..]).query(&mut self.connection()?)
    }

    /// How often each command was called, without those that make connections
    /// and ask questions.
    pub fn calls(&self) -> Vec<(String, u64)> {
        let statistics: String = self.ask(&["INFO", "commandstats"]);
        let mut calls: Vec<_> = statistics.lines().filter_map(calls_of).collect();
        // Redis 6.2 counts all subcommands together.
        let asked = ["hello", "client", "client|setinfo", "config", "config|resetstat", "info"];
        calls.retain(|(name, _)| !asked.contains(&name.as_str()));
        calls.sort();
        calls
    }

    /// A number in the answer to `INFO replication`.
    pub fn replication(&self, name: &str) -> Option<u64> {
        let info: String = self.try_ask(&["INFO", "replication"]).ok()?;
        let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        value.parse().ok()
    }

    pub fn forget_calls(&self) {
        self.ask::<()>(&["CONFIG", "RESETSTAT"]);
    }

    fn connection(&self) -> RedisResult<Connection> {
        Client::open(self.url())?.get_connection()
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("started")
    }
}

/// `cmdstat_get:calls=1,usec=..` is one call of `get`.
fn calls_of(line: &str) -> Option<(String, u64)> {
    let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    let calls = numbers.split(',').next()?.parse().ok()?;
    Some((name.to_owned(), calls))
}
