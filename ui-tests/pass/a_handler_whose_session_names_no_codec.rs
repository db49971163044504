use cloakroom::{Memory, MessagePack, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn count(session: Session<Memory, MessagePack<Cart>, Unsigned>) -> usize {
    session.items.len()
}

fn main() {}
