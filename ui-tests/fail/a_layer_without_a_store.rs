use cloakroom::Config;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Cart {
    items: Vec<u32>,
}

fn main() {
    let _layer = Config::new().data::<Cart>().layer();
}
