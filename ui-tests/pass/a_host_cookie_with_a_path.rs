use cloakroom::{Cookie, CookiePath, cookie_name};

fn main() {
    let path = CookiePath::new("/shop").expect("a path");
    let _cookie = Cookie::unprefixed(cookie_name!("id")).path(path);
}
