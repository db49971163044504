use cloakroom::{Memory, MessagePack, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

type CartSession = Session<Memory, MessagePack<Cart>, Unsigned>;

async fn add(mut session: CartSession) {
    session.rotate();
}

fn main() {}
