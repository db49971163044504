use cloakroom::{Config, Json, Memory, Ttl};

async fn sweep() {
    let sessions = Config::new().store(Memory::new()).codec(Json::<u32>::new()).build();
    let sweeper = sessions.sweep_every(Ttl::minutes(10));
    sweeper.shutdown().await;
}

fn main() {
    drop(sweep());
}
