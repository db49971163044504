use cloakroom::{Config, Null, Sweeper, Ttl};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn sweep() -> Sweeper {
    let sessions = Config::new().store(Null::new()).data::<Cart>().build();
    sessions.sweep_every(Ttl::minutes(10))
}

fn main() {
    drop(sweep());
}
