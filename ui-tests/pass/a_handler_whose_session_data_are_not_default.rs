use cloakroom::{Memory, MessagePack, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

type CartSession = Session<Memory, MessagePack<Cart>, Unsigned>;

async fn count(session: CartSession) -> usize {
    session.items.len()
}

fn main() {}
