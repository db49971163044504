//! What each act of a session means: where requests meet, what the browser is told,
//! and how long a session lives.

#[path = "../races/sampling.rs"]
mod sampling;
#[path = "../races/schedule.rs"]
mod schedule;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod caches;
mod candidates;
mod clocks;
mod cookies;
mod extending;
mod extensions;
mod in_flight;
mod interleavings;
mod lifetimes;
mod log;
mod notes;
mod restarting;
mod rotating;
mod signing_in;
mod site;
mod timeouts;
mod unknown_entries;
mod unreadable;
