use cloakroom::{HmacSha256, Memory, MessagePack, Session};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn count(session: Session<Memory, MessagePack<Cart>, HmacSha256>) -> usize {
    session.items.len()
}

fn main() {}
