//! Memcached.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use super::{Process, folder, free_port, signals, wait_until_up};

const PROGRAM: &str = "memcached";
const PACKAGE: &str = "memcached";

/// A record lives for up to two seconds longer than its time: the store adds one,
/// and the server's clock goes in steps of one. A busy machine steps late.
pub const SERVERS_CLOCK: Duration = Duration::from_millis(2_500);

/// What the server counts of which the store makes use.
const COUNTED: [&str; 7] =
    ["cas_badval", "cas_misses", "cmd_get", "cmd_set", "cmd_touch", "delete_hits", "delete_misses"];

/// The server that the tests of a program share: the one that `MEMCACHED_URL`
/// names, or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<MemcachedServer> = LazyLock::new(|| MemcachedServer::start(&[]));
    env::var("MEMCACHED_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// A private server.
pub struct MemcachedServer {
    process: Option<Process>,
    folder: PathBuf,
    options: Vec<OsString>,
    port: u16,
}

impl MemcachedServer {
    /// Starts a server with further options, for example `-I 2m`.
    pub fn start(options: &[&str]) -> Self {
        let mut server = Self {
            process: None,
            folder: folder(),
            options: options.iter().map(OsString::from).collect(),
            port: free_port(),
        };
        server.start_again();
        server
    }

    /// Starts a server that was killed on its port, without the records it had.
    pub fn start_again(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop_and_keep_folder();
        }
        let port = self.port.to_string();
        // The user counts only for root, whom Memcached wants to be rid of.
        let fixed = ["-u", "nobody", "-l", "127.0.0.1", "-U", "0", "-p", &port].map(OsString::from);
        let options = fixed.into_iter().chain(self.options.clone());
        self.process = Some(Process::start(PACKAGE, "KILL", &self.folder, PROGRAM, options));
        let id = self.process().id().to_string();
        wait_until_up(&self.folder, || {
            self.try_stats().is_ok_and(|stats| stats.get("pid") == Some(&id))
        });
    }

    /// Starts the server again with other options.
    pub fn start_again_with(&mut self, options: &[&str]) {
        self.options = options.iter().map(OsString::from).collect();
        self.start_again();
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

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("memcached://127.0.0.1:{}", self.port)
    }

    /// Sends a command on a connection of its own, and gives the lines up to the
    /// one that the reply ends with.
    pub fn ask(&self, command: &str, end: &str) -> Vec<String> {
        self.try_ask(command, end).unwrap_or_else(|fault| panic!("{command}: {fault}"))
    }

    /// How often each kind of command did something, without those that ask for
    /// settings and statistics.
    pub fn calls(&self) -> Vec<(&'static str, u64)> {
        COUNTED
            .map(|name| (name, self.statistic(name)))
            .into_iter()
            .filter(|(_, times)| *times > 0)
            .collect()
    }

    pub fn forget_calls(&self) {
        self.ask("stats reset", "RESET");
    }

    /// How many connections there are beside the one that asks.
    pub fn connections(&self) -> u64 {
        self.statistic("curr_connections") - 1
    }

    pub fn records(&self) -> u64 {
        self.statistic("curr_items")
    }

    fn statistic(&self, name: &str) -> u64 {
        let stats = self.try_stats().expect("the server answers");
        stats[name].parse().expect("a number")
    }

    fn try_stats(&self) -> io::Result<HashMap<String, String>> {
        let lines = self.try_ask("stats", "END")?;
        let pair = |line: &String| {
            let (name, value) = line.strip_prefix("STAT ")?.split_once(' ')?;
            Some((name.to_owned(), value.to_owned()))
        };
        Ok(lines.iter().filter_map(pair).collect())
    }

    fn try_ask(&self, command: &str, end: &str) -> io::Result<Vec<String>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        let mut lines = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line?;
            if line == end {
                return Ok(lines);
            }
            lines.push(line);
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("started")
    }
}
