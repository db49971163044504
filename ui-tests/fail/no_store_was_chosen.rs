use cloakroom::Config;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let _sessions = Config::new().data::<Cart>().build();
}
