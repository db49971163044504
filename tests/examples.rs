//! The examples, run as a newcomer runs them.

#[path = "support/example.rs"]
mod example;

use std::process::Command;

use example::{Browser, Site, example};

#[test]
fn the_quickstart_counts_visits() {
    let shop = quickstart();
    let mut browser = Browser::of(&shop);
    assert!(browser.get("/").contains("This is your first visit."));
    assert!(browser.get("/").contains("<strong>2</strong> times"));
    assert!(browser.get("/").contains("<strong>3</strong> times"));
    assert!(Browser::of(&shop).get("/").contains("This is your first visit."));
}

#[test]
fn the_quickstart_keeps_a_cart_through_signing_in_and_ends_it_at_signing_out() {
    let shop = quickstart();
    let mut browser = Browser::of(&shop);
    assert!(browser.get("/shop").contains("Nothing yet."));
    browser.post("/shop/add", "item=Coat");
    browser.post("/shop/add", "item=Coat");
    browser.post("/shop/add", "item=Umbrella");
    browser.post("/shop/remove", "item=Umbrella");
    let page = browser.get("/shop");
    assert!(page.contains("Coat × 2") && !page.contains("Umbrella ×"), "{page}");

    let before = browser.clone();
    browser.post("/sign-in", "name=Ann");
    assert_ne!(browser.cookie, before.cookie, "signing in gives a fresh id");
    assert!(browser.get("/").contains("Signed in as <strong>Ann</strong>"));
    assert!(browser.get("/shop").contains("Coat × 2"));
    assert!(before.clone().get("/shop").contains("Nothing yet."), "the old id is dead");

    let stolen = browser.clone();
    browser.post("/sign-out", "");
    assert_eq!(browser.cookie, None, "signing out removes the cookie");
    assert!(!browser.get("/").contains("Ann"));
    assert!(stolen.clone().get("/shop").contains("Nothing yet."), "a copied cookie is dead");
}

#[test]
fn the_quickstart_shows_a_name_as_text() {
    let shop = quickstart();
    let mut browser = Browser::of(&shop);
    browser.post("/sign-in", "name=%3Cscript%3E%22%27%26");
    let page = browser.get("/");
    assert!(page.contains("<strong>&lt;script&gt;&quot;&#39;&amp;</strong>"), "{page}");
}

#[test]
fn the_framework_free_example_tells_its_story() {
    let output = Command::new(example("framework_free")).output().expect("the example runs");
    assert!(output.status.success());
    let story = "\
A request that changes nothing:
  the session is new: true
  the browser keeps what it has
  records in the store: 0
A request that fills the cart:
  the browser takes __Host-id
  records in the store: 1
A request that reads it:
  the cart holds: umbrella
  the browser keeps what it has
Signing in, with a fresh id:
  the browser takes __Host-id
  signed in as: Ann
  the cart holds: umbrella
  with the old cookie: no user
Signing out:
  the browser drops __Host-id
  with a copy of the cookie: no user
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), story);
}

fn quickstart() -> Site {
    Site::start(Command::new(example("quickstart")).arg("127.0.0.1:0"))
}
