use cloakroom::{Config, Memory};
use http::HeaderMap;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn add() {
    let sessions = Config::new().store(Memory::new()).data::<Cart>().build();
    let mut session = sessions.open(&HeaderMap::new()).await.expect("opened");
    session.close(&mut HeaderMap::new()).await.expect("closed");
    session.items.push(7);
}

fn main() {
    drop(add());
}
