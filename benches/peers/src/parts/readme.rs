//! The tables in the project's README, from the files with the results.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::apps::{
    ACTIX_SESSION, AXUM_SESSION, CLOAKROOM, EMPTY_LAYER, NEAR_CACHE, PAVEX_SESSION, REFERENCE,
    TOWER_SESSIONS,
};
use crate::case::Case;
use crate::report::{Goal, Report, readable};
use crate::serve::BY_HAND;

const BEGIN: &str = "<!-- begin: written by benches/peers -->";
const CHART: &str = "![What a session adds to a request in memory, and requests per second with sessions \
     in Redis, for cloakroom and other libraries](benches/peers/results/chart.svg)";
const END: &str = "<!-- end: written by benches/peers -->";

/// Replaces what stands between the marks.
pub fn update(quick: bool) {
    let [in_process, memory, redis] = ["in-process", "memory", "redis"].map(|part| {
        Report::read(part, quick).unwrap_or_else(|| panic!("{part} was never measured"))
    });
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(&path).expect("the README");
    let (before, rest) = readme.split_once(BEGIN).expect("a mark");
    let (_, after) = rest.split_once(END).expect("a mark");
    let tables = tables(&in_process, &memory, &redis);
    if quick {
        println!("{tables}");
        return;
    }
    fs::write(&path, format!("{before}{BEGIN}\n{tables}{END}{after}")).expect("it can be written");
    println!("Written to {}", path.display());
}

fn tables(in_process: &Report, memory: &Report, redis: &Report) -> String {
    let machine = &in_process.machine;
    let mut text = format!(
        "{CHART}\n\nMeasured on {} with {}, {} cores, {}, Redis {}.\n\n",
        machine.date, machine.processor, machine.cores, machine.rustc, machine.redis
    );
    text.push_str("| time (allocations) that a session adds; time as a multiple of cloakroom's |");
    for case in Case::ALL {
        write!(text, " {} |", case.name()).expect("into a string");
    }
    text.push_str("\n|---|---:|---:|---:|---:|\n");
    for name in [
        CLOAKROOM,
        REFERENCE,
        EMPTY_LAYER,
        TOWER_SESSIONS,
        ACTIX_SESSION,
        PAVEX_SESSION,
        AXUM_SESSION,
    ] {
        write!(text, "| {} |", versioned(in_process, name)).expect("into a string");
        for case in Case::ALL.map(Case::name) {
            let ratio = readable(in_process.table("to-cloakroom").at(name, case));
            let allocations = in_process.table("allocations").at(name, case);
            write!(text, " {ratio} ({allocations}) |").expect("into a string");
        }
        text.push('\n');
    }
    text.push_str("\n| with Redis: requests/s, as a part of those by hand | read | change |\n");
    text.push_str("|---|---:|---:|\n");
    let to_by_hand = redis.table("redis-to-by-hand");
    for name in [CLOAKROOM, NEAR_CACHE, BY_HAND, TOWER_SESSIONS, ACTIX_SESSION, PAVEX_SESSION] {
        let [read, change] =
            ["read", "change"].map(|column| format!("{:.2}", to_by_hand.at(name, column)));
        writeln!(text, "| {} | {read} | {change} |", versioned_for_redis(redis, name))
            .expect("into a string");
    }
    text.push_str(
        "\ntower-sessions is there in two versions because its Redis store has no release for the\n\
         newer one.\n\n",
    );
    let goals: Vec<&Goal> =
        [in_process, memory, redis].iter().flat_map(|part| &part.goals).collect();
    let missed: Vec<&&Goal> = goals.iter().filter(|goal| !goal.met).collect();
    writeln!(
        text,
        "Of {} goals, {} were missed in this run{}",
        goals.len(),
        missed.len(),
        ending(&missed)
    )
    .expect("into a string");
    text
}

fn ending(missed: &[&&Goal]) -> String {
    if missed.is_empty() {
        return ".".to_owned();
    }
    let goal = |goal: &&&Goal| {
        format!("\n- {}: {}, aimed at {}", goal.what, readable(goal.figure), readable(goal.limit))
    };
    format!(
        ". The empty layer, the reference and the commands\n\
         by hand do less: they know no rotation, logout, merging or renewal.\n{}",
        missed.iter().map(goal).collect::<String>()
    )
}

fn versioned(report: &Report, name: &str) -> String {
    match report.versions.get(name) {
        // The newest is the last.
        Some(versions) if name != CLOAKROOM => {
            format!("{name} {}", versions.rsplit(", ").next().unwrap_or(versions))
        }
        _ => name.to_owned(),
    }
}

fn versioned_for_redis(report: &Report, name: &str) -> String {
    match report.versions.get(name) {
        // Its Redis store needs the older of the two.
        Some(versions) if name == TOWER_SESSIONS => {
            format!("{name} {}", versions.split(", ").next().unwrap_or(versions))
        }
        _ => versioned(report, name),
    }
}
