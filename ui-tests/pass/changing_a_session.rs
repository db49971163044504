use cloakroom::{Memory, Postcard, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

type CartSession = Session<Memory, Postcard<Cart>, Unsigned>;

async fn add(mut session: CartSession) {
    session.items.push(7);
}

fn main() {}
