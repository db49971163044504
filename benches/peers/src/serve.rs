//! Web servers with sessions in Redis: this program again, with `serve`, the name
//! of a contestant and the address of Redis.

use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::process::{Command, exit};

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

use crate::app::{filled, prove};
use crate::apps::{
    ACTIX_SESSION, CLOAKROOM, LIFETIME, NEAR_CACHE, PAVEX_SESSION, TOWER_SESSIONS, actix, bare,
    by_hand, cloakroom, tower_sessions,
};
use crate::children::Talker;
use crate::load::{Done, ask, load};
use crate::machine::Cores;

pub const NO_SESSION: &str = "no session";
pub const BY_HAND: &str = "by hand";

/// Runs until the program that started it is gone.
pub fn serve(name: &str, url: &str) {
    std::thread::spawn(|| {
        let _ = stdin().read_line(&mut String::new());
        exit(0);
    });
    if name == ACTIX_SESSION {
        return actix::serve_redis(url, say_port);
    }
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let router = router(name, url).await.with_state(());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        say_port(listener.local_addr().expect("an address").port());
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, router).await.expect("it serves");
    });
}

async fn router(name: &str, url: &str) -> Router {
    match name {
        NO_SESSION => bare::router(),
        BY_HAND => by_hand::in_redis(url).await,
        CLOAKROOM => cloakroom::in_redis(url, LIFETIME).await,
        NEAR_CACHE => cloakroom::in_near_cache(url, LIFETIME).await,
        TOWER_SESSIONS => tower_sessions::in_redis(url, LIFETIME).await,
        _ => panic!("{name} takes no part"),
    }
}

fn say_port(port: u16) {
    println!("{port}");
    stdout().flush().expect("an open standard output");
}

/// A web server with a core of its own, and cookies of sessions that it made.
pub struct Server {
    pub name: &'static str,
    process: Talker,
    port: u16,
    cookies: Vec<String>,
}

impl Server {
    /// Starts a contestant, and proves that it works.
    pub fn start(name: &'static str, url: &str, cores: Option<Cores>, pavex: &Path) -> Self {
        let this = std::env::current_exe().expect("a path");
        let program = if name == PAVEX_SESSION { pavex } else { &this };
        let mut command = match cores {
            None => Command::new(program),
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &cores.server.to_string()]).arg(program);
                command
            }
        };
        let mut process = Talker::start(command.args(["serve", name, url]));
        let port = process.hear().parse().expect("a port");
        if name != NO_SESSION {
            prove(name, &mut |path, cookie| ask(port, path, cookie));
        }
        Self { name, process, port, cookies: vec!["id=unknown".into()] }
    }

    /// Makes sessions of this size, and uses them from now on.
    pub fn fill(&mut self, sessions: usize, bytes: usize) {
        if self.name == NO_SESSION {
            return;
        }
        let path = format!("/fill/{bytes}");
        self.cookies =
            (0..sessions).map(|_| filled(self.name, ask(self.port, &path, None))).collect();
    }

    pub fn load(&self, path: &str, connections: usize, time: std::time::Duration) -> Done {
        let process = self.process.id();
        load(self.port, process, path, &self.cookies, connections, time)
    }
}
