//! A session lives on while the program changes under it: two versions, two settings and
//! two keys at one store.

mod codecs;
mod matrix;
mod memory;
mod moving;
mod pairs;
mod programs;
mod renaming;
mod signing;
mod structs;
