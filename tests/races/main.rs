//! Requests that meet: none loses what another saved, none brings back a
//! session that ended, and whoever goes away half-way breaks nothing.

#[path = "../support/mod.rs"]
mod support;

mod bank;
mod dropped_requests;
mod dropped_steps;
mod interleavings;
mod many_requests;
mod queue;
mod schedule;
mod slots;
