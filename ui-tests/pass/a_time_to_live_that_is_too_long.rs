use cloakroom::Ttl;

const REMEMBERED: Ttl = Ttl::days(400);

fn main() {
    println!("{REMEMBERED:?}");
}
