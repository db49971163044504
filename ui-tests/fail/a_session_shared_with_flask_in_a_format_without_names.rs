use cloakroom::{Flask, Memory, Postcard, Session, Unsigned};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Account {
    user_id: Option<u64>,
}

fn handler(session: Session<Memory, Flask<Postcard<Account>>, Unsigned>) {
    drop(session);
}

fn main() {
    let _ = handler;
}
