//! The life of a session without a framework: what it asks of the store, and
//! what the browser is told. The store writes down every call.

mod conflicts;
mod journal;
mod several_tickets;
mod slow_readers;
mod storing;
mod tickets;
mod timeouts;
mod visitor;
