use cloakroom::{Cookie, cookie_name};

fn main() {
    let _cookie = Cookie::unprefixed(cookie_name!("id")).insecure_for_development();
}
