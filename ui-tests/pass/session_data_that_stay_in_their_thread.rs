use std::sync::Arc;

use cloakroom::{Config, Memory};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    #[serde(skip)]
    items: Arc<Vec<u32>>,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).data::<Cart>().build();
}
