//! Requests that meet: none loses what another saved, none brings back a
//! session that ended, and a request that is dropped half-way breaks nothing.

#[path = "../support/mod.rs"]
mod support;

mod bank;
mod dropped_requests;
mod dropped_steps;
mod interleavings;
mod many_requests;
mod queue;
mod sampling;
mod schedule;
mod slots;
