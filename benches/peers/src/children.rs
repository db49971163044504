//! Programs beside this one: pavex, which cannot be linked here, the program that
//! counts allocations, web servers and Redis.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A program that answers a line with a line, and ends when its input does.
pub struct Talker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Talker {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|fault| panic!("{command:?}: {fault}"));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn ask(&mut self, question: &str) -> String {
        let input = self.input.as_mut().expect("open until it is dropped");
        input.write_all(format!("{question}\n").as_bytes()).expect("the program listens");
        self.hear()
    }

    /// One line, without being asked.
    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("text");
        assert!(!line.is_empty(), "the program ended");
        line.trim_end().to_owned()
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Builds a program of this benchmark, and says where it is.
pub fn build(manifest: &str, program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let this = env::current_exe().expect("a path");
    let folder = this.parent().expect("a folder");
    let target = folder.parent().expect("a target folder");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--bin", program, "--manifest-path"])
        .arg(root.join(manifest))
        .arg("--target-dir")
        .arg(target)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{program} cannot be built");
    target.join("release").join(program)
}

/// Redis for this benchmark: the server that `REDIS_URL` names, or a private one.
pub struct RedisServer {
    pub url: String,
    _process: Option<(Talker, tempfile::TempDir)>,
}

/// Starts the server, says so when it answers, and stops it when the input ends,
/// however this program came to its end.
const WATCHED: &str = r#"
port=$1 folder=$2
redis-server --port "$port" --bind 127.0.0.1 --dir "$folder" --save '' >"$folder/log" 2>&1 &
server=$!
trap : PIPE HUP INT
tries=0
until grep -qi 'ready to accept' "$folder/log" || [ "$tries" = 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
# From here on, no process may be left that reads what this script writes.
if kill -0 "$server"; then echo up; else cat "$folder/log" >&2; fi
exec 2>>"$folder/log"
read -r _
kill "$server"
wait "$server"
"#;

impl RedisServer {
    pub fn start() -> Self {
        if let Ok(url) = env::var("REDIS_URL") {
            return Self { url, _process: None };
        }
        let found = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        assert!(
            found.is_ok_and(|status| status.success()),
            "redis-server is missing: apt-get install -y --no-install-recommends redis-server"
        );
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut command = Command::new("sh");
        command.args(["-c", WATCHED, "redis", &port.to_string()]).arg(folder.path());
        let mut process = Talker::start(&mut command);
        assert_eq!(process.hear(), "up", "Redis does not start");
        Self { url: format!("redis://127.0.0.1:{port}"), _process: Some((process, folder)) }
    }
}
