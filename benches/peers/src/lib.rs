//! The contestants, and how they are measured. See the README beside this crate.

pub mod app;
pub mod apps;
pub mod case;
pub mod children;
pub mod count;
pub mod encoding;
pub mod load;
pub mod machine;
pub mod parts;
pub mod report;
pub mod serve;
pub mod signed_ids;
pub mod visitor;
