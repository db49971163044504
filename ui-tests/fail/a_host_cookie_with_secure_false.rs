use cloakroom::{Cookie, cookie_name};

fn main() {
    let _cookie = Cookie::host(cookie_name!("id")).secure(false);
}
