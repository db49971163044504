//! cloakroom beside other session libraries. See the README beside this crate.

use std::env;
use std::time::Duration;

use cloakroom_peers::machine::{Cores, Machine, versions};
use cloakroom_peers::parts::{chart, growth, in_process, memory, readme, redis};
use cloakroom_peers::report::Report;
use cloakroom_peers::serve::serve;

const USAGE: &str = "\
usage: cargo run --release --manifest-path benches/peers/Cargo.toml -- [PART]... [--quick]

parts: in-process, memory, redis, growth; all of them unless some are named
       chart   draws the chart again, from the results that are there
       readme  puts the results that are there into the README
--quick  a short run, to see that everything works; its results go to results/quick";

/// How long, how often, with how much.
struct Effort {
    rounds: usize,
    servers_rounds: usize,
    growth_rounds: usize,
    turn: Duration,
    memory: memory::Effort,
}

const WHOLE: Effort = Effort {
    rounds: 3_001,
    servers_rounds: 21,
    growth_rounds: 5,
    turn: Duration::from_millis(500),
    memory: memory::Effort {
        rounds: 15,
        turn: Duration::from_millis(500),
        many_sessions: 1_000_000,
    },
};

const QUICK: Effort = Effort {
    rounds: 51,
    servers_rounds: 3,
    growth_rounds: 1,
    turn: Duration::from_millis(150),
    memory: memory::Effort { rounds: 3, turn: Duration::from_millis(150), many_sessions: 100_000 },
};

const PARTS: [&str; 4] = ["in-process", "memory", "redis", "growth"];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [mode, name, url] = &arguments[..]
        && mode == "serve"
    {
        return serve(name, url);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let mut parts: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|argument| *argument != "--quick").collect();
    if let Some(unknown) = parts.iter().find(|part| !is_known(part)) {
        eprintln!("{unknown}?\n\n{USAGE}");
        std::process::exit(2);
    }
    if parts.is_empty() {
        parts.extend(PARTS);
    }
    for part in parts {
        match part {
            "chart" => {}
            "readme" => readme::update(quick),
            _ => {
                let report = run(part, quick);
                report.print();
                report.write();
            }
        }
    }
    chart::draw(quick);
}

fn is_known(part: &str) -> bool {
    PARTS.contains(&part) || ["chart", "readme"].contains(&part)
}

fn run(part: &str, quick: bool) -> Report {
    let effort = if quick { QUICK } else { WHOLE };
    let machine = Machine::this();
    let (tables, goals) = match part {
        "in-process" => {
            let tables = in_process::measure(effort.rounds);
            let goals = in_process::goals(&tables);
            (tables, goals)
        }
        "memory" => {
            let tables = memory::measure(effort.memory);
            let goals = memory::goals(&tables);
            (tables, goals)
        }
        "redis" => {
            let tables = redis::measure(effort.servers_rounds, effort.turn);
            let goals = redis::goals(&tables);
            (tables, goals)
        }
        _ => (growth::measure(effort.growth_rounds, effort.turn), Vec::new()),
    };
    Cores::unite(machine.cores);
    Report { part: part.to_owned(), quick, machine, versions: versions(), tables, goals }
}
