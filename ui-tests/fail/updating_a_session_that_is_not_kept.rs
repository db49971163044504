use cloakroom::{Null, MessagePack, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

type CartSession = Session<Null, MessagePack<Cart>, Unsigned>;

async fn add(mut session: CartSession) {
    session.update(|cart| cart.items.push(7)).await.expect("saved");
}

fn main() {}
