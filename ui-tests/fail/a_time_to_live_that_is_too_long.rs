use cloakroom::Ttl;

const REMEMBERED: Ttl = Ttl::days(500);

fn main() {
    println!("{REMEMBERED:?}");
}
