use cloakroom::{Config, Memory};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    name: String,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).data::<Cart>().build();
}
