//! The examples, run as a newcomer runs them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

#[test]
fn the_quickstart_counts_visits() {
    let shop = Quickstart::start();
    let mut browser = Browser::of(&shop);
    assert!(browser.get("/").contains("This is your first visit."));
    assert!(browser.get("/").contains("<strong>2</strong> times"));
    assert!(browser.get("/").contains("<strong>3</strong> times"));
    assert!(Browser::of(&shop).get("/").contains("This is your first visit."));
}

#[test]
fn the_quickstart_keeps_a_cart_through_signing_in_and_ends_it_at_signing_out() {
    let shop = Quickstart::start();
    let mut browser = Browser::of(&shop);
    assert!(browser.get("/shop").contains("Nothing yet."));
    browser.post("/shop/add", "item=Coat");
    browser.post("/shop/add", "item=Coat");
    browser.post("/shop/add", "item=Umbrella");
    browser.post("/shop/remove", "item=Umbrella");
    let page = browser.get("/shop");
    assert!(page.contains("Coat × 2") && !page.contains("Umbrella ×"), "{page}");

    let before = browser.clone();
    browser.post("/sign-in", "name=Ann");
    assert_ne!(browser.cookie, before.cookie, "signing in gives a fresh id");
    assert!(browser.get("/").contains("Signed in as <strong>Ann</strong>"));
    assert!(browser.get("/shop").contains("Coat × 2"));
    assert!(before.clone().get("/shop").contains("Nothing yet."), "the old id is worth nothing");

    let stolen = browser.clone();
    browser.post("/sign-out", "");
    assert_eq!(browser.cookie, None, "signing out removes the cookie");
    assert!(!browser.get("/").contains("Ann"));
    assert!(stolen.clone().get("/shop").contains("Nothing yet."), "a copy is worth nothing");
}

#[test]
fn the_quickstart_shows_a_name_as_text() {
    let shop = Quickstart::start();
    let mut browser = Browser::of(&shop);
    browser.post("/sign-in", "name=%3Cscript%3E%22%27%26");
    let page = browser.get("/");
    assert!(page.contains("<strong>&lt;script&gt;&quot;&#39;&amp;</strong>"), "{page}");
}

#[test]
fn the_framework_free_example_tells_its_story() {
    let output = Command::new(example("framework_free")).output().expect("the example runs");
    assert!(output.status.success());
    let story = "\
A request that changes nothing:
  the session is new: true
  the browser keeps what it has
  records in the store: 0
A request that fills the cart:
  the browser takes __Host-id
  records in the store: 1
A request that reads it:
  the cart holds: umbrella
  the browser keeps what it has
Signing in, with a fresh id:
  the browser takes __Host-id
  signed in as: Ann
  the cart holds: umbrella
  with the old cookie: nobody
Signing out:
  the browser drops __Host-id
  with a copy of the cookie: nobody
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), story);
}

/// Where cargo puts the examples: beside the folder of the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in a profile's `deps` folder");
    let path = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is missing: run `cargo build --examples`", path.display());
    path
}

/// The running quickstart, stopped when dropped.
struct Quickstart {
    process: Child,
    address: String,
}

impl Quickstart {
    fn start() -> Self {
        let mut process = Command::new(example("quickstart"))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the quickstart starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints a line");
        let address = line.trim_end().strip_prefix("open http://");
        let address = address.expect("it prints where it listens").to_owned();
        Self { process, address }
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        // It may have ended already; then the test has failed for that reason.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends one request per connection, and carries the cookie along.
#[derive(Clone)]
struct Browser {
    address: String,
    cookie: Option<String>,
}

impl Browser {
    fn of(shop: &Quickstart) -> Self {
        Self { address: shop.address.clone(), cookie: None }
    }

    fn get(&mut self, path: &str) -> String {
        let (status, body) = self.send(&format!("GET {path} HTTP/1.1"), "");
        assert_eq!(status, "200", "{body}");
        body
    }

    /// A form, answered by a redirect to a page.
    fn post(&mut self, path: &str, form: &str) {
        let (status, body) = self.send(&format!("POST {path} HTTP/1.1"), form);
        assert_eq!(status, "303", "{body}");
    }

    fn send(&mut self, request_line: &str, form: &str) -> (String, String) {
        let cookie =
            self.cookie.iter().map(|cookie| format!("cookie: {cookie}\r\n")).collect::<String>();
        let request = format!(
            "{request_line}\r\nhost: {}\r\nconnection: close\r\n{cookie}\
             content-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n\r\n{form}",
            self.address,
            form.len(),
        );
        let mut stream = TcpStream::connect(&self.address).expect("the quickstart listens");
        stream.write_all(request.as_bytes()).expect("it takes the request");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("it answers in text");

        let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
        for cookie in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (pair, attributes) = cookie.split_once("; ").expect("attributes");
            let is_removal = attributes.contains("Max-Age=0");
            self.cookie = (!is_removal).then(|| pair.to_owned());
        }
        let status = head.split(' ').nth(1).expect("a status");
        (status.to_owned(), body.to_owned())
    }
}
