use cloakroom::{Config, Json, Memory};

fn main() {
    let _layer = Config::new().store(Memory::new()).codec(Json::<u32>::new()).layer();
}
