//! A proxy that spoils connections.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What the proxy does with replies.
#[derive(Clone, Copy, PartialEq)]
pub enum Fault {
    None,
    /// Hands them on only after this time.
    Delay(Duration),
    /// Loses them, and everything that comes later on the same connection; the
    /// connections stay open.
    Silence,
    /// Hands on this many bytes of one, and closes the connection.
    Truncate(usize),
    /// Closes all connections, and every new one.
    Cut,
    /// Closes one connection instead of handing on its reply, and is over.
    CutOnce,
}

/// A proxy in front of a port of this machine.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    fault: Mutex<Fault>,
    open: Mutex<Vec<TcpStream>>,
    /// How often all connections were forgotten.
    forgotten: AtomicU64,
    is_over: AtomicBool,
}

impl Proxy {
    pub fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            fault: Mutex::new(Fault::None),
            open: Mutex::default(),
            forgotten: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let accepting = shared.clone();
        thread::spawn(move || accepting.accept(&listener, server));
        Self { port, shared }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Forgets the connections that there are, as a network does after minutes in which nothing
    /// was sent: they stay open, and what is sent on them is lost. New ones are not affected.
    pub fn forget_connections(&self) {
        self.shared.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    pub fn set(&self, fault: Fault) {
        *lock(&self.shared.fault) = fault;
        if fault == Fault::Cut {
            self.shared.close_all();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.shared.close_all();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener, server: u16) {
        for client in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(client) = client else { continue };
            if *lock(&self.fault) == Fault::Cut {
                continue;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
            lock(&self.open).extend([copy(&client), copy(&server)]);
            let (to_server, to_client) = (copy(&server), copy(&client));
            let is_lost = Arc::new(AtomicBool::new(false));
            let born = self.forgotten.load(Ordering::SeqCst);
            let (requests, replies) = (self.clone(), self.clone());
            let lost = is_lost.clone();
            thread::spawn(move || requests.pump(client, to_server, born, &lost, false));
            thread::spawn(move || replies.pump(server, to_client, born, &is_lost, true));
        }
    }

    /// Copies until one side closes.
    fn pump(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        born: u64,
        is_lost: &AtomicBool,
        is_reply: bool,
    ) {
        let mut buffer = [0; 64 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if self.forgotten.load(Ordering::SeqCst) != born {
                continue;
            }
            let fault = *lock(&self.fault);
            if fault == Fault::Silence {
                is_lost.store(true, Ordering::SeqCst);
            }
            if is_lost.load(Ordering::SeqCst) {
                continue;
            }
            let written = match fault {
                Fault::Truncate(most) if is_reply => {
                    let _ = to.write_all(&buffer[..n.min(most)]);
                    break;
                }
                Fault::CutOnce if is_reply => {
                    *lock(&self.fault) = Fault::None;
                    break;
                }
                Fault::Delay(time) if is_reply => {
                    thread::sleep(time);
                    to.write_all(&buffer[..n])
                }
                _ => to.write_all(&buffer[..n]),
            };
            if written.is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn close_all(&self) {
        for stream in lock(&self.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("the system has file descriptors")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
