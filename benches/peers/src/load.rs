//! A client that sends requests over many connections, each as soon as the one
//! before it is answered, and one that asks a single question.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream as BlockingStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep_until;

use crate::app::Answer;

/// What a server did in a turn.
#[derive(Clone, Copy)]
pub struct Done {
    pub requests_per_second: f64,
    /// The server's processor time for each request, in microseconds, where the
    /// system tells.
    pub cpu_micros: Option<f64>,
}

/// Sends requests to a server for a while. Each connection uses in turn
/// cookies of its own, so that no two requests change a session at once.
pub fn load(
    port: u16,
    process: u32,
    path: &str,
    cookies: &[String],
    connections: usize,
    time: Duration,
) -> Done {
    let requests: Rc<[Vec<u8>]> =
        cookies.iter().map(|cookie| request(path, Some(cookie), "keep-alive")).collect();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let mut opened = Vec::new();
        for index in 0..connections {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
            stream.set_nodelay(true).expect("an open connection");
            let mut client =
                Client { stream, requests: requests.clone(), next: index, connections };
            client.ask().await;
            opened.push(client);
        }
        // Until then nothing counts: caches fill, and all connections get going.
        let start = Instant::now() + time / 4;
        let end = start + time;
        let mut tasks = JoinSet::new();
        for mut client in opened {
            tasks.spawn_local(async move {
                let mut answered = 0_u64;
                loop {
                    let asked_at = Instant::now();
                    if asked_at >= end {
                        break;
                    }
                    client.ask().await;
                    answered += u64::from(asked_at >= start);
                }
                answered
            });
        }
        sleep_until(start.into()).await;
        let cpu_before = cpu_nanos(process);
        let answered = tasks.join_all().await.into_iter().sum::<u64>() as f64;
        let elapsed = start.elapsed();
        let cpu = cpu_nanos(process).zip(cpu_before).map(|(after, before)| after - before);
        Done {
            requests_per_second: answered / elapsed.as_secs_f64(),
            cpu_micros: cpu.map(|nanos| nanos as f64 / 1_000.0 / answered),
        }
    })
}

struct Client {
    stream: TcpStream,
    requests: Rc<[Vec<u8>]>,
    next: usize,
    connections: usize,
}

impl Client {
    async fn ask(&mut self) {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += self.connections;
        self.stream.write_all(request).await.expect("an open connection");
        let mut buffer = [0; 2_048];
        let mut length = 0;
        while !is_whole(&buffer[..length]) {
            let read = self.stream.read(&mut buffer[length..]).await.expect("an answer");
            assert!(read > 0, "the server closed the connection");
            length += read;
        }
        assert!(
            buffer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&buffer[..length])
        );
    }
}

/// All measured handlers answer `seen`, in one piece.
fn is_whole(response: &[u8]) -> bool {
    response.ends_with(b"\r\n\r\nseen")
        || (response.ends_with(b"\r\n\r\n") && !response.starts_with(b"HTTP/1.1 200"))
}

fn request(path: &str, cookie: Option<&str>, connection: &str) -> Vec<u8> {
    let cookie = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}Connection: {connection}\r\n\r\n")
        .into_bytes()
}

/// One question and all of its answer.
pub fn ask(port: u16, path: &str, cookie: Option<&str>) -> Answer {
    let mut stream = BlockingStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.write_all(&request(path, cookie, "close")).expect("an open connection");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("text");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("a status");
    let pairs: Vec<&str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .filter_map(|(_, cookie)| cookie.split(';').next())
        .collect();
    let cookie = (!pairs.is_empty()).then(|| pairs.join("; "));
    Answer { status, cookie, body: body.to_owned() }
}

/// The processor time of all threads of a process, where Linux tells.
fn cpu_nanos(process: u32) -> Option<u64> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let nanos = tasks.filter_map(|task| {
        let statistics = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse::<u64>().ok()
    });
    Some(nanos.sum())
}
