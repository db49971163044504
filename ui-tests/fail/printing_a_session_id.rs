use cloakroom::{IdLength, SessionId};

fn main() {
    let id = SessionId::generate(IdLength::default()).expect("an id");
    println!("{id}");
}
