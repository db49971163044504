//! Signals to servers: what they ask for has come about when a call returns.
//!
//! `kill` returns when a signal is sent. A server with several threads may
//! answer for some time after that, when the machine is busy.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::becomes_true;

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends processes at once.
pub fn kill(processes: &[u32]) {
    send("KILL", processes);
    until(processes, "ZX");
}

/// Lets processes stand still, while their connections stay open.
pub fn pause(processes: &[u32]) {
    send("STOP", processes);
    until(processes, "TZX");
}

/// Lets processes go on that stood still.
pub fn resume(processes: &[u32]) {
    send("CONT", processes);
}

fn send(signal: &str, processes: &[u32]) {
    for process in processes {
        // One that has just ended is no failure.
        let command = format!("kill -s {signal} {process}");
        let sent = Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).status();
        sent.expect("sh starts");
    }
}

fn until(processes: &[u32], states: &str) {
    let come_about = || processes.iter().all(|process| has_threads_in(*process, states));
    assert!(becomes_true(PATIENCE, come_about), "{processes:?} never came to any of {states}");
}

/// Whether each thread is in one of these states, see `man 5 proc`. So are those
/// of a process that is gone.
fn has_threads_in(process: u32, states: &str) -> bool {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return true };
    threads.flatten().all(|thread| {
        let Ok(line) = fs::read_to_string(thread.path().join("stat")) else { return true };
        // The name, in parentheses, may hold anything.
        let state = line.rsplit(") ").next().and_then(|rest| rest.chars().next());
        state.is_some_and(|state| states.contains(state))
    })
}
