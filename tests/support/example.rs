//! An example as its own process, and a browser for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Where cargo puts the examples: beside the folder of the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let profile = test.ancestors().nth(2).expect("tests lie in a profile's `deps` folder");
    let path = profile.join("examples").join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is missing: run `cargo build --examples`", path.display());
    path
}

/// A running example with pages, stopped when dropped.
pub(crate) struct Site {
    process: Child,
    address: String,
}

impl Site {
    /// Starts an example that says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the example starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints a line");
        let address = line.trim_end().strip_prefix("open http://");
        let address = address.expect("it prints where it listens").to_owned();
        Self { process, address }
    }
}

impl Site {
    /// Stops the example, and hands out what it wrote into its standard error, where
    /// that is piped.
    #[allow(dead_code, reason = "each test program uses a part")]
    pub(crate) fn stop(mut self) -> String {
        self.process.kill().expect("it still runs");
        let mut text = String::new();
        let mut stderr = self.process.stderr.take().expect("its errors are piped");
        stderr.read_to_string(&mut text).expect("it writes text");
        text
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It may have ended already; then the test has failed for that reason.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends one request per connection, and carries the cookie along.
#[derive(Clone)]
pub(crate) struct Browser {
    address: String,
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) fn of(site: &Site) -> Self {
        Self { address: site.address.clone(), cookie: None }
    }

    pub(crate) fn get(&mut self, path: &str) -> String {
        let (status, body) = self.send(&format!("GET {path} HTTP/1.1"), "");
        assert_eq!(status, "200", "{body}");
        body
    }

    /// A request with any status: the status and the body.
    #[allow(dead_code, reason = "each test program uses a part")]
    pub(crate) fn ask(&mut self, request_line: &str) -> (String, String) {
        self.send(request_line, "")
    }

    /// A form, answered by a redirect to a page.
    pub(crate) fn post(&mut self, path: &str, form: &str) {
        let (status, body) = self.send(&format!("POST {path} HTTP/1.1"), form);
        assert_eq!(status, "303", "{body}");
    }

    /// Goes on at another site with the cookie, as after a restart.
    #[allow(dead_code, reason = "each test program uses a part")]
    pub(crate) fn moves_to(&mut self, site: &Site) {
        self.address = site.address.clone();
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
        let mut stream = TcpStream::connect(&self.address).expect("the example listens");
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
