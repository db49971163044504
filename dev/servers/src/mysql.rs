//! MariaDB, or MySQL where `MYSQL_URL` names one.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use super::certificate::Certificate;
use super::{Process, folder, free_port, owned_by, require, signals, wait_until_up};

const PACKAGE: &str = "mariadb-server";
/// The server does not run as root.
const USER: &str = "mysql";

/// The server that the tests of a program share: the one that `MYSQL_URL` names,
/// or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<MySqlServer> = LazyLock::new(|| MySqlServer::start(&[]));
    env::var("MYSQL_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// A private server, with a database `sessions` and a user `app` who may do
/// everything.
pub struct MySqlServer {
    process: Option<Process>,
    folder: PathBuf,
    options: Vec<OsString>,
    port: u16,
}

impl MySqlServer {
    /// Starts a server with further options, for example `--sql-mode=`.
    pub fn start(options: &[&str]) -> Self {
        Self::start_in(folder(), options)
    }

    /// Starts a server that offers TLS.
    pub fn start_with_tls() -> (Self, Certificate) {
        let folder = folder();
        let certificate = Certificate::make(&folder);
        let (chain, key) = (certificate.certificate(), certificate.key());
        let chain = format!("--ssl-cert={}", chain.display());
        let key = format!("--ssl-key={}", key.display());
        (Self::start_in(folder, &[&chain, &key]), certificate)
    }

    fn start_in(folder: PathBuf, options: &[&str]) -> Self {
        for program in ["mariadb-install-db", "mariadbd", "mariadb"] {
            require(program, PACKAGE);
        }
        let port = free_port();
        let data = format!("--datadir={}", folder.join("data").display());
        let made = owned_by(USER, &folder, "mariadb-install-db")
            .args(["--no-defaults", &data, "--auth-root-authentication-method=normal"])
            .args(["--skip-test-db", "--skip-name-resolve"])
            .env("TMPDIR", &folder)
            .output()
            .expect("mariadb-install-db starts");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "mariadb-install-db failed: {said}");

        let mut all: Vec<OsString> = vec!["--no-defaults".into(), data.into()];
        all.push(format!("--port={port}").into());
        for (option, file) in [("socket", "socket"), ("pid-file", "pid"), ("tmpdir", "")] {
            all.push(format!("--{option}={}", folder.join(file).display()).into());
        }
        all.extend(["--bind-address=127.0.0.1", "--skip-name-resolve"].map(OsString::from));
        all.push("--innodb-buffer-pool-size=32M".into());
        all.extend(options.iter().map(OsString::from));
        let mut server = Self { process: None, folder, options: all, port };
        server.start_again();
        server.ask("CREATE DATABASE sessions");
        server.ask("CREATE USER app@'127.0.0.1'; GRANT ALL ON *.* TO app@'127.0.0.1'");
        server
    }

    /// A server that writes down what it is asked.
    pub fn start_with_log() -> Self {
        let server = Self::start(&[]);
        let log = server.folder.join("general.log");
        server.ask(&format!("SET GLOBAL general_log_file = '{}'", log.display()));
        server.ask("SET GLOBAL general_log = 1");
        server
    }

    /// Starts a server that was killed, with its port and its data.
    pub fn start_again(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop_and_keep_folder();
        }
        let command = owned_by(USER, &self.folder, "mariadbd");
        let arguments = command.get_args().map(OsString::from).chain(self.options.clone());
        let program = command.get_program().to_str().expect("text");
        self.process = Some(Process::start(PACKAGE, "KILL", &self.folder, program, arguments));
        wait_until_up(&self.folder, || self.try_ask("SELECT 1").is_some());
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

    /// Closes all connections, whatever they wait for.
    pub fn close_connections(&self) {
        self.ask("KILL HARD USER app@'127.0.0.1'");
    }

    /// How many connections the user `app` has.
    pub fn connections(&self) -> usize {
        let count = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'app'";
        self.ask(count).parse().expect("a number")
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("mysql://app@127.0.0.1:{}/sessions", self.port)
    }

    /// Asks the server on a connection of its own.
    pub fn ask(&self, statement: &str) -> String {
        self.try_ask(statement).unwrap_or_else(|| panic!("refused: {statement}"))
    }

    fn try_ask(&self, statement: &str) -> Option<String> {
        let socket = format!("--socket={}", self.folder.join("socket").display());
        let output = Command::new("mariadb")
            .args(["--no-defaults", "-uroot", "-N", "-B", &socket, "-e", statement])
            .output()
            .expect("mariadb starts");
        let answer = String::from_utf8(output.stdout).expect("text");
        output.status.success().then(|| answer.trim().to_owned())
    }

    /// What the server was asked, where it was started with a log.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.join("general.log")).expect("a log");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The first word of each statement that was executed, once prepared.
    pub fn statements(&self) -> Vec<String> {
        let log = self.log();
        let executed = log.lines().filter_map(|line| Some(line.split_once(" Execute\t")?.1));
        executed.map(|text| text.split(' ').next().expect("a word").to_owned()).collect()
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("started")
    }
}
