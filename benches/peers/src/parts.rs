//! What is measured.

pub mod chart;
pub mod codecs;
pub mod growth;
pub mod in_process;
pub mod memory;
pub mod readme;
pub mod redis;
