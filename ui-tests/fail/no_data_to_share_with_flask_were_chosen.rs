use cloakroom::{Config, Memory};

fn main() {
    let _sessions = Config::flask_session().store(Memory::new()).build();
}
