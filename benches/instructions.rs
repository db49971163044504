//! How many instructions a session costs a request, on top of a bare axum router,
//! held to the figures in `instructions.txt`.
//!
//! `cargo bench --bench instructions` counts with `valgrind --tool=callgrind`, and
//! fails where a case takes more than [`TOLERANCE`] over its figure. Counts do not
//! depend on how busy the machine is, as times do. `-- --renew` writes the figures
//! anew.
//!
//! They belong to one compiler and to x86-64 with AVX2. Valgrind has no SHA
//! instructions, so the part of hashing is larger than in life.

mod app;

use std::fmt::Write as _;
use std::process::{Command, ExitCode};
use std::{env, fs};

use tokio::runtime::Builder;

use app::{App, Case};

const CASES: [Case; 4] = [Case::NotUsed, Case::NoCookie, Case::Read, Case::Change];
const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
/// In percent. Four counts of one program differed by up to 1.2, since the seeds of
/// its maps are random.
const TOLERANCE: f64 = 3.0;
/// One run of some twenty takes 80 instructions a request less than the others.
const RUNS: usize = 5;
const REQUESTS: u32 = 2_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--requests", case, requests] => {
            answer(case_named(case), requests.parse().expect("a number"));
            ExitCode::SUCCESS
        }
        ["--renew", ..] => {
            renew();
            ExitCode::SUCCESS
        }
        _ => compare(),
    }
}

fn compare() -> ExitCode {
    let figures = fs::read_to_string(FIGURES).expect("benches/instructions.txt");
    println!("| case | instructions | figure | % |\n|---|---:|---:|---:|");
    let mut has_grown = false;
    for line in figures.lines() {
        let (name, figure) = line.split_once(' ').expect("a case and its figure");
        let figure: f64 = figure.parse().expect("a number");
        let count = overhead(case_named(name));
        let more = (count - figure) / figure * 100.0;
        println!("| {name} | {count:.0} | {figure:.0} | {more:+.1} |");
        has_grown |= more > TOLERANCE;
    }
    if has_grown {
        println!("\nmore than {TOLERANCE} % over the figure; where that is meant,");
        println!("write the figures anew: cargo bench --bench instructions -- --renew");
    }
    ExitCode::from(u8::from(has_grown))
}

fn renew() {
    let mut figures = String::new();
    for case in CASES {
        writeln!(figures, "{case:?} {:.0}", overhead(case)).expect("a `String` takes all");
    }
    print!("{figures}");
    fs::write(FIGURES, figures).expect("benches/instructions.txt");
}

/// What a request costs beyond the same one without a session.
fn overhead(case: Case) -> f64 {
    per_request(case) - per_request(case.baseline())
}

/// Of medians, each of some runs, so that a few odd ones do not count. What an
/// application takes to start falls out.
fn per_request(case: Case) -> f64 {
    let typical = |requests| {
        let mut counts = [0.0; RUNS].map(|_| instructions(case, requests));
        counts.sort_by(f64::total_cmp);
        counts[RUNS / 2]
    };
    (typical(2 * REQUESTS) - typical(REQUESTS)) / f64::from(REQUESTS)
}

/// The instructions of this program when it answers so many requests.
fn instructions(case: Case, requests: u32) -> f64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().expect("the path of this program"))
        .args(["--requests", &format!("{case:?}"), &requests.to_string()])
        .output()
        .expect("valgrind is missing: apt-get install valgrind");
    let report = String::from_utf8_lossy(&run.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let Some((_, count)) = collected.filter(|_| run.status.success()) else {
        panic!("callgrind failed:\n{report}");
    };
    count.trim().parse().expect("a number")
}

fn answer(case: Case, requests: u32) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut app = App::new(case).await;
        for _ in 0..requests {
            drop(app.answer().await);
        }
    });
}

fn case_named(name: &str) -> Case {
    let mut cases = CASES.into_iter().chain([Case::Bare, Case::BareNoCookie, Case::EmptyLayer]);
    cases.find(|case| format!("{case:?}") == name).expect("the name of a case")
}
