use cloakroom::{Cookie, CookieDomain, cookie_name};

fn main() {
    let domain = CookieDomain::new("example.org").expect("a domain");
    let _cookie = Cookie::unprefixed(cookie_name!("id")).domain(domain);
}
