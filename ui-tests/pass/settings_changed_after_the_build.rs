use cloakroom::{Config, Memory, Ttl};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let _sessions =
        Config::new().store(Memory::new()).data::<Cart>().idle_timeout(Ttl::hours(2)).build();
}
