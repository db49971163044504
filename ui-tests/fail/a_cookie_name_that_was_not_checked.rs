use cloakroom::Cookie;

fn main() {
    let _cookie = Cookie::host("cart");
}
