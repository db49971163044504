use cloakroom::{Config, Memory, SecretKey};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let key = SecretKey::new([7; 32]);
    let _sessions =
        Config::new().store(Memory::new()).data::<Cart>().signed().secret_key(key).build();
}
