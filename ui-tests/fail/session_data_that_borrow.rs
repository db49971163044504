use cloakroom::{Config, Memory};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart<'a> {
    name: &'a str,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).data::<Cart>().build();
}
