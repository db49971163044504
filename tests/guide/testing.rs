//! The program of the page on testing.

// The page begins here.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use axum::routing::{get, post};
use cloakroom::{
    Clock, Config, HmacSha256, Memory, MessagePack, SecretKey, Session, Sessions, Store, Ttl,
    Writable,
};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _; // oneshot

#[derive(Default, Serialize, Deserialize)]
struct Account {
    user: Option<String>,
    notes: u32,
}

type AccountSessions<S> = Sessions<S, MessagePack<Account>, HmacSha256>;
type AccountSession<S> = Session<S, MessagePack<Account>, HmacSha256>;

async fn show<S: Store>(session: AccountSession<S>) -> String {
    let user = session.user.as_deref().unwrap_or("a visitor");
    format!("{user}, {} notes", session.notes)
}

async fn note<S: Writable>(mut session: AccountSession<S>) {
    session.notes += 1;
}

fn app<S: Writable>(sessions: &AccountSessions<S>) -> Router {
    Router::new().route("/", get(show::<S>)).route("/note", post(note::<S>)).layer(sessions.clone())
}

/// The settings that production and tests share.
fn sessions<S: Writable>(store: S, key: SecretKey, clock: Clock) -> AccountSessions<S> {
    Config::new()
        .store(store)
        .data::<Account>()
        .signed()
        .secret_key(key)
        .idle_timeout(Ttl::hours(2))
        .clock(clock)
        .build()
}

// The tests begin here: put `#[tokio::test]` over each.

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

async fn a_note_counts_for_the_user_who_wrote_it() -> Outcome {
    let sessions = sessions(Memory::new(), SecretKey::generate()?, Clock::system());
    let ann = signed_in(&sessions, "ann").await?;
    send(&sessions, "POST", "/note", &ann).await?;

    // What the page says, and what is in the session.
    let page = to_bytes(send(&sessions, "GET", "/", &ann).await?.into_body(), 1_000).await?;
    assert_eq!(page, "ann, 1 notes");
    assert_eq!(sessions.open(&ann).await?.notes, 1);
    Ok(())
}

async fn a_visitor_who_only_reads_gets_no_cookie() -> Outcome {
    let sessions = sessions(Memory::new(), SecretKey::generate()?, Clock::system());
    let response = send(&sessions, "GET", "/", &HeaderMap::new()).await?;
    assert!(!response.headers().contains_key(SET_COOKIE));
    assert!(sessions.store().is_empty());
    Ok(())
}

async fn a_session_ends_two_hours_after_its_last_use() -> Outcome {
    let clock = Clock::manual();
    let store = Memory::new().clock(clock.clone());
    let sessions = sessions(store, SecretKey::generate()?, clock.clone());
    let ann = signed_in(&sessions, "ann").await?;

    clock.advance(Duration::from_secs(2 * 60 * 60 - 1));
    assert_eq!(sessions.open(&ann).await?.user.as_deref(), Some("ann"));
    clock.advance(Duration::from_secs(1));
    assert!(sessions.open(&ann).await?.is_new());
    Ok(())
}

/// The headers of a user who is signed in, without a sign-in page.
async fn signed_in(sessions: &AccountSessions<Memory>, user: &str) -> Outcome<HeaderMap> {
    let mut response = HeaderMap::new();
    let mut session = sessions.open(&HeaderMap::new()).await?;
    session.user = Some(user.to_owned());
    session.close(&mut response).await?;

    let set_cookie = response.get(SET_COOKIE).ok_or("no cookie was set")?.to_str()?;
    let (cookie, _attributes) = set_cookie.split_once(';').ok_or("no attributes")?;
    Ok(HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie)?)]))
}

async fn send(
    sessions: &AccountSessions<Memory>,
    method: &str,
    path: &str,
    headers: &HeaderMap,
) -> Outcome<Response> {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty())?;
    request.headers_mut().extend(headers.clone());
    Ok(app(sessions).oneshot(request).await?)
}

// The page ends here.

#[tokio::test]
async fn the_tests_of_the_page_pass() -> Outcome {
    a_note_counts_for_the_user_who_wrote_it().await?;
    a_visitor_who_only_reads_gets_no_cookie().await?;
    a_session_ends_two_hours_after_its_last_use().await
}
