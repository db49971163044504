use cloakroom::{Config, Json, Memory};

fn main() {
    let sessions = Config::new().store(Memory::new()).codec(Json::<u32>::new()).build();
    let _layer = sessions.layer();
}
