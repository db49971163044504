use cloakroom::{Config, Memory, SecretKey};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let old = SecretKey::new([7; 32]);
    let _sessions =
        Config::new().store(Memory::new()).data::<Cart>().signed().accept_older_key(old).build();
}
