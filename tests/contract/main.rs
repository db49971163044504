//! The stores of this crate keep the contract, and the contract notices stores
//! that do not.

mod arc;
mod detects;
mod flawed;
mod list;
mod memory;

#[cfg(feature = "file")]
mod file;
