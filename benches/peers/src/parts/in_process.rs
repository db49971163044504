//! What a session costs a request, on top of the same request without one.

use std::path::Path;
use std::rc::Rc;

use tokio::runtime::Builder;

use crate::app::{App, SESSIONS, prepare};
use crate::apps::{
    ACTIX_SESSION, AXUM_SESSION, BARE, CLOAKROOM, EMPTY_LAYER, LIFETIME, PAVEX_SESSION, REFERENCE,
    TOWER_SESSIONS, actix, axum_session, bare, cloakroom, pavex, reference, routers::RouterApp,
    tower_sessions,
};
use crate::case::Case;
use crate::children::{Talker, build};
use crate::report::{Goal, Table, median};

/// Less than a tenth of a scheduler's time slice, so that a busy machine spoils
/// few rounds, which the median leaves out.
const REQUESTS_IN_A_TURN: u32 = 100;
/// Before each turn, so that every contestant begins with warm caches.
const UNTIMED: u32 = 20;

/// All contestants, proved to work and filled with sessions.
pub fn contestants(pavex_program: &Path) -> Vec<Box<dyn App>> {
    let runtime = Rc::new(Builder::new_current_thread().enable_all().build().expect("a runtime"));
    let over_axum =
        |name, router| -> Box<dyn App> { Box::new(RouterApp::new(name, router, &runtime)) };
    let mut apps = vec![
        over_axum(BARE, bare::router()),
        over_axum(EMPTY_LAYER, bare::with_empty_layer()),
        over_axum(REFERENCE, reference::in_memory(LIFETIME)),
        over_axum(CLOAKROOM, cloakroom::in_memory(SESSIONS, LIFETIME)),
        over_axum(TOWER_SESSIONS, tower_sessions::in_memory(LIFETIME)),
        over_axum(AXUM_SESSION, runtime.block_on(axum_session::in_memory())),
    ];
    apps.extend(actix::in_memory(&runtime));
    apps.extend(pavex::in_memory(pavex_program));
    for app in &mut apps {
        prepare(app.as_mut());
    }
    apps
}

/// The tables of time and allocations.
pub fn measure(rounds: usize) -> Vec<Table> {
    let pavex_program = build("pavex/Cargo.toml", "pavex");
    let mut apps = contestants(&pavex_program);
    let turns: Vec<(usize, Case)> = (0..apps.len())
        .flat_map(|app| Case::ALL.map(|case| (app, case)))
        .filter(|(app, case)| *case == case.baseline() || !is_baseline(apps[*app].as_ref()))
        .collect();

    let mut totals = vec![Vec::with_capacity(rounds); turns.len()];
    let mut overheads = totals.clone();
    for round in 0..rounds {
        let mut nanos = vec![0.0; turns.len()];
        for turn in 0..turns.len() {
            // The order rotates: no contestant always runs after the same other one.
            let index = (round + turn) % turns.len();
            let (app, case) = turns[index];
            apps[app].run(case, UNTIMED);
            let time = apps[app].run(case, REQUESTS_IN_A_TURN);
            nanos[index] = time.as_nanos() as f64 / f64::from(REQUESTS_IN_A_TURN);
        }
        for (index, &(app, case)) in turns.iter().enumerate() {
            let baseline = turns
                .iter()
                .position(|&(other, its_case)| {
                    apps[other].name() == apps[app].baseline() && its_case == case.baseline()
                })
                .expect("every baseline runs");
            totals[index].push(nanos[index]);
            overheads[index].push(nanos[index] - nanos[baseline]);
        }
    }

    let names: Vec<&str> = apps.iter().map(|app| app.name()).collect();
    let figure_of = |values: &[Vec<f64>], name: &str, case: Case| {
        let is_it = |&(app, its_case): &(usize, Case)| names[app] == name && its_case == case;
        turns.iter().position(is_it).map(|index| median(values[index].clone()))
    };
    let columns = Case::ALL.map(Case::name);
    let mut total = Table::new("total", "The whole request", "ns", columns);
    let mut overhead =
        Table::new("time", "On top of the same request without sessions", "ns", columns);
    let mut to_bare = Table::new("to-bare", "The whole request", "times the bare one", columns);
    for app in &apps {
        let totals_of = |name: &str| Case::ALL.map(|case| figure_of(&totals, name, case)).to_vec();
        total.row(app.name(), totals_of(app.name()));
        if is_baseline(app.as_ref()) {
            continue;
        }
        let of = |case| figure_of(&overheads, app.name(), case);
        overhead.row(app.name(), Case::ALL.map(of).to_vec());
        let ratio = |case: Case| {
            let bare = figure_of(&totals, app.baseline(), case.baseline())?;
            Some(figure_of(&totals, app.name(), case)? / bare)
        };
        to_bare.row(app.name(), Case::ALL.map(ratio).to_vec());
    }
    let to_cloakroom = ratios_to_cloakroom(&overhead);
    vec![overhead, to_cloakroom, allocations(&pavex_program), to_bare, total]
}

fn is_baseline(app: &dyn App) -> bool {
    app.name() == app.baseline()
}

fn ratios_to_cloakroom(overhead: &Table) -> Table {
    let title = "The same, as a multiple of cloakroom's";
    let mut table = Table::new("to-cloakroom", title, "times", overhead.columns.clone());
    let ours = overhead.rows.iter().find(|row| row.name == CLOAKROOM).expect("it runs");
    for row in &overhead.rows {
        let ratios = row.figures.iter().zip(&ours.figures);
        table.row(&*row.name, ratios.map(|(theirs, ours)| Some((*theirs)? / (*ours)?)).collect());
    }
    table
}

/// From the program that counts.
fn allocations(pavex_program: &Path) -> Table {
    let program = build("Cargo.toml", "count");
    build("pavex/Cargo.toml", "pavex-count");
    let mut command = std::process::Command::new(program);
    let mut counter = Talker::start(command.arg(pavex_program.with_file_name("pavex-count")));
    let table = counter.ask("allocations");
    serde_json::from_str(&table).expect("a table")
}

/// What the program that counts answers.
pub fn count(pavex_program: &Path) -> Table {
    let mut apps = contestants(pavex_program);
    let mut counted = Vec::new();
    for app in &mut apps {
        counted.push(Case::ALL.map(|case| typical_allocations(app.as_mut(), case)));
    }
    let title = "Allocations on top of the same request without sessions";
    let mut table = Table::new("allocations", title, "count", Case::ALL.map(Case::name));
    for (app, figures) in apps.iter().zip(&counted) {
        if is_baseline(app.as_ref()) {
            continue;
        }
        let bare = apps.iter().position(|other| other.name() == app.baseline()).expect("it runs");
        let of = |case: Case| figures[case as usize] - counted[bare][case.baseline() as usize];
        table.row(app.name(), Case::ALL.map(|case| Some(of(case))).to_vec());
    }
    table
}

/// The median of many requests, once everything is warm.
fn typical_allocations(app: &mut dyn App, case: Case) -> f64 {
    for _ in 0..2 * SESSIONS {
        app.allocations(case);
    }
    median((0..SESSIONS).map(|_| app.allocations(case) as f64).collect())
}

/// The goals, as far as these tables tell.
pub fn goals(tables: &[Table]) -> Vec<Goal> {
    let table = |id: &str| tables.iter().find(|table| table.id == id).expect("measured");
    let (time, allocations) = (table("time"), table("allocations"));
    let ours = |case: Case| time.at(CLOAKROOM, case.name());
    let mut goals = Vec::new();
    for (case, reference, rival) in [
        (Case::Read, 1.25, 4.0),
        (Case::Change, 1.5, 4.0),
        (Case::NotUsed, 1.25, 6.0),
        (Case::NoCookie, 1.2, 2.5),
    ] {
        let name = case.name();
        let by_hand = ours(case) / time.at(REFERENCE, name);
        goals.push(Goal::at_most(
            format!("{name}: time / hand-written reference"),
            by_hand,
            reference,
        ));
        let slower = time.at(TOWER_SESSIONS, name) / ours(case);
        goals.push(Goal::at_least(format!("{name}: tower-sessions / cloakroom"), slower, rival));
        let peers = [TOWER_SESSIONS, AXUM_SESSION, ACTIX_SESSION, PAVEX_SESSION];
        let fastest = peers.map(|peer| time.at(peer, name) / ours(case));
        let fastest = fastest.into_iter().fold(f64::INFINITY, f64::min);
        goals.push(Goal::at_least(format!("{name}: the fastest peer / cloakroom"), fastest, 1.0));
    }
    for (case, limit) in
        [(Case::Read, 9.0), (Case::Change, 13.0), (Case::NotUsed, 5.0), (Case::NoCookie, 6.0)]
    {
        let figure = allocations.at(CLOAKROOM, case.name());
        goals.push(Goal::at_most(format!("{}: allocations", case.name()), figure, limit));
    }
    goals
}
