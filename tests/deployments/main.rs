//! A session lives on while the program changes under it: two versions, two settings and
//! two keys at one store.

mod matrix;
mod memory;
mod programs;
mod structs;
