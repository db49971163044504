//! A Flask application with Flask-Session: `dev/together/tests/flask/app.py`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::LazyLock;

use super::{Process, REPOSITORY, folder, free_port, wait_until_up};

// Both are in the repository.
const ENVIRONMENT: &str = "target/test-servers/flask";
const APPLICATION: &str = "dev/together/tests/flask/app.py";

/// What makes the environment. `tests/run` calls it, too.
const SET_UP: &str = "python3 -m venv target/test-servers/flask && \
    target/test-servers/flask/bin/pip install -r dev/together/tests/flask/requirements.txt";

/// The application that the tests of a program share. It keeps nothing: each
/// request names its settings, among them the store.
pub fn shared_address() -> SocketAddr {
    static SHARED: LazyLock<FlaskApplication> = LazyLock::new(FlaskApplication::start);
    SHARED.address
}

struct FlaskApplication {
    _process: Process,
    address: SocketAddr,
}

impl FlaskApplication {
    fn start() -> Self {
        let python = python();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let folder = folder();
        let application = Path::new(REPOSITORY).join(APPLICATION);
        // No `__pycache__` beside the sources.
        let arguments = ["-B".into(), application.into(), address.port().to_string().into()];
        let process = Process::start("python3", "TERM", &folder, &python, arguments);
        wait_until_up(&folder, || is_up(address));
        Self { _process: process, address }
    }
}

/// The interpreter that has Flask.
fn python() -> String {
    let python = Path::new(REPOSITORY).join(ENVIRONMENT).join("bin/python");
    assert!(python.exists(), "Flask is missing: cd {REPOSITORY} && {SET_UP}");
    python.to_str().expect("a path of text").to_owned()
}

fn is_up(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(b"GET /up HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.lines().next().is_some_and(|line| line.contains(" 204 ")))
}
