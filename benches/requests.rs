//! What a session costs a request, on top of a bare axum router.
//!
//! `cargo bench --bench requests` prints criterion's absolute times, and then a
//! table of the overhead. For the table, every round runs all cases in turn and
//! compares each with the bare router of the same round, so that a machine whose
//! speed changes changes both; the figure is the median over the rounds. Name a
//! case (`cargo bench --bench requests -- Read`) to run criterion alone.

mod app;

use std::time::{Duration, Instant};

use criterion::Criterion;
use tokio::runtime::{Builder, Runtime};

use app::{App, Case};

const CASES: [Case; 7] = [
    Case::Bare,
    Case::BareNoCookie,
    Case::EmptyLayer,
    Case::NotUsed,
    Case::NoCookie,
    Case::Read,
    Case::Change,
];
const ROUNDS: usize = 2_001;
/// Less than a tenth of a scheduler's time slice, so that a busy machine spoils
/// few rounds, which the median leaves out.
const REQUESTS_IN_A_ROUND: u32 = 200;

fn main() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut apps = CASES.map(|case| runtime.block_on(App::new(case)));

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("requests");
    for (case, app) in CASES.into_iter().zip(&mut apps) {
        group.bench_function(format!("{case:?}"), |bencher| {
            bencher.iter_custom(|requests| time(&runtime, app, requests));
        });
    }
    group.finish();
    criterion.final_summary();

    if std::env::args().skip(1).eq(["--bench"]) {
        print_overheads(&runtime, &mut apps);
    }
}

/// The time of so many requests, their making included: it is the same for all
/// cases of a baseline, and so falls out of the overhead.
fn time(runtime: &Runtime, app: &mut App, requests: u64) -> Duration {
    runtime.block_on(async {
        let start = Instant::now();
        for _ in 0..requests {
            drop(app.answer().await);
        }
        start.elapsed()
    })
}

fn print_overheads(runtime: &Runtime, apps: &mut [App; CASES.len()]) {
    let mut overheads: [Vec<f64>; CASES.len()] = Default::default();
    for round in 0..ROUNDS {
        let mut nanos = [0.0; CASES.len()];
        for turn in 0..CASES.len() {
            // No case always runs after the same one.
            let index = (round + turn) % CASES.len();
            let time = time(runtime, &mut apps[index], REQUESTS_IN_A_ROUND.into());
            nanos[index] = time.as_nanos() as f64 / f64::from(REQUESTS_IN_A_ROUND);
        }
        for (index, case) in CASES.into_iter().enumerate() {
            overheads[index].push(nanos[index] - nanos[position(case.baseline())]);
        }
    }

    let medians = overheads.map(median);
    let empty_layer = medians[position(Case::EmptyLayer)];
    println!("On top of the bare router, median of {ROUNDS} interleaved rounds:\n");
    println!("| case | ns | times the empty layer |\n|---|---:|---:|");
    for (case, overhead) in CASES.into_iter().zip(medians) {
        if case != case.baseline() {
            println!("| {case:?} | {overhead:.0} | {:.1} |", overhead / empty_layer);
        }
    }
}

fn position(case: Case) -> usize {
    CASES.iter().position(|&other| other == case).expect("all cases run")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
