use cloakroom::{Json, Memory, Session, Unsigned};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart<'a> {
    name: &'a str,
}

async fn name(session: Session<Memory, Json<Cart<'_>>, Unsigned>) -> String {
    session.name.to_owned()
}

fn main() {}
