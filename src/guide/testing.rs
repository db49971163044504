//! Testing an application that has sessions.
//!
//! Its tests need no server: a session lives in [`Memory`](crate::Memory), its time is
//! moved by hand, and the cookie of somebody who is signed in is made by
//! [`open`](crate::Sessions::open) and [`close`](crate::Session::close).
//!
//! # A router for any store
//!
//! In production the sessions are in Redis, say, and in tests in memory. The store is
//! a type, so the router is generic over it:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "memory", feature = "messagepack"))] {
//! use axum::Router;
//! use axum::routing::{get, post};
//! use cloakroom::{
//!     Clock, Config, HmacSha256, MessagePack, SecretKey, Session, Sessions, Store, Ttl, Writable,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Account {
//!     user: Option<String>,
//!     notes: u32,
//! }
//!
//! type AccountSessions<S> = Sessions<S, MessagePack<Account>, HmacSha256>;
//! type AccountSession<S> = Session<S, MessagePack<Account>, HmacSha256>;
//!
//! async fn show<S: Store>(session: AccountSession<S>) -> String {
//!     let user = session.user.as_deref().unwrap_or("nobody");
//!     format!("{user}, {} notes", session.notes)
//! }
//!
//! async fn note<S: Writable>(mut session: AccountSession<S>) {
//!     session.notes += 1;
//! }
//!
//! fn app<S: Writable>(sessions: &AccountSessions<S>) -> Router {
//!     Router::new()
//!         .route("/", get(show::<S>))
//!         .route("/note", post(note::<S>))
//!         .layer(sessions.layer())
//! }
//!
//! /// The settings that production and tests share.
//! fn sessions<S: Writable>(store: S, key: SecretKey, clock: Clock) -> AccountSessions<S> {
//!     Config::new()
//!         .store(store)
//!         .data::<Account>()
//!         .signed()
//!         .secret_key(key)
//!         .idle_timeout(Ttl::hours(2))
//!         .clock(clock)
//!         .build()
//! }
//! # let _ = app::<cloakroom::Memory>;
//! # let _ = sessions::<cloakroom::Memory>;
//! # }
//! ```
//!
//! `main` calls `app(&sessions(Redis::connect(url).await?, key, Clock::system()))`.
//! `Writable` says that a session in this store can be changed; reading needs `Store`
//! only.
//!
//! # The tests
//!
//! These three go on with the code above. Put `#[tokio::test]` over each.
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "memory", feature = "messagepack"))] {
//! # use axum::Router;
//! # use axum::routing::{get, post};
//! # use cloakroom::{Config, HmacSha256, MessagePack, Session, Sessions, Store, Ttl, Writable};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Default, Serialize, Deserialize)]
//! # struct Account { user: Option<String>, notes: u32 }
//! # type AccountSessions<S> = Sessions<S, MessagePack<Account>, HmacSha256>;
//! # type AccountSession<S> = Session<S, MessagePack<Account>, HmacSha256>;
//! # async fn show<S: Store>(session: AccountSession<S>) -> String {
//! #     let user = session.user.as_deref().unwrap_or("nobody");
//! #     format!("{user}, {} notes", session.notes)
//! # }
//! # async fn note<S: Writable>(mut session: AccountSession<S>) {
//! #     session.notes += 1;
//! # }
//! # fn app<S: Writable>(sessions: &AccountSessions<S>) -> Router {
//! #     Router::new()
//! #         .route("/", get(show::<S>))
//! #         .route("/note", post(note::<S>))
//! #         .layer(sessions.layer())
//! # }
//! # fn sessions<S: Writable>(store: S, key: SecretKey, clock: Clock) -> AccountSessions<S> {
//! #     Config::new()
//! #         .store(store)
//! #         .data::<Account>()
//! #         .signed()
//! #         .secret_key(key)
//! #         .idle_timeout(Ttl::hours(2))
//! #         .clock(clock)
//! #         .build()
//! # }
//! use std::error::Error;
//! use std::time::Duration;
//!
//! use axum::body::{Body, to_bytes};
//! use axum::response::Response;
//! use cloakroom::{Clock, Memory, SecretKey};
//! use http::header::{COOKIE, SET_COOKIE};
//! use http::{HeaderMap, HeaderValue, Request};
//! use tower::ServiceExt as _; // oneshot
//!
//! type Outcome<T = ()> = Result<T, Box<dyn Error>>;
//!
//! async fn a_note_is_counted_for_who_wrote_it() -> Outcome {
//!     let sessions = sessions(Memory::new(), SecretKey::generate()?, Clock::system());
//!     let ann = signed_in(&sessions, "ann").await?;
//!     send(&sessions, "POST", "/note", &ann).await?;
//!
//!     // What the page says, and what is in the session.
//!     let page = to_bytes(send(&sessions, "GET", "/", &ann).await?.into_body(), 1_000).await?;
//!     assert_eq!(page, "ann, 1 notes");
//!     assert_eq!(sessions.open(&ann).await?.notes, 1);
//!     Ok(())
//! }
//!
//! async fn a_visitor_who_only_reads_gets_no_cookie() -> Outcome {
//!     let sessions = sessions(Memory::new(), SecretKey::generate()?, Clock::system());
//!     let response = send(&sessions, "GET", "/", &HeaderMap::new()).await?;
//!     assert!(!response.headers().contains_key(SET_COOKIE));
//!     assert!(sessions.store().is_empty());
//!     Ok(())
//! }
//!
//! async fn a_session_ends_two_hours_after_its_last_use() -> Outcome {
//!     let clock = Clock::manual();
//!     let store = Memory::new().clock(clock.clone());
//!     let sessions = sessions(store, SecretKey::generate()?, clock.clone());
//!     let ann = signed_in(&sessions, "ann").await?;
//!
//!     clock.advance(Duration::from_secs(2 * 60 * 60 - 1));
//!     assert_eq!(sessions.open(&ann).await?.user.as_deref(), Some("ann"));
//!     clock.advance(Duration::from_secs(1));
//!     assert!(sessions.open(&ann).await?.is_new());
//!     Ok(())
//! }
//!
//! /// The headers of somebody who is signed in, without a sign-in page.
//! async fn signed_in(sessions: &AccountSessions<Memory>, user: &str) -> Outcome<HeaderMap> {
//!     let mut response = HeaderMap::new();
//!     let mut session = sessions.open(&HeaderMap::new()).await?;
//!     session.user = Some(user.to_owned());
//!     session.close(&mut response).await?;
//!
//!     let set_cookie = response.get(SET_COOKIE).ok_or("no cookie was set")?.to_str()?;
//!     let (cookie, _attributes) = set_cookie.split_once(';').ok_or("no attributes")?;
//!     Ok(HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookie)?)]))
//! }
//!
//! async fn send(
//!     sessions: &AccountSessions<Memory>,
//!     method: &str,
//!     path: &str,
//!     headers: &HeaderMap,
//! ) -> Outcome<Response> {
//!     let mut request = Request::builder().method(method).uri(path).body(Body::empty())?;
//!     request.headers_mut().extend(headers.clone());
//!     Ok(app(sessions).oneshot(request).await?)
//! }
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! #     a_note_is_counted_for_who_wrote_it().await?;
//! #     a_visitor_who_only_reads_gets_no_cookie().await?;
//! #     a_session_ends_two_hours_after_its_last_use().await
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - After a response, the browser's cookie is the one that it set, if it set any:
//!   `rotate` gives another. A test that signs in through the page takes the cookie
//!   from that response as `signed_in` does.
//! - A session that a test opens and drops is not saved: only `close` saves, or the
//!   layer. So a handler that is called as a function, with a session of
//!   `sessions.open(..)`, leaves nothing in the store.
//! - What depends on the data alone needs no session in its test: a function that
//!   takes `&mut Account` is called with `&mut session` as well.
//! - The store and the configuration need clones of the same manual clock. The clocks of
//!   servers cannot be moved: try their sessions with short timeouts instead.
//!
//! # A type alias instead
//!
//! Handlers of a program that has its tests inside, below `#[cfg(test)]`, need no type
//! parameter. The alias names another store there:
//!
//! ```
//! # #[cfg(all(unix, feature = "file", feature = "memory", feature = "messagepack"))] {
//! # use cloakroom::{HmacSha256, MessagePack, Session};
//! #[cfg(not(test))]
//! type Store = cloakroom::File;
//! #[cfg(test)]
//! type Store = cloakroom::Memory;
//!
//! # #[derive(Default, serde::Serialize, serde::Deserialize)]
//! # struct Account { notes: u32 }
//! type AccountSession = Session<Store, MessagePack<Account>, HmacSha256>;
//!
//! async fn note(mut session: AccountSession) {
//!     session.notes += 1;
//! }
//! # let _ = note;
//! # }
//! ```
//!
//! Tests in the folder `tests/` are programs of their own, for which `cfg(test)` does
//! not hold in the library that they use. They need the generic router.
//!
//! # A store of your own
//!
//! It has tests of its own, one for each rule that a store keeps: the module `contract`,
//! behind the feature of that name.
