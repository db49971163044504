use cloakroom::{Config, Memory, Sweeper, Ttl};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn sweep() -> Sweeper {
    let sessions = Config::new().store(Memory::new()).data::<Cart>().build();
    sessions.sweep_every(Ttl::minutes(10))
}

fn main() {
    drop(sweep());
}
