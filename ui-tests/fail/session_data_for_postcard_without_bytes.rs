use cloakroom::{Config, Memory, Postcard};

#[derive(Default, serde::Serialize, serde::Deserialize, postcard_schema::Schema)]
struct Visits {
    all: Vec<()>,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).codec(Postcard::<Visits>::new()).build();
}
