use cloakroom::{Config, Null};

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

async fn sweep() -> u64 {
    let sessions = Config::new().store(Null::new()).data::<Cart>().build();
    sessions.sweep().await.expect("swept")
}

fn main() {
    drop(sweep());
}
