use cloakroom::{Config, Memory, SecretKey};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let [new, old] = [8, 7].map(|fill| SecretKey::new([fill; 32]));
    let _sessions = Config::new()
        .store(Memory::new())
        .data::<Cart>()
        .signed()
        .secret_key(new)
        .accept_older_key(old)
        .build();
}
