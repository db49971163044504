//! Over HTTP, with sessions in Redis: the server on one core, Redis and the
//! client on another.

use std::path::Path;
use std::time::Duration;

use crate::apps::{ACTIX_SESSION, CLOAKROOM, NEAR_CACHE, PAVEX_SESSION, TOWER_SESSIONS};
use crate::children::{RedisServer, build};
use crate::load::Done;
use crate::machine::Cores;
use crate::report::{Goal, Table, median};
use crate::serve::{BY_HAND, NO_SESSION, Server};

const SESSIONS: usize = 1_000;
const CONNECTIONS: usize = 64;
const BY_HAND_OVERWRITE: &str = "by hand, GET + SET";
const READ: &str = "read";
const CHANGE: &str = "change";

/// A row and column of the tables, and how it is measured.
struct Turn {
    row: &'static str,
    column: &'static str,
    server: &'static str,
    path: &'static str,
}

const fn turn(
    row: &'static str,
    column: &'static str,
    server: &'static str,
    path: &'static str,
) -> Turn {
    Turn { row, column, server, path }
}

const TURNS: [Turn; 14] = [
    turn(NO_SESSION, READ, NO_SESSION, "/ignore"),
    turn(BY_HAND, READ, BY_HAND, "/read"),
    turn(BY_HAND, CHANGE, BY_HAND, "/change"),
    turn(BY_HAND_OVERWRITE, CHANGE, BY_HAND, "/overwrite"),
    turn(CLOAKROOM, READ, CLOAKROOM, "/read"),
    turn(CLOAKROOM, CHANGE, CLOAKROOM, "/change"),
    turn(NEAR_CACHE, READ, NEAR_CACHE, "/read"),
    turn(NEAR_CACHE, CHANGE, NEAR_CACHE, "/change"),
    turn(TOWER_SESSIONS, READ, TOWER_SESSIONS, "/read"),
    turn(TOWER_SESSIONS, CHANGE, TOWER_SESSIONS, "/change"),
    turn(PAVEX_SESSION, READ, PAVEX_SESSION, "/read"),
    turn(PAVEX_SESSION, CHANGE, PAVEX_SESSION, "/change"),
    turn(ACTIX_SESSION, READ, ACTIX_SESSION, "/read"),
    turn(ACTIX_SESSION, CHANGE, ACTIX_SESSION, "/change"),
];

/// Redis and servers, divided between the cores.
pub struct Site {
    pub servers: Vec<Server>,
    pub cores: Option<Cores>,
    pub redis: RedisServer,
}

impl Site {
    pub fn start(names: &[&'static str], pavex: &Path) -> Self {
        let cores = Cores::divide();
        let redis = RedisServer::start();
        let servers = names.iter().map(|name| Server::start(name, &redis.url, cores, pavex));
        Self { servers: servers.collect(), cores, redis }
    }

    pub fn server(&self, name: &str) -> &Server {
        self.servers.iter().find(|server| server.name == name).expect("it was started")
    }
}

pub fn measure(rounds: usize, time: Duration) -> Vec<Table> {
    let pavex = build("pavex/Cargo.toml", "pavex");
    let names =
        [NO_SESSION, BY_HAND, CLOAKROOM, NEAR_CACHE, TOWER_SESSIONS, PAVEX_SESSION, ACTIX_SESSION];
    let mut site = Site::start(&names, &pavex);
    for server in &mut site.servers {
        server.fill(SESSIONS, 0);
    }
    let mut done = TURNS.map(|_| Vec::<Done>::with_capacity(rounds));
    for round in 0..rounds {
        for turn in 0..TURNS.len() {
            // The order rotates: no contestant always runs after the same other one.
            let index = (round + turn) % TURNS.len();
            let Turn { server, path, .. } = TURNS[index];
            done[index].push(site.server(server).load(path, CONNECTIONS, time));
        }
    }
    let cores = match site.cores {
        Some(_) => "the server on a core of its own",
        None => "all on the same cores, since the system cannot pin them",
    };
    let title = format!("{CONNECTIONS} connections, {cores}");
    let per_second = table("redis", &title, "requests/s", |index| {
        Some(median(done[index].iter().map(|done| done.requests_per_second).collect()))
    });
    let to_by_hand =
        table("redis-to-by-hand", "The same, to by hand in the same round", "times", |index| {
            let column = TURNS[index].column;
            let by_hand =
                TURNS.iter().position(|turn| turn.row == BY_HAND && turn.column == column)?;
            let rounds = done[index].iter().zip(&done[by_hand]);
            let ratio =
                |(mine, hand): (&Done, &Done)| mine.requests_per_second / hand.requests_per_second;
            Some(median(rounds.map(ratio).collect()))
        });
    let cpu = table(
        "redis-cpu",
        "The server's processor time for each request",
        "microseconds",
        |index| {
            Some(median(done[index].iter().map(|done| done.cpu_micros).collect::<Option<_>>()?))
        },
    );
    // Well below one, another process was the bottleneck, or the machine was busy.
    let title = "How much of its core the server used";
    let busy = table("redis-busy", title, "part", |index| {
        let part = |done: &Done| Some(done.cpu_micros? * done.requests_per_second / 1e6);
        Some(median(done[index].iter().map(part).collect::<Option<_>>()?))
    });
    warn_of_idle_servers(&busy);
    vec![per_second, to_by_hand, cpu, busy]
}

fn warn_of_idle_servers(busy: &Table) {
    let least = busy.rows.iter().flat_map(|row| &row.figures).flatten().copied().reduce(f64::min);
    if let Some(least) = least.filter(|least| *least < 0.9) {
        eprintln!(
            "Warning: a server used only {:.0} % of its core. Requests per second then say more \
             about the client, Redis or other programs on this machine than about the server.",
            least * 100.0
        );
    }
}

fn table(id: &str, title: &str, unit: &str, figure: impl Fn(usize) -> Option<f64>) -> Table {
    let mut table = Table::new(id, title, unit, [READ, CHANGE]);
    for (index, turn) in TURNS.iter().enumerate() {
        if TURNS[..index].iter().any(|earlier| earlier.row == turn.row) {
            continue;
        }
        let of = |column| {
            let is_it = |other: &Turn| other.row == turn.row && other.column == column;
            TURNS.iter().position(is_it).and_then(&figure)
        };
        table.row(turn.row, vec![of(READ), of(CHANGE)]);
    }
    table
}

/// The goals, as far as these tables tell.
pub fn goals(tables: &[Table]) -> Vec<Goal> {
    let table = |id: &str| tables.iter().find(|table| table.id == id).expect("measured");
    let (per_second, to_by_hand) = (table("redis"), table("redis-to-by-hand"));
    let mut goals = Vec::new();
    for (column, hand, rival) in [(READ, 0.97, 1.2), (CHANGE, 0.95, 1.3)] {
        let figure = to_by_hand.at(CLOAKROOM, column);
        goals.push(Goal::at_least(format!("Redis, {column}: requests/s / by hand"), figure, hand));
        let figure = per_second.at(CLOAKROOM, column) / per_second.at(TOWER_SESSIONS, column);
        let what = format!("Redis, {column}: requests/s / tower-sessions");
        goals.push(Goal::at_least(what, figure, rival));
    }
    let near = to_by_hand.at(NEAR_CACHE, READ);
    goals.push(Goal::at_least("NearCache, read: requests/s / by hand", near, 1.4));
    goals
}
