//! Sessions without a framework: all that is needed is the headers of a request
//! and those of its response, as `http::HeaderMap`.
//!
//! ```text
//! cargo run --example framework_free
//! ```

use std::error::Error;

use cloakroom::{Config, HmacSha256, Memory, MessagePack, SecretKey, Session};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Visitor {
    name: Option<String>,
    cart: Vec<String>,
}

type VisitorSession = Session<Memory, MessagePack<Visitor>, HmacSha256>;

// Any executor will do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Warnings go to the terminal: such as of a record that this program cannot read.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();

    let sessions = Config::new()
        .store(Memory::new())
        .data::<Visitor>()
        .signed()
        .secret_key(SecretKey::generate()?)
        .build();
    let mut browser = Browser::default();

    println!("A request that changes nothing:");
    let session = sessions.open(&browser.request()).await?;
    println!("  the session is new: {}", session.is_new());
    browser.receive(&respond(session).await?);
    println!("  records in the store: {}", sessions.store().len());

    println!("A request that fills the cart:");
    let mut session = sessions.open(&browser.request()).await?;
    session.cart.push("umbrella".to_owned());
    browser.receive(&respond(session).await?);
    println!("  records in the store: {}", sessions.store().len());

    println!("A request that reads it:");
    let session = sessions.open(&browser.request()).await?;
    println!("  the cart holds: {}", session.cart.join(", "));
    browser.receive(&respond(session).await?);

    println!("Signing in, with a fresh id:");
    let planted = browser.request();
    let mut session = sessions.open(&browser.request()).await?;
    session.name = Some("Ann".to_owned());
    session.sign_in();
    browser.receive(&respond(session).await?);
    let session = sessions.open(&browser.request()).await?;
    println!("  signed in as: {}", session.name.as_deref().unwrap_or("no user"));
    println!("  the cart holds: {}", session.cart.join(", "));
    let stranger = sessions.open(&planted).await?;
    println!("  with the old cookie: {}", stranger.name.as_deref().unwrap_or("no user"));

    println!("Signing out:");
    let kept = browser.request();
    let mut session = sessions.open(&browser.request()).await?;
    session.destroy();
    browser.receive(&respond(session).await?);
    let stranger = sessions.open(&kept).await?;
    println!("  with a copy of the cookie: {}", stranger.name.as_deref().unwrap_or("no user"));
    Ok(())
}

/// The end of every request: `close` saves what was changed, and writes the
/// cookie into the headers of the response.
async fn respond(session: VisitorSession) -> Result<HeaderMap, cloakroom::Error> {
    let mut response = HeaderMap::new();
    session.close(&mut response).await?;
    Ok(response)
}

/// Plays the browser: carries the cookie from each response to the next request.
#[derive(Default)]
struct Browser {
    cookie: Option<HeaderValue>,
}

impl Browser {
    fn request(&self) -> HeaderMap {
        self.cookie.iter().map(|cookie| (COOKIE, cookie.clone())).collect()
    }

    fn receive(&mut self, response: &HeaderMap) {
        let Some(set_cookie) = response.get(SET_COOKIE) else {
            return println!("  the browser keeps what it has");
        };
        let text = set_cookie.to_str().unwrap_or_default();
        let (cookie, attributes) = text.split_once("; ").unwrap_or((text, ""));
        let name = cookie.split('=').next().unwrap_or_default();
        if attributes.contains("Max-Age=0") {
            println!("  the browser drops {name}");
            self.cookie = None;
        } else {
            println!("  the browser takes {name}");
            self.cookie = HeaderValue::from_str(cookie).ok();
        }
    }
}
