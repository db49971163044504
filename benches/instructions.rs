//! How many instructions a session costs a request, on top of a bare axum router,
//! held to the figures in `instructions.txt`.
//!
//! `cargo bench --bench instructions` counts with `valgrind --tool=callgrind`, and
//! fails where a case takes more than [`TOLERANCE`] over its figure. Counts do not
//! depend on how busy the machine is, as times do. `-- --renew` writes the figures
//! anew.
//!
//! Only the requests are counted, once the application is warm: what it takes to start
//! differs from run to run, by more than a whole request costs.
//!
//! The figures belong to one compiler and one version of the C library, on x86-64.
//! Valgrind shows every program the same processor, with AVX2 and without SHA
//! instructions, so the part of hashing is larger than in life.

mod app;

use std::fmt::Write as _;
use std::process::{Command, ExitCode};
use std::{env, fs};

use tokio::runtime::{Builder, Runtime};

use app::{App, Case};

const CASES: [Case; 4] = [Case::NotUsed, Case::NoCookie, Case::Read, Case::Change];
const FIGURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");
/// In percent. Five counts of one program differ by up to 0.6, since the seeds of its
/// maps are random; without AVX2 in the C library's `memcpy`, by up to 1.
const TOLERANCE: f64 = 3.0;
const RUNS: usize = 3;
const WARM_UP: u32 = 2_000;
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

/// The median of some runs.
fn per_request(case: Case) -> f64 {
    let mut counts = [0.0; RUNS].map(|_| instructions(case));
    counts.sort_by(f64::total_cmp);
    counts[RUNS / 2] / f64::from(REQUESTS)
}

/// The instructions of [`counted`].
fn instructions(case: Case) -> f64 {
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=instructions::counted"])
        .arg(env::current_exe().expect("the path of this program"))
        .args(["--requests", &format!("{case:?}"), &REQUESTS.to_string()])
        .output()
        .expect("valgrind is missing: apt-get install valgrind");
    let report = String::from_utf8_lossy(&run.stderr);
    let collected = report.lines().find_map(|line| line.split_once("Collected : "));
    let Some((_, count)) = collected.filter(|_| run.status.success()) else {
        panic!("callgrind failed:\n{report}");
    };
    let count = count.trim().parse().expect("a number");
    assert!(count > 0.0, "valgrind found no function `instructions::counted`");
    count
}

fn answer(case: Case, requests: u32) {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut app = runtime.block_on(App::new(case));
    runtime.block_on(send(&mut app, WARM_UP));
    counted(&runtime, &mut app, requests);
}

/// By this name, valgrind knows what to count.
#[inline(never)]
fn counted(runtime: &Runtime, app: &mut App, requests: u32) {
    runtime.block_on(send(app, requests));
}

async fn send(app: &mut App, requests: u32) {
    for _ in 0..requests {
        drop(app.answer().await);
    }
}

fn case_named(name: &str) -> Case {
    let mut cases = CASES.into_iter().chain([Case::Bare, Case::BareNoCookie, Case::EmptyLayer]);
    cases.find(|case| format!("{case:?}") == name).expect("the name of a case")
}
