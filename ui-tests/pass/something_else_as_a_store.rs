use std::sync::Arc;

use cloakroom::{Config, Json, Memory};

fn main() {
    let _sessions =
        Config::new().store(Arc::new(Memory::new())).codec(Json::<u32>::new()).build();
}
