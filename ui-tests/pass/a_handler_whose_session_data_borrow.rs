use cloakroom::{Json, Memory, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    name: String,
}

async fn name(session: Session<Memory, Json<Cart>, Unsigned>) -> String {
    session.name.clone()
}

fn main() {}
