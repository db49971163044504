use cloakroom::SecretKey;

fn main() {
    let _key = SecretKey::new(*b"too short");
}
