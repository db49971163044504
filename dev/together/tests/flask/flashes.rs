//! Messages for the next page, of either application.

use serde_json::json;

use crate::browser::Browser;
use crate::site::{Place, Site};

pub(crate) async fn a_message_flashed_by_flask_is_shown_here_once<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = Browser::default();
    browser.post(&flask, "/flash", &[("category", "info"), ("message", "Grüße")]).await;
    browser.post(&flask, "/flash", &[("category", "error"), ("message", "🧥")]).await;
    let flashed = json!([["info", "Grüße"], ["error", "🧥"]]);

    assert_eq!(browser.get(&rust, "/flashes").await.json(), flashed);
    assert_eq!(browser.get(&rust, "/flashes").await.json(), json!([]));
    assert_eq!(browser.get(&flask, "/flashes").await.json(), json!([]));
}

pub(crate) async fn a_message_flashed_here_is_shown_by_flask_once<P: Place>() {
    let site = Site::<P>::open().await;
    let (flask, rust) = (site.flask(), site.rust().await);
    let mut browser = Browser::default();
    browser.post(&rust, "/flash", &[("category", "info"), ("message", "Grüße")]).await;
    browser.post(&flask, "/flash", &[("category", "error"), ("message", "🧥")]).await;
    let flashed = json!([["info", "Grüße"], ["error", "🧥"]]);

    assert_eq!(browser.get(&flask, "/flashes").await.json(), flashed);
    assert_eq!(browser.get(&flask, "/flashes").await.json(), json!([]));
    assert_eq!(browser.get(&rust, "/flashes").await.json(), json!([]));
}
