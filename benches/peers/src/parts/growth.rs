//! Larger payloads and more connections, with sessions in Redis.

use std::path::Path;
use std::time::Duration;

use crate::apps::{CLOAKROOM, TOWER_SESSIONS};
use crate::load::Done;
use crate::report::{Table, median};
use crate::serve::BY_HAND;

use super::codecs;
use super::redis::Site;

const NAMES: [&str; 3] = [BY_HAND, CLOAKROOM, TOWER_SESSIONS];
const PATHS: [(&str, &str); 2] = [("read", "/read"), ("change", "/change")];
pub const SIZES: [usize; 4] = [100, 1_024, 10 * 1_024, 100 * 1_024];
const CONNECTIONS: [usize; 5] = [1, 4, 16, 64, 256];
const USUAL_CONNECTIONS: usize = 64;

pub fn measure(rounds: usize, time: Duration) -> Vec<Table> {
    // Pavex takes no part here.
    let mut site = Site::start(&NAMES, Path::new(""));
    let by_size = SIZES.map(|size| {
        let sessions = if size > 10_000 { 128 } else { 1_000 };
        for server in &mut site.servers {
            server.fill(sessions, size);
        }
        (label(size), measured(&site, USUAL_CONNECTIONS, rounds, time))
    });
    for server in &mut site.servers {
        server.fill(1_000, 0);
    }
    let by_connections =
        CONNECTIONS.map(|count| (count.to_string(), measured(&site, count, rounds, time)));
    let mut tables = vec![
        table("growth-size", "By the size of the payload, 64 connections", &by_size),
        table("growth-connections", "By connections, the usual payload", &by_connections),
    ];
    tables.extend(codecs::measure(&site.redis.url, rounds.max(3)));
    tables
}

pub fn label(size: usize) -> String {
    if size < 1_024 { format!("{size} B") } else { format!("{} KiB", size / 1_024) }
}

type Figures = [[f64; 2]; 3];

/// Requests per second by contestant and path.
fn measured(site: &Site, connections: usize, rounds: usize, time: Duration) -> Figures {
    let mut done = [const { [const { Vec::<Done>::new() }; 2] }; 3];
    for round in 0..rounds {
        for turn in 0..NAMES.len() * PATHS.len() {
            let index = (round + turn) % (NAMES.len() * PATHS.len());
            let (name, path) = (index / PATHS.len(), index % PATHS.len());
            let server = site.server(NAMES[name]);
            done[name][path].push(server.load(PATHS[path].1, connections, time));
        }
    }
    let per_second =
        |done: Vec<Done>| median(done.into_iter().map(|done| done.requests_per_second).collect());
    done.map(|paths| paths.map(per_second))
}

fn table(id: &str, title: &str, columns: &[(String, Figures)]) -> Table {
    let names = columns.iter().map(|(label, _)| label.as_str());
    let mut table = Table::new(id, title, "requests/s", names);
    for (path, (verb, _)) in PATHS.iter().enumerate() {
        for (name, label) in NAMES.iter().enumerate() {
            let figures = columns.iter().map(|(_, figures)| Some(figures[name][path]));
            table.row(format!("{label}, {verb}"), figures.collect());
        }
    }
    table
}
