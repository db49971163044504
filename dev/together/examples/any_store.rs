//! One application, and any store: it counts visits, and signs people in and out.
//!
//! ```text
//! cargo run -p cloakroom-together --example any_store
//! cargo run -p cloakroom-together --example any_store --features redis -- redis
//! ```
//!
//! Then open <http://127.0.0.1:3000>. The first argument is the store. Its server
//! is on this machine, unless a variable such as `REDIS_URL` says where it is.
//! A second argument is another address to listen on.

use std::env;
use std::error::Error;

use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use cloakroom::{
    Config, Cookie, MessagePack, Session, Sessions, Ttl, Unsigned, Writable, cookie_name,
};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

type Outcome = Result<(), Box<dyn Error>>;

/// The stores, and whether this program was built with them.
const STORES: &[(&str, bool)] = &[
    ("memory", true),
    ("file", cfg!(feature = "file")),
    ("memcached", cfg!(feature = "memcached")),
    ("mongodb", cfg!(feature = "mongodb")),
    ("mysql", cfg!(feature = "mysql")),
    ("postgres", cfg!(feature = "postgres")),
    ("redis", cfg!(feature = "redis")),
    ("sqlite", cfg!(feature = "sqlite")),
];

/// Connects to where a variable says, or to the server on this machine.
#[allow(unused_macros, reason = "the stores without a server do not connect")]
macro_rules! connect {
    ($store:ty, $variable:literal) => {
        match env::var($variable) {
            Ok(url) => <$store>::connect(&url).await?,
            Err(_) => <$store>::local().await?,
        }
    };
}

#[tokio::main]
async fn main() -> Outcome {
    // The log goes to the terminal. It has the cause of every 500 and 503, whose
    // responses say nothing.
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();

    // Here is all that depends on the store.
    match env::args().nth(1).as_deref() {
        None | Some("memory") => serve(sessions(cloakroom::Memory::new())).await,

        #[cfg(feature = "file")]
        Some("file") => {
            let sessions = sessions(cloakroom::File::new("sessions")?);
            let _sweeper = sessions.sweep_every(Ttl::minutes(10));
            serve(sessions).await
        }

        #[cfg(feature = "memcached")]
        Some("memcached") => {
            serve(sessions(connect!(cloakroom_memcached::Memcached, "MEMCACHED_URL"))).await
        }

        #[cfg(feature = "mongodb")]
        Some("mongodb") => {
            let store = connect!(cloakroom_mongodb::MongoDb, "MONGODB_URL");
            store.migrate().await?;
            serve(sessions(store)).await
        }

        #[cfg(feature = "mysql")]
        Some("mysql") => {
            let store = connect!(cloakroom_sqlx::MySql, "MYSQL_URL");
            store.migrate().await?;
            let sessions = sessions(store);
            let _sweeper = sessions.sweep_every(Ttl::minutes(10));
            serve(sessions).await
        }

        #[cfg(feature = "postgres")]
        Some("postgres") => {
            let store = connect!(cloakroom_sqlx::Postgres, "POSTGRES_URL");
            store.migrate().await?;
            let sessions = sessions(store);
            let _sweeper = sessions.sweep_every(Ttl::minutes(10));
            serve(sessions).await
        }

        #[cfg(feature = "redis")]
        Some("redis") => serve(sessions(connect!(cloakroom_redis::Redis, "REDIS_URL"))).await,

        #[cfg(feature = "sqlite")]
        Some("sqlite") => {
            let store = connect!(cloakroom_sqlx::Sqlite, "SQLITE_URL");
            store.migrate().await?;
            let sessions = sessions(store);
            let _sweeper = sessions.sweep_every(Ttl::minutes(10));
            serve(sessions).await
        }

        Some(name) => Err(unknown(name).into()),
    }
}

fn unknown(name: &str) -> String {
    if STORES.iter().any(|(store, _)| *store == name) {
        return format!(
            "this program was built without {name}: \
             cargo run -p cloakroom-together --example any_store --features {name} -- {name}"
        );
    }
    let names: Vec<_> = STORES.iter().map(|(store, _)| *store).collect();
    format!("there is no store {name}; there are {}", names.join(", "))
}

/// What the server remembers about a visitor.
#[derive(Default, Serialize, Deserialize)]
struct Visitor {
    visits: u64,
    name: Option<String>,
}

type VisitorSession<S> = Session<S, MessagePack<Visitor>, Unsigned>;

fn sessions<S: Writable>(store: S) -> Sessions<S, MessagePack<Visitor>, Unsigned> {
    // `Secure` is dropped because this example speaks plain HTTP.
    let cookie = Cookie::unprefixed(cookie_name!("any_store")).insecure_for_development();
    Config::new().store(store).data::<Visitor>().cookie(cookie).idle_timeout(Ttl::hours(2)).build()
}

async fn serve<S: Writable>(sessions: Sessions<S, MessagePack<Visitor>, Unsigned>) -> Outcome {
    let app = Router::new()
        .route("/", get(home::<S>))
        .route("/sign-in", post(sign_in::<S>))
        .route("/sign-out", post(sign_out::<S>))
        .layer(sessions.layer());

    let address = env::args().nth(2).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(&address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}"))?;
    println!("open http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn home<S: Writable>(
    mut session: VisitorSession<S>,
) -> Result<Html<String>, cloakroom::Error> {
    session.update(|visitor| visitor.visits += 1).await?;
    Ok(page(&session))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

/// A real application checks a password here.
async fn sign_in<S: Writable>(
    mut session: VisitorSession<S>,
    Form(form): Form<SignIn>,
) -> Redirect {
    session.name = Some(form.name.chars().take(40).collect());
    session.rotate();
    Redirect::to("/")
}

async fn sign_out<S: Writable>(mut session: VisitorSession<S>) -> Redirect {
    session.destroy();
    Redirect::to("/")
}

fn page(visitor: &Visitor) -> Html<String> {
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
    Html(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8">
        <meta name="viewport" content="width=device-width"><title>Any store · cloakroom</title>
        <link rel="icon" href="data:,">
        <p>Visits: <strong>{}</strong></p>{account}</html>"#,
        visitor.visits
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
