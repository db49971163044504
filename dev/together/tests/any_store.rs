//! The example `any_store`, run with each store.

#[path = "../../../tests/support/example.rs"]
mod example;

use std::fs;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use example::{Browser, Site, example};

#[test]
fn any_store_runs_with_memory() {
    serves(&AnyStore::new("memory"));
}

#[test]
fn any_store_runs_with_file() {
    survives_a_restart(&AnyStore::new("file"));
}

#[test]
fn any_store_runs_with_memcached() {
    survives_a_restart(&AnyStore::at("memcached", servers::memcached::shared_url()));
}

#[test]
fn any_store_runs_with_mongodb() {
    survives_a_restart(&AnyStore::at("mongodb", servers::mongodb::shared_url()));
}

#[test]
fn any_store_runs_with_mysql() {
    survives_a_restart(&AnyStore::at("mysql", servers::mysql::shared_url()));
}

#[test]
fn any_store_runs_with_postgres() {
    survives_a_restart(&AnyStore::at("postgres", servers::postgres::shared_url()));
}

#[test]
fn any_store_runs_with_redis() {
    survives_a_restart(&AnyStore::at("redis", servers::redis::shared_url()));
}

#[test]
fn any_store_runs_with_sqlite() {
    survives_a_restart(&AnyStore::new("sqlite"));
}

#[test]
fn an_example_whose_store_fails_says_the_cause_in_its_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut program = Command::new(example("any_store"));
    program.args(["file", "127.0.0.1:0"]).current_dir(&folder).stderr(Stdio::piped());
    let site = Site::start(&mut program);
    // The store opens no directory where a file has its name.
    fs::remove_dir(folder.path().join("sessions")).expect("the store has made it");
    fs::write(folder.path().join("sessions"), "in the way").expect("a file");

    let (status, body) = Browser::of(&site).ask("GET / HTTP/1.1");
    assert_eq!((status.as_str(), body.as_str()), ("503", ""));
    let terminal = site.stop();
    assert!(terminal.contains("ERROR"), "{terminal}");
    assert!(terminal.contains("the session store failed"), "{terminal}");
    assert!(terminal.contains("cause=Not a directory"), "{terminal}");
}

#[test]
fn any_store_says_which_stores_there_are() {
    let unknown = AnyStore::new("cellar");
    let output = unknown.command().output().expect("the example runs");
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("there is no store cellar; there are memory, file, "), "{error}");
}

/// Counts, signs in with a fresh id, and out for every copy of the cookie.
fn serves(store: &AnyStore) {
    let site = store.start();
    let mut browser = Browser::of(&site);
    assert!(browser.get("/").contains("Visits: <strong>1</strong>"));
    assert!(browser.get("/").contains("Visits: <strong>2</strong>"));

    let before = browser.clone();
    browser.post("/sign-in", "name=Ann");
    assert_ne!(browser.cookie, before.cookie);
    assert!(browser.get("/").contains("Signed in as <strong>Ann</strong>"));

    let mut copy = browser.clone();
    browser.post("/sign-out", "");
    assert_eq!(browser.cookie, None);
    assert!(!copy.get("/").contains("Ann"));
}

fn survives_a_restart(store: &AnyStore) {
    serves(store);
    let site = store.start();
    let mut browser = Browser::of(&site);
    assert!(browser.get("/").contains("Visits: <strong>1</strong>"));
    drop(site);
    let site = store.start();
    browser.moves_to(&site);
    assert!(browser.get("/").contains("Visits: <strong>2</strong>"));
}

/// How the example is run: with a store, in a folder of its own.
struct AnyStore {
    store: &'static str,
    url: Option<String>,
    folder: TempDir,
}

impl AnyStore {
    fn new(store: &'static str) -> Self {
        Self { store, url: None, folder: TempDir::new().expect("a temporary folder") }
    }

    fn at(store: &'static str, url: String) -> Self {
        Self { url: Some(url), ..Self::new(store) }
    }

    fn start(&self) -> Site {
        Site::start(&mut self.command())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(example("any_store"));
        command.args([self.store, "127.0.0.1:0"]).current_dir(self.folder.path());
        let variable = format!("{}_URL", self.store.to_uppercase());
        command.envs(self.url.iter().map(|url| (&variable, url)));
        command
    }
}
