use cloakroom::{Json, Memory, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

type CartSession = Session<Memory, Json<Cart>, Unsigned>;

async fn price() -> u32 {
    7
}

async fn add(mut session: CartSession) {
    session.update(async |cart| cart.items.push(price().await)).await.expect("saved");
}

fn main() {}
