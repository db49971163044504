use cloakroom::{Config, Json};

fn main() {
    let _sessions =
        Config::new().store("redis://127.0.0.1").codec(Json::<u32>::new()).build();
}
