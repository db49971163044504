//! A `&mut` that changes nothing writes nothing.

use std::collections::HashMap;

use axum::Router;
use axum::routing::get;
use cloakroom::{Config, MessagePack, Session, Unsigned};

use crate::site::{Probe, Site, Visitor, routes};
use crate::support::browser::Browser;
use crate::support::watched::{Op, Watched};

#[tokio::test]
async fn a_value_that_is_set_to_what_it_was_writes_nothing() {
    async fn set(mut session: Visitor) {
        session.visits += 5;
        session.visits -= 5;
    }
    let site = Site::new();
    let setter = site.browser_on(routes().route("/set", get(set)));
    let browser = site.known_browser().await.on(setter);
    site.take_calls();
    assert_eq!(browser.get("/set").await.set_cookies(), [""; 0]);
    assert_eq!(site.take_calls(), [Op::Load]);
}

/// A `HashMap` has another order each time it is decoded.
#[tokio::test]
async fn a_map_that_was_not_changed_is_not_written_whatever_its_order() {
    type Map = HashMap<u32, u32>;
    type Bag = Session<Watched<Probe>, MessagePack<Map>, Unsigned>;

    async fn fill(mut bag: Bag) {
        *bag = (0..20).map(|i| (i, i)).collect();
    }
    async fn borrow(mut bag: Bag) {
        bag.insert(7, 7);
    }
    async fn update(mut bag: Bag) {
        bag.update(|bag| bag.insert(7, 7)).await.expect("the store works");
    }
    let site = Site::new();
    let config = Config::new().store(site.store.clone()).codec(MessagePack::<Map>::new());
    let routes = Router::new()
        .route("/fill", get(fill))
        .route("/borrow", get(borrow))
        .route("/update", get(update));
    let browser = Browser::new(routes.layer(config.layer()));
    browser.get("/fill").await;
    // An `update` that changes nothing has seen the newest version.
    for (path, calls) in [("/borrow", &[Op::Load][..]), ("/update", &[Op::Load, Op::Load])] {
        site.take_calls();
        browser.get(path).await;
        assert_eq!(site.take_calls(), calls, "{path}");
    }
}
