use cloakroom::{Config, Memory};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).data::<Cart>().build();
}
