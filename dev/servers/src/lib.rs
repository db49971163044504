//! Private servers for the tests of the stores: each on a free port of 127.0.0.1, with its data in
//! a temporary folder.
//!
//! A server stops when it is dropped, and when the test program ends, however
//! that comes about: values in statics are not dropped, and a program may be
//! killed. So every server has a shell beside it that reads a pipe of the test
//! program, and stops the server when the pipe closes.
//!
//! A further kind of server is a further file with three things: the command
//! that starts it, the command that installs it, and a question that only this
//! server answers. What needs a client of its own is behind a feature.

pub mod at_server;
pub mod certificate;
pub mod flask;
pub mod memcached;
#[cfg(feature = "mongodb")]
pub mod mongodb;
pub mod mysql;
pub mod pgbouncer;
pub mod postgres;
pub mod proxy;
pub mod races;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "redis")]
pub mod redis62;
#[cfg(feature = "redis")]
pub mod redis_cluster;
pub mod signals;
#[cfg(feature = "redis")]
pub mod valkey;
pub mod visitor;
pub mod writers;

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The folder of the repository, in which `tests/run` puts what Python brings.
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// How long a server may take to start.
const STARTING_TIME: Duration = Duration::from_secs(30);

/// Starts the program that the arguments from `$3` on name, says its process id,
/// and stops it when the test program is gone. `$1` is the signal, `$2` the
/// folder to remove unless a line came in before.
const WATCHDOG: &str = r#"
# A program that is gone reads nothing, and its end hangs up stopped servers.
trap : PIPE HUP
signal=$1 folder=$2
shift 2
"$@" >>"$folder/log" 2>&1 &
server=$!
exec 2>/dev/null
echo "$server"
read -r keep
kill -s "$signal" "$server"
kill -s CONT "$server"
wait "$server"
[ -n "$keep" ] || rm -rf "$folder"
"#;

/// A program that runs until it is dropped.
pub struct Process {
    watchdog: Child,
    pipe: Option<ChildStdin>,
    id: u32,
}

impl Process {
    /// Starts a program, which writes its log into the folder. `package` is what
    /// brings the program, `signal` what stops it.
    pub fn start(
        package: &str,
        signal: &str,
        folder: &Path,
        program: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Self {
        if !is_installed(program) {
            let _ = fs::remove_dir_all(folder);
            panic!("{}", is_missing(program, package));
        }
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", signal])
            .args([folder.as_os_str(), program.as_ref()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C goes to the test program only.
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut line = String::new();
        let output = watchdog.stdout.as_mut().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("the watchdog says the id");
        let id = line.trim().parse().expect("a process id");
        Self { pipe: watchdog.stdin.take(), watchdog, id }
    }

    pub fn id(&self) -> u32 {
        self.id
    }

    /// Stops the program, and leaves its folder as it is.
    pub fn stop_and_keep_folder(mut self) {
        if let Some(pipe) = &mut self.pipe {
            pipe.write_all(b"keep\n").expect("the watchdog listens");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.pipe.take());
        let _ = self.watchdog.wait();
    }
}

/// A command that runs as a user who owns the folder, where the tests run as
/// root: some servers refuse to.
pub fn owned_by(user: &str, folder: &Path, program: &str) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !is_root {
        return Command::new(program);
    }
    let chown = Command::new("chown").args(["-R", user]).arg(folder).output();
    let chown = chown.expect("chown starts");
    assert!(chown.status.success(), "there is no user {user}: install the server first");
    let mut command = Command::new("setpriv");
    command.args([
        &format!("--reuid={user}"),
        &format!("--regid={user}"),
        "--init-groups",
        program,
    ]);
    command
}

/// Panics with the command that installs a program, where it is missing.
pub fn require(program: &str, package: &str) {
    assert!(is_installed(program), "{}", is_missing(program, package));
}

fn is_missing(program: &str, package: &str) -> String {
    format!("{program} is missing: apt-get install -y --no-install-recommends {package}")
}

fn is_installed(program: &str) -> bool {
    let command = format!("command -v {program}");
    let found = Command::new("sh").args(["-c", &command]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// A folder that the watchdog of a server removes.
pub fn folder() -> PathBuf {
    tempfile::Builder::new().prefix("cloakroom-").tempdir().expect("a folder").keep()
}

/// A free port, below those that the system gives to outgoing
/// connections. No other call in this program gives the same one.
pub fn free_port() -> u16 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    let start = std::process::id().wrapping_mul(64);
    for _ in 0..COUNT {
        let step = start.wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed));
        let port = (FIRST + step % COUNT) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// Waits until the server answers, and panics with its log when it does not.
pub fn wait_until_up(folder: &Path, mut answers: impl FnMut() -> bool) {
    if !becomes_true(STARTING_TIME, &mut answers) {
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        panic!("the server does not start; it wrote:\n{log}");
    }
}

/// Whether the condition holds within this time.
pub fn becomes_true(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        sleep(Duration::from_millis(10));
    }
}
