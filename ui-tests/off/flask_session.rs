use cloakroom::{Config, Json, Memory};

fn main() {
    let _sessions =
        Config::flask_session().store(Memory::new()).codec(Json::<u32>::new()).build();
}
