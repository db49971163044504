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
    let price = price().await;
    session.update(|cart| cart.items.push(price)).await.expect("saved");
}

fn main() {}
