//! MongoDB, as SecantusDB serves it: another server for the same protocol.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::{Error, ErrorKind, Result};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::ClientOptions;
use tokio::runtime::Builder;

use super::{Process, REPOSITORY, folder, free_port, signals, wait_until_up};

/// Where `tests/run` puts the server, below the root of the repository.
const ENVIRONMENT: &str = "target/test-servers/secantusdb";
const PACKAGE: &str = "SecantusDB==0.7.0b3";

/// The server that the tests of a program share: the one that `MONGODB_URL`
/// names, or a private one.
pub fn shared_url() -> String {
    static PRIVATE: LazyLock<MongoDbServer> = LazyLock::new(|| MongoDbServer::start(&[]));
    env::var("MONGODB_URL").unwrap_or_else(|_| PRIVATE.url())
}

/// A private server: a replica set of one member.
pub struct MongoDbServer {
    process: Option<Process>,
    folder: PathBuf,
    options: Vec<OsString>,
    port: u16,
}

impl MongoDbServer {
    /// Starts a server with further options, for example `--sync-on-commit`.
    pub fn start(options: &[&str]) -> Self {
        let port = free_port();
        let folder = folder();
        let mut all: Vec<OsString> = vec!["--port".into(), port.to_string().into()];
        all.extend(["--host", "127.0.0.1", "--log-level", "WARNING"].map(OsString::from));
        all.extend(["--cache-size", "256M", "--storage-path"].map(OsString::from));
        all.push(folder.join("data").into());
        all.extend(options.iter().map(OsString::from));

        let mut server = Self { process: None, folder, options: all, port };
        server.start_again();
        server
    }

    /// Starts a server that was killed, with its port and its data.
    pub fn start_again(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop_and_keep_folder();
        }
        let options = self.options.clone();
        let program = program(&self.folder);
        self.process = Some(Process::start(PACKAGE, "KILL", &self.folder, &program, options));
        let id = i64::from(self.process().id());
        wait_until_up(&self.folder, || match self.status() {
            Ok(status) => int(&status, "pid") == id,
            Err(fault) => is_unauthorized(&fault),
        });
    }

    /// Starts it again, with an option more.
    pub fn start_again_with(&mut self, option: &str) {
        self.options.push(option.into());
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
        format!("mongodb://127.0.0.1:{}", self.port)
    }

    /// How many connections clients have, without the one that asks.
    pub fn connections(&self) -> i64 {
        let status = self.status().expect("the server answers");
        int(status.get_document("connections").expect("counted"), "current")
    }

    /// How many documents a collection holds.
    pub fn count(&self, database: &str, collection: &str) -> i64 {
        int(&self.ask(database, doc! { "count": collection }).expect("counted"), "n")
    }

    /// Runs a command on a connection of its own.
    pub fn ask(&self, database: &str, command: Document) -> Result<Document> {
        let ask = async {
            let mut options = ClientOptions::parse(self.url()).await?;
            options.direct_connection = Some(true);
            options.server_selection_timeout = Some(Duration::from_millis(500));
            let client = Client::with_options(options)?;
            client.database(database).run_command(command).await
        };
        // The caller may have a runtime, in which no other may be waited for.
        thread::scope(|scope| {
            let asking = scope.spawn(|| {
                let runtime = Builder::new_current_thread().enable_all().build();
                runtime.expect("the system has a runtime").block_on(ask)
            });
            asking.join().expect("asked")
        })
    }

    fn status(&self) -> Result<Document> {
        self.ask("admin", doc! { "serverStatus": 1 })
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("started")
    }
}

/// A client of the test's own, which notes the commands that it sends.
pub struct Listener {
    pub client: Client,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A command: its name, and all of it.
pub type Heard = (String, Document);

impl Listener {
    pub async fn connect(url: &str) -> Self {
        let mut options = ClientOptions::parse(url).await.expect("a URL");
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let noted = heard.clone();
        options.command_event_handler = Some(EventHandler::callback(move |event| {
            if let CommandEvent::Started(started) = event {
                lock(&noted).push((started.command_name, started.command));
            }
        }));
        Self { client: Client::with_options(options).expect("a client"), heard }
    }

    /// What was sent since this was asked last, in order.
    pub fn commands(&self) -> Vec<Heard> {
        std::mem::take(&mut lock(&self.heard))
    }

    pub fn names(&self) -> Vec<String> {
        self.commands().into_iter().map(|(name, _)| name).collect()
    }
}

/// The program in the environment that `tests/run` makes.
fn program(folder: &Path) -> String {
    let environment = Path::new(REPOSITORY).join(ENVIRONMENT);
    let program = environment.join("bin/secantusd-py");
    if !program.exists() {
        let _ = fs::remove_dir_all(folder);
        panic!(
            "SecantusDB is missing: python3 -m venv {ENVIRONMENT} && \
             {ENVIRONMENT}/bin/pip install --pre {PACKAGE}"
        );
    }
    program.to_str().expect("a path in Unicode").to_owned()
}

/// What a server says that wants a password first.
fn is_unauthorized(fault: &Error) -> bool {
    matches!(&*fault.kind, ErrorKind::Command(error) if error.code == 13)
}

fn int(document: &Document, name: &str) -> i64 {
    match document.get(name) {
        Some(Bson::Int32(number)) => (*number).into(),
        Some(Bson::Int64(number)) => *number,
        other => panic!("{name} is no number: {other:?}"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
