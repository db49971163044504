use cloakroom::{Config, Memory, Postcard};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).codec(Postcard::<Cart>::new()).build();
}
