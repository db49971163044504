//! What browsers and caches see of sessions: the cookie, the headers, and the
//! answers to everything that can go wrong.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod caches;
mod conflicts;
mod cookies;
mod detached;
mod due_cookies;
mod extraction;
mod faults;
mod foreign_records;
mod logs;
mod nested;
mod sign_in;
mod site;
mod tasks;
mod timeouts;
mod tower_service;
mod unchanged;
mod unrepresentable;
