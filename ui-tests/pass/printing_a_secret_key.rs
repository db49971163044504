use cloakroom::SecretKey;

fn main() {
    let key = SecretKey::new([7; 32]);
    println!("{key:?}");
}
