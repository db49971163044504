//! pavex_session, over pavex, driven without pavex's code generator: the steps
//! are those of its own middleware, in the order in which generated code calls
//! them. See the README of the benchmark.

#[path = "../../src/case.rs"]
#[allow(dead_code, reason = "shared with the other contestants")]
mod case;
#[path = "../../src/count.rs"]
#[allow(dead_code, reason = "shared with the other contestants")]
pub mod count;
pub mod site;
pub mod talk;
#[path = "../../src/visitor.rs"]
mod visitor;
