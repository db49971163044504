//! What was measured where: the machine, the versions, the cores.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::process::{Command, Stdio, id};
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Where and when a part was measured.
#[derive(Clone, Serialize, Deserialize)]
pub struct Machine {
    pub date: String,
    pub processor: String,
    pub cores: usize,
    pub kernel: String,
    pub rustc: String,
    pub redis: String,
    /// The commit of cloakroom, and whether files differed from it.
    pub commit: String,
    /// The load average of the last minute before the part began: an idle
    /// machine has less than about 0.3.
    pub load_before: f64,
}

impl Machine {
    pub fn this() -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: OffsetDateTime::now_utc().date().to_string(),
            processor: processor(),
            cores: available_parallelism().map_or(1, Into::into),
            kernel: said("uname", &["-sr"]),
            rustc: said("rustc", &["--version"]),
            redis: said("redis-server", &["--version"])
                .split_whitespace()
                .find_map(|word| word.strip_prefix("v="))
                .unwrap_or("none")
                .to_owned(),
            commit: said(
                "git",
                &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"],
            ),
            load_before: load.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, processor, cores, kernel, rustc, redis, commit, load_before } = self;
        write!(f, "{date}, {processor}, {cores} cores, {kernel}, {rustc}, Redis {redis}, ")?;
        write!(f, "cloakroom at {commit}, load before: {load_before}")
    }
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(": ")).map_or("unknown", |(_, name)| name).to_owned()
}

/// What a program says, or nothing.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output();
    output.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// The versions of the contestants, from the lock files.
pub fn versions() -> BTreeMap<String, String> {
    const CONTESTANTS: [&str; 12] = [
        "actix-session",
        "actix-web",
        "axum",
        "axum_session",
        "cloakroom",
        "fred",
        "pavex",
        "pavex_session",
        "redis",
        "tokio",
        "tower-sessions",
        "tower-sessions-redis-store",
    ];
    let mut versions = BTreeMap::<String, String>::new();
    for (lock, suffix) in
        [(include_str!("../Cargo.lock"), ""), (include_str!("../pavex/Cargo.lock"), " (pavex)")]
    {
        for package in lock.split("[[package]]").skip(1) {
            let value = |name| {
                package.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_matches('"')))
            };
            let (Some(name), Some(version)) = (value("name = "), value("version = ")) else {
                continue;
            };
            let own = suffix.is_empty() != name.starts_with("pavex");
            if CONTESTANTS.contains(&name) && (own || name == "redis") {
                let key = if name == "redis" { format!("redis{suffix}") } else { name.to_owned() };
                let entry = versions.entry(key).or_default();
                *entry =
                    if entry.is_empty() { version.into() } else { format!("{entry}, {version}") };
            }
        }
    }
    versions
}

/// A core for the measured server, and one for all else.
#[derive(Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub rest: usize,
}

impl Cores {
    /// Keeps this process, and what it starts from now on, off the server's
    /// core. There are none where the system cannot do that.
    pub fn divide() -> Option<Self> {
        let cores = Self { server: 0, rest: 1 };
        let enough = available_parallelism().is_ok_and(|cores| cores.get() > 1);
        (enough && taskset(cores.rest.to_string())).then_some(cores)
    }

    /// Gives this process all cores back.
    pub fn unite(count: usize) {
        taskset(format!("0-{}", count - 1));
    }
}

fn taskset(cores: String) -> bool {
    let status = Command::new("taskset")
        .args(["-cp", &cores, &id().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
