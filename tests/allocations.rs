//! How many allocations a session costs a request, on top of a bare axum
//! router. A buffer that grows counts as one more allocation.

#[path = "../benches/app/mod.rs"]
mod app;

use allocation_counter::measure;
use tokio::runtime::{Builder, Runtime};

use app::{App, Case};

/// Two rounds through all sessions: so that maps and buffers have their size.
const WARM_UP: usize = 2_000;
const COUNTED: usize = 2_000;

// What the layer itself costs: two for any layer in axum, one for the slot, two for its
// place in the request's extensions (axum has three entries there, and the fourth enlarges
// the table), one for the body, which axum boxes unless it is axum's own.

#[test]
fn a_request_that_ignores_its_session_costs_at_most_six_allocations() {
    assert_at_most(6, Case::NotUsed);
}

#[test]
fn a_request_that_ignores_its_session_costs_at_most_four_allocations_more_than_an_empty_layer() {
    let [layer, ignored] = [Case::EmptyLayer, Case::NotUsed].map(most_allocations);
    assert!(ignored <= layer + 4, "{ignored} allocations, the empty layer {layer}");
}

#[test]
fn a_request_that_reads_its_session_costs_at_most_eleven_allocations() {
    assert_at_most(11, Case::Read);
}

#[test]
fn a_request_that_changes_its_session_costs_at_most_sixteen_allocations() {
    assert_at_most(16, Case::Change);
}

#[test]
fn a_request_without_a_cookie_costs_at_most_seven_allocations() {
    assert_at_most(7, Case::NoCookie);
}

#[track_caller]
fn assert_at_most(limit: u64, case: Case) {
    let [bare, most] = [case.baseline(), case].map(most_allocations);
    assert!(bare > 0, "the counter does not count");
    let overhead = most - bare;
    println!("{case:?}: {overhead} allocations on top of the bare router's {bare}");
    assert!(overhead <= limit, "{overhead} allocations on top of the bare router's {bare}");
}

/// The most allocations of any of many requests, once the application is warm.
fn most_allocations(case: Case) -> u64 {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let mut app = runtime.block_on(App::new(case));
    for _ in 0..WARM_UP {
        allocations(&runtime, &mut app);
    }
    (0..COUNTED).map(|_| allocations(&runtime, &mut app)).max().expect("many requests")
}

/// Only this thread's, so that other tests do not disturb.
fn allocations(runtime: &Runtime, app: &mut App) -> u64 {
    measure(|| drop(runtime.block_on(app.answer()))).count_total
}
