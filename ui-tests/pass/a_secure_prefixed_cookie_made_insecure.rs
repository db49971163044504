use cloakroom::{Cookie, cookie_name};

fn main() {
    let _cookie = Cookie::secure_prefixed(cookie_name!("id"));
}
