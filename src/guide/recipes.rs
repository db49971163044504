//! Recipes: ending all sessions of a user, several sessions in one application,
//! flash messages.
//!
//! # Ending all sessions of a user
//!
//! A changed password, "log out everywhere" or an administrator's block has to end
//! sessions of a user in browsers that are not asking right now. A store finds a
//! record by the ticket only, so sessions of a user are neither listed nor
//! searched for here. What ends them is a number that the application keeps for
//! each user, in its own database. The session holds the number that was current
//! at the sign-in, and an extractor compares the two:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "memory", feature = "postcard"))] {
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex, PoisonError};
//!
//! use axum::Router;
//! use axum::extract::{FromRequestParts, State};
//! use axum::response::{IntoResponse, Response};
//! use axum::routing::{get, post};
//! use cloakroom::{Config, HmacSha256, Memory, Postcard, SecretKey, Session};
//! use http::StatusCode;
//! use http::request::Parts;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Account {
//!     user: Option<SignedIn>,
//! }
//!
//! #[derive(Clone, Copy, Serialize, Deserialize)]
//! struct SignedIn {
//!     id: u64,
//!     /// The user's generation at the sign-in.
//!     generation: u32,
//! }
//!
//! type AccountSession = Session<Memory, Postcard<Account>, HmacSha256>;
//!
//! /// Stands for the application's database: `users.generation`.
//! #[derive(Clone, Default)]
//! struct Users(Arc<Mutex<HashMap<u64, u32>>>);
//!
//! impl Users {
//!     async fn generation(&self, id: u64) -> u32 {
//!         *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default()
//!     }
//!
//!     /// `UPDATE users SET generation = generation + 1 .. RETURNING generation`
//!     async fn begin_generation(&self, id: u64) -> u32 {
//!         let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
//!         let generation = generations.entry(id).or_default();
//!         *generation += 1;
//!         *generation
//!     }
//! }
//!
//! /// A user whose session has not been ended. Handlers that need one take this,
//! /// and not the session itself.
//! struct User {
//!     id: u64,
//!     session: AccountSession,
//! }
//!
//! impl FromRequestParts<Users> for User {
//!     type Rejection = Response;
//!
//!     async fn from_request_parts(parts: &mut Parts, users: &Users) -> Result<Self, Response> {
//!         let opened = AccountSession::from_request_parts(parts, users).await;
//!         let mut session = opened.map_err(IntoResponse::into_response)?;
//!         match session.user {
//!             None => Err(StatusCode::UNAUTHORIZED.into_response()),
//!             Some(user) if users.generation(user.id).await == user.generation => {
//!                 Ok(Self { id: user.id, session })
//!             }
//!             Some(_) => {
//!                 session.destroy(); // also when the response is an error
//!                 Err(StatusCode::UNAUTHORIZED.into_response())
//!             }
//!         }
//!     }
//! }
//!
//! async fn sign_in(State(users): State<Users>, mut session: AccountSession) {
//!     // A real application checks a password here, and reads the generation in the
//!     // query that reads the password's hash.
//!     let id = 7;
//!     session.user = Some(SignedIn { id, generation: users.generation(id).await });
//!     session.rotate();
//! }
//!
//! async fn show(user: User) -> String {
//!     format!("user {}", user.id)
//! }
//!
//! async fn change_password(State(users): State<Users>, user: User) {
//!     // In the transaction that writes the new hash.
//!     let generation = users.begin_generation(user.id).await;
//!     // Without these lines, the user would have to sign in again here as well.
//!     let User { id, mut session } = user;
//!     session.user = Some(SignedIn { id, generation });
//!     session.rotate();
//! }
//!
//! let sessions = Config::new()
//!     .store(Memory::new())
//!     .data::<Account>()
//!     .signed()
//!     .secret_key(SecretKey::generate()?)
//!     .build();
//! let app: Router = Router::new()
//!     .route("/", get(show))
//!     .route("/sign-in", post(sign_in))
//!     .route("/password", post(change_password))
//!     .layer(sessions.layer())
//!     .with_state(Users::default());
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! #     use axum::body::Body;
//! #     use http::Request;
//! #     use http::header::{COOKIE, SET_COOKIE};
//! #     use tower::ServiceExt as _;
//! #     let send = async |method: &str, path: &str, cookie: &str| {
//! #         let request = Request::builder().method(method).uri(path).header(COOKIE, cookie);
//! #         app.clone().oneshot(request.body(Body::empty())?).await.map_err(Box::<dyn std::error::Error>::from)
//! #     };
//! #     let cookie_of = |response: &Response| {
//! #         let set = response.headers().get(SET_COOKIE)?.to_str().ok()?;
//! #         set.split(';').next().map(str::to_owned)
//! #     };
//! #     let phone = cookie_of(&send("POST", "/sign-in", "").await?).ok_or("a cookie")?;
//! #     let laptop = cookie_of(&send("POST", "/sign-in", "").await?).ok_or("a cookie")?;
//! #     assert_eq!(send("GET", "/", &phone).await?.status(), 200);
//! #     let fresh = cookie_of(&send("POST", "/password", &laptop).await?).ok_or("a cookie")?;
//! #     assert_eq!(send("GET", "/", &fresh).await?.status(), 200);
//! #     assert_eq!(send("GET", "/", &laptop).await?.status(), 401);
//! #     assert_eq!(sessions.store().len(), 3, "the fresh one, where it came from, the phone's");
//! #     let ended = send("GET", "/", &phone).await?;
//! #     assert_eq!(ended.status(), 401);
//! #     assert!(cookie_of(&ended).ok_or("removed")?.ends_with('='));
//! #     assert_eq!(sessions.store().len(), 2, "the record was removed when it was seen");
//! #     Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - It costs one look-up in the application's own database for each request of a
//!   user, mostly in a query that is made anyway.
//! - A session counts as ended from the moment the number is changed; its record goes
//!   at its next request, or when it expires.
//! - A block is the same: one more column, one more condition.
//! - A time does as well, "not valid before": keep the time of the **sign-in** in the
//!   session data and compare that. [`created_at`](crate::Session::created_at) is when
//!   the session began, perhaps long before its user signed in, and `rotate` leaves it
//!   as it is. It fits where a session begins with the sign-in.
//! - Whoever wants to show a user the list of devices keeps it in that database, too:
//!   a row for each sign-in, its number in the session data, and the extractor looks
//!   for the row. Deleting the row ends the session.
//!
//! # Several sessions in one application
//!
//! A shop and its administration may have sessions of their own: other data, other
//! timeouts, another cookie. Each has a `Session` type, which the data tell apart,
//! and a layer:
//!
//! ```
//! # #[cfg(all(feature = "axum", feature = "memory", feature = "postcard"))] {
//! use axum::Router;
//! use axum::routing::{get, post};
//! use cloakroom::{
//!     Config, Cookie, HmacSha256, Memory, Postcard, SecretKey, Session, Ttl,
//!     cookie_name,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Cart {
//!     items: Vec<u32>,
//! }
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Admin {
//!     name: Option<String>,
//! }
//!
//! type CartSession = Session<Memory, Postcard<Cart>, HmacSha256>;
//! type AdminSession = Session<Memory, Postcard<Admin>, HmacSha256>;
//!
//! let key = SecretKey::generate()?; // `from_env` in production
//! let store = Memory::new(); // clones share the records
//! let carts = Config::new()
//!     .store(store.clone())
//!     .data::<Cart>()
//!     .signed()
//!     .secret_key(key.clone())
//!     .cookie(Cookie::host(cookie_name!("cart")))
//!     .build();
//! let admins = Config::new()
//!     .store(store)
//!     .data::<Admin>()
//!     .signed()
//!     .secret_key(key) // one key may sign for both
//!     .cookie(Cookie::host(cookie_name!("admin")))
//!     .idle_timeout(Ttl::minutes(15))
//!     .build();
//!
//! async fn add(mut cart: CartSession) -> Result<(), cloakroom::Error> {
//!     cart.update(|cart| cart.items.push(7)).await
//! }
//!
//! // A handler may take both.
//! async fn overview(admin: AdminSession, cart: CartSession) -> String {
//!     let name = admin.name.as_deref().unwrap_or("nobody");
//!     format!("{name}, {} items", cart.items.len())
//! }
//!
//! let app: Router = Router::new()
//!     .route("/add", post(add))
//!     .route("/admin", get(overview))
//!     .layer(admins.layer())
//!     .layer(carts.layer());
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! #     use tower::ServiceExt as _;
//! #     let body = axum::body::Body::empty;
//! #     let write = http::Request::builder().method("POST").uri("/add").body(body())?;
//! #     let written = app.clone().oneshot(write).await?;
//! #     let set = written.headers()["set-cookie"].to_str()?;
//! #     let pair = set.split(';').next().ok_or("a cookie")?.to_owned();
//! #     assert!(pair.starts_with("__Host-cart="));
//! #     let read = async |cookie: String| {
//! #         let read = http::Request::builder().uri("/admin").header("cookie", cookie);
//! #         let response = app.clone().oneshot(read.body(body())?).await?;
//! #         let body = axum::body::to_bytes(response.into_body(), 100).await?;
//! #         Ok::<_, Box<dyn std::error::Error>>(String::from_utf8(body.to_vec())?)
//! #     };
//! #     assert_eq!(read(pair.clone()).await?, "nobody, 1 items");
//! #     assert_eq!(read(pair.replace("cart", "admin")).await?, "nobody, 0 items");
//! #     Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - **A cookie name each**, or the two would take each other's ticket away.
//! - **One key may sign for both.** The tag covers the cookie's name, so the value of
//!   `__Host-cart` is refused under the name `__Host-admin`.
//! - **One store may serve both.** With hashed ids, the default, records of two cookies
//!   never share a key. Where ids are plain in the store
//!   ([`plain_ids_in_store`](crate::Config::plain_ids_in_store), and sessions that Flask
//!   shares), give each a [`key_prefix`](crate::Config::key_prefix) of its own: without
//!   signing, a ticket for one would otherwise open the record in the other.
//! - **Types of data each.** Of two layers for the same `Session` type, a handler gets
//!   the session of the inner one.
//!
//! # Flash messages
//!
//! A message that the next page shows once is a field:
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "postcard"))] {
//! # use cloakroom::{Config, Memory, Postcard, Session, Unsigned};
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! struct Account {
//!     user: Option<String>,
//!     flashes: Vec<String>,
//! }
//! # type AccountSession = Session<Memory, Postcard<Account>, Unsigned>;
//!
//! async fn save(mut session: AccountSession) {
//!     session.flashes.push("Saved.".to_owned());
//! }
//!
//! async fn page(mut session: AccountSession) -> String {
//!     std::mem::take(&mut session.flashes).join("\n")
//! }
//! # let _ = (save, page);
//! # }
//! ```
//!
//! A page without a message writes nothing, because nothing has changed. Where two
//! requests change the field at the same time, the later writer wins;
//! `session.update(|account| std::mem::take(&mut account.flashes)).await?` shows each
//! message once and loses none, if it is also `update` that adds them.
//!
//! **Together with a sign-out**, do not call [`destroy`](crate::Session::destroy),
//! after which nothing is saved, but begin anew under a fresh id:
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "postcard"))] {
//! # use cloakroom::{Config, Memory, Postcard, Session, Unsigned};
//! # #[derive(Default, serde::Serialize, serde::Deserialize)]
//! # struct Account {
//! #     user: Option<String>,
//! #     flashes: Vec<String>,
//! # }
//! # type AccountSession = Session<Memory, Postcard<Account>, Unsigned>;
//! fn sign_out(session: &mut AccountSession) {
//!     **session = Account::default();
//!     session.flashes.push("Goodbye.".to_owned());
//!     session.rotate();
//! }
//! # use http::HeaderMap;
//! # let with_cookie = |response: &HeaderMap| {
//! #     let set = response["set-cookie"].to_str().unwrap_or_default().to_owned();
//! #     let pair = set.split(';').next().unwrap_or_default().to_owned();
//! #     let cookie = http::HeaderValue::try_from(pair)?;
//! #     Ok::<_, http::header::InvalidHeaderValue>(HeaderMap::from_iter([(http::header::COOKIE, cookie)]))
//! # };
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! #     let sessions = Config::new().store(Memory::new()).data::<Account>().build();
//! #     let mut response = HeaderMap::new();
//! #     let mut session = sessions.open(&HeaderMap::new()).await?;
//! #     session.user = Some("ann".to_owned());
//! #     session.close(&mut response).await?;
//! #     let signed_in = with_cookie(&response)?;
//! #     let mut response = HeaderMap::new();
//! #     let mut session = sessions.open(&signed_in).await?;
//! #     assert_eq!(session.user.as_deref(), Some("ann"));
//! #     sign_out(&mut session);
//! #     session.close(&mut response).await?;
//! #     let fresh = with_cookie(&response)?;
//! #     assert_ne!(fresh, signed_in);
//! #     let after = sessions.open(&fresh).await?;
//! #     assert_eq!((after.user.as_deref(), &*after.flashes), (None, &["Goodbye.".to_owned()][..]));
//! #     let stolen = sessions.open(&signed_in).await?;
//! #     assert!(stolen.is_new() && stolen.user.is_none() && stolen.flashes.is_empty());
//! #     Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In a handler that has the session as `mut session`, the first line is
//! `*session = Account::default();`. The old ticket is worth nothing from then on.
//! Two things differ from `destroy`: the absolute timeout goes on from where it was,
//! and a field that another request fills in the very same moment may be merged in, if
//! this one found it at its default. So keep what says who is signed in, and what they
//! may do, in one field.
