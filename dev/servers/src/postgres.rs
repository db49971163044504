//! PostgreSQL.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use super::certificate::Certificate;
use super::{Process, folder, free_port, owned_by, require, signals, wait_until_up};

const PACKAGE: &str = "postgresql";
/// The server does not run as root.
const USER: &str = "postgres";

/// The server that the tests of a program share: the one that `POSTGRES_URL`
/// names, or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<PostgresServer> = LazyLock::new(|| PostgresServer::start(&[]));
    env::var("POSTGRES_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// A private server.
pub struct PostgresServer {
    process: Option<Process>,
    folder: PathBuf,
    options: Vec<OsString>,
    port: u16,
}

impl PostgresServer {
    /// Starts a server with further settings, for example `log_statement=all`.
    pub fn start(settings: &[&str]) -> Self {
        Self::start_in(folder(), settings)
    }

    /// Starts a server that offers TLS.
    pub fn start_with_tls() -> (Self, Certificate) {
        let folder = folder();
        let certificate = Certificate::make(&folder);
        let (chain, key) = (certificate.certificate(), certificate.key());
        let chain = format!("ssl_cert_file={}", chain.display());
        let key = format!("ssl_key_file={}", key.display());
        (Self::start_in(folder, &["ssl=on", &chain, &key]), certificate)
    }

    fn start_in(folder: PathBuf, settings: &[&str]) -> Self {
        for program in [&program("initdb"), &program("postgres"), "psql"] {
            require(program, PACKAGE);
        }
        let port = free_port();
        let data = folder.join("data");
        let made = owned_by(USER, &folder, &program("initdb"))
            .arg("-D")
            .arg(&data)
            .args(["-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"])
            .arg("--locale=C.UTF-8")
            .output();
        assert_worked("initdb", &made.expect("initdb starts"));

        let mut options: Vec<OsString> = vec!["-D".into(), data.into(), "-k".into()];
        options.push(folder.clone().into());
        options.extend(["-h", "127.0.0.1", "-p"].map(OsString::from));
        options.push(port.to_string().into());
        for setting in ["fsync=off", "max_connections=200"].iter().chain(settings) {
            options.extend(["-c", setting].map(OsString::from));
        }
        let mut server = Self { process: None, folder, options, port };
        server.start_again();
        server
    }

    /// Starts a server that was killed, with its port and its data.
    pub fn start_again(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop_and_keep_folder();
        }
        let command = owned_by(USER, &self.folder, &program("postgres"));
        let arguments = command.get_args().map(OsString::from).chain(self.options.clone());
        let program = command.get_program().to_str().expect("text");
        self.process = Some(Process::start(PACKAGE, "QUIT", &self.folder, program, arguments));
        wait_until_up(&self.folder, || self.try_ask("SELECT 1").is_some());
    }

    /// Kills the server with all its processes.
    pub fn kill(&self) {
        self.pause();
        signals::kill(&self.family());
    }

    /// Lets the server be silent, while its connections stay open.
    pub fn pause(&self) {
        // The first process alone makes others.
        signals::pause(&[self.id()]);
        signals::pause(&self.family());
    }

    pub fn resume(&self) {
        signals::resume(&self.family());
    }

    /// Closes all connections, whatever they wait for.
    pub fn close_connections(&self) {
        self.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
    }

    /// How many connections clients have, without the one that asks.
    pub fn connections(&self) -> usize {
        let count = self
            .ask("SELECT count(*) - 1 FROM pg_stat_activity WHERE backend_type = 'client backend'");
        count.parse().expect("a number")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Asks the server on a connection of its own.
    pub fn ask(&self, statement: &str) -> String {
        self.try_ask(statement).unwrap_or_else(|| panic!("refused: {statement}"))
    }

    fn try_ask(&self, statement: &str) -> Option<String> {
        try_ask(&self.url(), statement)
    }

    /// The first word of each statement that clients have run since the server
    /// started, which has to be with `log_statement=all`.
    pub fn statements(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.join("log")).expect("a log");
        // Those of `psql` are not prepared.
        let prepared =
            log.lines().filter_map(|line| line.split_once("execute sqlx_s_")?.1.split_once(": "));
        prepared.map(|(_, text)| text.split(' ').next().expect("a word").to_owned()).collect()
    }

    fn id(&self) -> u32 {
        self.process.as_ref().expect("started").id()
    }

    fn family(&self) -> Vec<u32> {
        let id = self.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.expect("the server runs");
        let children = children.split_whitespace().map(|id| id.parse().expect("a number"));
        children.chain([id]).collect()
    }
}

/// Asks the server at a URL.
pub fn ask(url: &str, statement: &str) -> String {
    try_ask(url, statement).unwrap_or_else(|| panic!("refused: {statement}"))
}

pub(crate) fn try_ask(url: &str, statement: &str) -> Option<String> {
    let output = Command::new("psql").args(["-XAtq", "-c", statement, url]).output();
    let output = output.expect("psql starts");
    let answer = String::from_utf8(output.stdout).expect("text");
    output.status.success().then(|| answer.trim().to_owned())
}

/// The newest version of a program of the server, which is not in the path.
fn program(name: &str) -> String {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let version = folder.file_name()?.to_str()?.parse().ok()?;
            Some((version, folder.join("bin").join(name)))
        })
        .filter(|(_, program)| Path::new(program).exists())
        .collect();
    versions.sort();
    versions.pop().map_or_else(|| name.to_owned(), |(_, path)| path.display().to_string())
}

fn assert_worked(what: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what} failed: {said}");
}
