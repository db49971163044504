use cloakroom::{Config, Memory, MessagePack};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Account {
    user_id: Option<u64>,
}

fn main() {
    let _sessions =
        Config::flask_session().store(Memory::new()).codec(MessagePack::<Account>::new()).build();
}
