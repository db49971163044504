use cloakroom::{Json, Session, Unsigned, Writable};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn add<S: Writable>(mut session: Session<S, Json<Cart>, Unsigned>) {
    session.items.push(7);
}

fn main() {}
