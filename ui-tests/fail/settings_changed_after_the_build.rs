use cloakroom::{Config, Memory, Ttl};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let sessions = Config::new().store(Memory::new()).data::<Cart>().build();
    let _sessions = sessions.idle_timeout(Ttl::hours(2));
}
