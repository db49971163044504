use cloakroom::{Config, Memory, Postcard};

#[derive(Default, serde::Serialize, serde::Deserialize, postcard_schema::Schema)]
struct Comment {
    text: String,
    answers: Vec<Comment>,
}

fn main() {
    let _sessions = Config::new().store(Memory::new()).codec(Postcard::<Comment>::new()).build();
}
