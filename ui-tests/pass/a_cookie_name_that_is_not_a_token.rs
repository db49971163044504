use cloakroom::{Cookie, cookie_name};

fn main() {
    let _cookie = Cookie::secure(cookie_name!("a-name"));
}
