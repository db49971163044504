//! A small shop: it counts visits, keeps a cart, and signs people in and out.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! Then open <http://127.0.0.1:3000>. An argument names another address:
//! `cargo run --example quickstart 127.0.0.1:8080`.

use std::collections::BTreeMap;
use std::error::Error;

use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use cloakroom::{
    Config, Cookie, HmacSha256, Memory, MessagePack, SecretKey, Session, Sessions, Ttl, cookie_name,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// What the server remembers about a visitor: any struct that is `Default`,
/// `Serialize` and `Deserialize`.
#[derive(Default, Serialize, Deserialize)]
struct Visitor {
    visits: u64,
    name: Option<String>,
    cart: BTreeMap<Item, u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Item {
    Coat,
    Scarf,
    Umbrella,
}

/// Where sessions are kept, how they are encoded, how the cookie is protected.
type VisitorSession = Session<Memory, MessagePack<Visitor>, HmacSha256>;
type VisitorSessions = Sessions<Memory, MessagePack<Visitor>, HmacSha256>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The log goes to the terminal. It has the cause of every 500 and 503, whose
    // responses say nothing.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();

    // `Secure` is dropped because this example speaks plain HTTP. Without the
    // line, the cookie is `__Host-id`, which browsers send over HTTPS only.
    let cookie = Cookie::unprefixed(cookie_name!("quickstart")).insecure_for_development();

    // The type is written down, so that a configuration for other sessions than
    // those that the handlers take does not compile.
    let sessions: VisitorSessions = Config::new()
        .store(Memory::new())
        .data::<Visitor>()
        .signed()
        .secret_key(SecretKey::generate()?)
        .cookie(cookie)
        .idle_timeout(Ttl::hours(2))
        .build();

    // What a visitor decides is a POST: the cookie is `SameSite=Lax`, so a form
    // that another site sends here comes without it.
    let app = Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/shop", get(shop))
        .route("/shop/add", post(add))
        .route("/shop/remove", post(remove))
        .layer(sessions.layer());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// `update` changes the session in one atomic step, so that two requests at the
/// same time count as two.
async fn home(mut session: VisitorSession) -> Result<Html<String>, cloakroom::Error> {
    session.update(|visitor| visitor.visits += 1).await?;
    Ok(home_page(&session))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

/// A real application checks a password here.
async fn sign_in(mut session: VisitorSession, Form(form): Form<SignIn>) -> Redirect {
    let name: String = form.name.trim().chars().take(40).collect();
    if !name.is_empty() {
        // The session is its data: change a field, and the layer saves it.
        session.name = Some(name);
        // A fresh id, and a new absolute end: an id that an attacker planted in this
        // browser before is dead now.
        session.sign_in();
    }
    Redirect::to("/")
}

async fn sign_out(mut session: VisitorSession) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

async fn shop(session: VisitorSession) -> Html<String> {
    shop_page(&session)
}

#[derive(Deserialize)]
struct Choice {
    item: Item,
}

/// What the cart holds depends on what it held before: `update`, again.
async fn add(
    mut session: VisitorSession,
    Form(choice): Form<Choice>,
) -> Result<Redirect, cloakroom::Error> {
    session.update(|visitor| *visitor.cart.entry(choice.item).or_default() += 1).await?;
    Ok(Redirect::to("/shop"))
}

async fn remove(
    mut session: VisitorSession,
    Form(choice): Form<Choice>,
) -> Result<Redirect, cloakroom::Error> {
    session.update(|visitor| visitor.cart.remove(&choice.item)).await?;
    Ok(Redirect::to("/shop"))
}

fn home_page(visitor: &Visitor) -> Html<String> {
    let visits = match visitor.visits {
        1 => "This is your first visit.".to_owned(),
        n => format!("You have opened this page <strong>{n}</strong> times."),
    };
    let account = match &visitor.name {
        Some(name) => format!(
            r#"<p>Signed in as <strong>{}</strong>.</p>
            <form method="post" action="/sign-out"><button>Sign out</button></form>"#,
            escape(name)
        ),
        None => r#"<form method="post" action="/sign-in">
            <input name="name" aria-label="Your name" placeholder="Your name" maxlength="40" required>
            <button>Sign in</button></form>"#
            .to_owned(),
    };
    page(visitor, "Welcome", &format!("<p>{visits}</p>{account}"))
}

fn shop_page(visitor: &Visitor) -> Html<String> {
    let row = |item: Item, note: String, action: &str| {
        format!(
            r#"<li><span>{item:?}{note}</span><form method="post" action="/shop/{action}">
            <button name="item" value="{item:?}">{action}</button></form></li>"#
        )
    };
    let shelf: String = [Item::Coat, Item::Scarf, Item::Umbrella]
        .map(|item| row(item, String::new(), "add"))
        .concat();
    let cart: String =
        visitor.cart.iter().map(|(&item, n)| row(item, format!(" × {n}"), "remove")).collect();
    let cart = if cart.is_empty() { "<li>Nothing yet.</li>" } else { &cart };
    page(visitor, "Shop", &format!("<ul>{shelf}</ul><h2>Your cart</h2><ul>{cart}</ul>"))
}

fn page(visitor: &Visitor, title: &str, body: &str) -> Html<String> {
    let in_cart: u32 = visitor.cart.values().sum();
    Html(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8">
        <meta name="viewport" content="width=device-width"><title>{title} · cloakroom</title>
        <link rel="icon" href="data:,"><style>{STYLE}</style>
        <nav><a href="/">Home</a><a href="/shop">Shop ({in_cart})</a></nav>
        <main><h1>{title}</h1>{body}</main></html>"#
    ))
}

/// Text that is safe between tags and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

const STYLE: &str = "
    body { font: 1.05rem/1.6 system-ui, sans-serif; color: #2b2622; background: #f7f4ef;
           max-width: 30rem; margin: 3rem auto; padding: 0 1rem }
    nav { display: flex; gap: 1.5rem; margin-bottom: 1rem }
    a { color: #7a2e3a }
    main { background: #fff; padding: 1.5rem 2rem; border-radius: .75rem; box-shadow: 0 1px 6px #0002 }
    h1 { margin: 0 0 .5rem; font-size: 1.6rem } h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem }
    ul { list-style: none; padding: 0; margin: 0 }
    li { display: flex; justify-content: space-between; align-items: center; padding: .4rem 0; border-bottom: 1px solid #eee }
    button { font: inherit; color: #fff; background: #7a2e3a; border: 0; border-radius: .4rem;
             padding: .2rem .9rem; cursor: pointer }
    button::first-letter { text-transform: uppercase }
    input { font: inherit; padding: .2rem .6rem; border: 1px solid #bbb; border-radius: .4rem }
";
