use cloakroom::{Memory, MessagePack, Session, WantsSecretKey};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn count(session: Session<Memory, MessagePack<Cart>, WantsSecretKey>) -> usize {
    session.items.len()
}

fn main() {}
