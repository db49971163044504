//! Answers questions, and counts allocations.

use cloakroom_peers_pavex::count::{Allocated, install};
use cloakroom_peers_pavex::talk;

fn main() {
    install(|code| {
        let info = allocation_counter::measure(code);
        Allocated { allocations: info.count_total, bytes_kept: info.bytes_current }
    });
    talk::talk();
}
