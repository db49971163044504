//! Counts allocations for the benchmark, in a program of its own: the counter
//! slows everything down that allocates.
//!
//! The argument is the program that does the same for pavex.

use std::env::args_os;
use std::io::stdin;
use std::path::PathBuf;

use cloakroom_peers::count::{Allocated, install};
use cloakroom_peers::parts::{in_process, memory};

fn main() {
    install(|code| {
        let info = allocation_counter::measure(code);
        Allocated { allocations: info.count_total, bytes_kept: info.bytes_current }
    });
    let pavex = PathBuf::from(args_os().nth(1).expect("the program that counts for pavex"));
    for line in stdin().lines() {
        let line = line.expect("text");
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        let answer = match words[..] {
            ["allocations"] => serde_json::to_string(&in_process::count(&pavex)),
            ["bytes", sessions, name] => {
                serde_json::to_string(&memory::count(name, sessions.parse().expect("a number")))
            }
            _ => panic!("{line}?"),
        };
        println!("{}", answer.expect("it can be encoded"));
    }
}
