use cloakroom::{Memory, Postcard, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn count(session: Session<Memory, Postcard<Cart>, Unsigned>) -> usize {
    session.items.len()
}

fn main() {}
