//! `pavex answer` answers questions, `pavex serve NAME URL` serves sessions in
//! Redis.

use std::env::args;
use std::io::{Write, stdin, stdout};
use std::process::exit;

use cloakroom_peers_pavex::{site, talk};
use tokio::runtime::Builder;

fn main() {
    let arguments: Vec<String> = args().skip(1).collect();
    let [mode, _, url] = &arguments[..] else { return talk::talk() };
    assert_eq!(mode, "serve");
    std::thread::spawn(|| {
        let _ = stdin().read_line(&mut String::new());
        exit(0);
    });
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(site::serve(url, |port| {
        println!("{port}");
        stdout().flush().expect("an open standard output");
    }));
}
