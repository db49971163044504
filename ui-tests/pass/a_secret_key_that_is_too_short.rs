use cloakroom::SecretKey;

fn main() {
    let _key = SecretKey::new(*b"exactly as many bytes as needed!");
}
