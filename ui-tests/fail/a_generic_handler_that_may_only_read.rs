use cloakroom::{Json, Session, Store, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn add<S: Store>(mut session: Session<S, Json<Cart>, Unsigned>) {
    session.rotate();
}

fn main() {}
