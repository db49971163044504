//! Sessions in real files: who may read them, what was planted among them, what
//! a killed process leaves, and several processes at once.

mod directory;
#[cfg(target_os = "linux")]
mod locks;
#[path = "../semantics/log.rs"]
mod log;
mod planted;
mod processes;
mod records;
mod room;
mod site;
