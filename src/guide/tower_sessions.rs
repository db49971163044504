//! Coming from tower-sessions.
//!
//! What is said here about tower-sessions was read in the source of its version 0.15,
//! and of its own memory store.
//!
//! There a session is a map from names to JSON values, which a handler reads and writes
//! by awaiting. Here it is a struct of yours, which was read when the handler began and
//! is saved when the response is ready. The rest follows from that.
//!
//! # In a handler
//!
//! ```text
//! // tower-sessions
//! async fn visit(session: Session) -> Result<String, session::Error> {
//!     let visits: u32 = session.get("visits").await?.unwrap_or_default();
//!     session.insert("visits", visits + 1).await?;
//!     Ok(format!("visit {}", visits + 1))
//! }
//! ```
//!
//! ```
//! # #[cfg(all(feature = "memory", feature = "messagepack"))] {
//! # use cloakroom::{Memory, MessagePack, Session, Unsigned};
//! #[derive(Default, serde::Serialize, serde::Deserialize)]
//! struct Account {
//!     visits: u32,
//!     user: Option<u64>,
//! }
//!
//! type AccountSession = Session<Memory, MessagePack<Account>, Unsigned>;
//!
//! async fn visit(mut session: AccountSession) -> Result<String, cloakroom::Error> {
//!     let visits = session
//!         .update(|account| {
//!             account.visits += 1;
//!             account.visits
//!         })
//!         .await?;
//!     Ok(format!("visit {visits}"))
//! }
//! # let _ = visit;
//! # }
//! ```
//!
//! | tower-sessions | here |
//! |---|---|
//! | `get::<u64>("user").await?` | `session.user` |
//! | `insert("user", 7).await?` | `session.user = Some(7)` |
//! | `remove::<u64>("user").await?` | `session.user.take()` |
//! | `get`, then `insert` of what depends on it | `session.update(..).await?`, one atomic step |
//! | `cycle_id().await?` | `session.rotate()` |
//! | `flush().await?` | `session.destroy()` |
//! | `flush().await?`, then `insert(..)` | `*session = Account::default();`, then `session.rotate()` and the new values |
//! | `clear().await` | `*session = Account::default()` |
//! | `delete().await?` | `session.destroy()`, then `session.save().await?` to do it at once |
//! | `save().await?` | `session.save().await?`; not needed under the layer, there or here |
//! | `load().await?` | none: the session was loaded when the handler took it; `update` reads the newest version |
//! | `id()` | `session.id()` |
//! | `is_empty().await` | `session.is_new()` for "nothing is stored" |
//! | `is_modified()` | none: the encoded bytes are compared, so a value that was written and is the same as before writes nothing |
//! | `expiry_date()` | `session.expires_at()` |
//! | `set_expiry(..)` | none, see [below](#what-is-not-there) |
//!
//! # The layer
//!
//! | `SessionManagerLayer` | `Config` |
//! |---|---|
//! | `new(store)` | `.store(store).data::<Account>()` |
//! | `with_name("id")`, the default | `.cookie(Cookie::host(cookie_name!("id")))`, the default; it is `__Host-id` in the browser |
//! | `with_same_site(..)`; `Strict` by default | `Cookie`'s `same_site`; `Lax` by default |
//! | `with_secure(false)` | `Cookie`'s `insecure_for_development` |
//! | `with_http_only(false)` | `Cookie`'s `readable_by_scripts` |
//! | `with_path`, `with_domain` | `path`, `domain` of `Cookie::unprefixed(..)` |
//! | `with_signed(key)` | `.signed().secret_key(key)` |
//! | `with_private(key)` | `.signed()`: the cookie holds a random id and nothing that is worth encrypting |
//! | `Expiry::OnInactivity(time)` | `.idle_timeout(Ttl)` |
//! | `Expiry::OnSessionEnd`, the default, with two weeks in the store | `.permanent(false).idle_timeout(Ttl::days(14))` |
//! | `Expiry::AtDateTime(..)` | none; `.absolute_timeout(Ttl)` counts from the session's beginning |
//! | `with_always_save(true)` | `.renewal(Renewal::EveryRequest)` |
//!
//! **Inactivity is counted differently.** There, unless `with_always_save` is on, only a
//! request that changes the session postpones its end. Here, any request that takes the
//! session does, once less than 80 % of the time is left
//! ([`renewal`](crate::Config::renewal)). Both defaults differ as well: 31 days from the
//! last use and 400 days in all, and a cookie that outlives the browser.
//!
//! # What is different
//!
//! - **One `Session` for a request**, and no clone of it. A second one is an error while
//!   the first one lives: let a middleware drop it before it calls the handler. An
//!   extractor of your own calls [`Session::read`](crate::Session::read), and
//!   `Session::of_request` takes the session from a request, in whatever task. What goes on
//!   after the response calls [`detach`](crate::Session::detach).
//! - **Changes at the same time.** There, a request saves the whole map, and the later one
//!   wins. Here, changes to different fields are merged; of two to the same field, the
//!   later one wins, unless they are made by `update`.
//! - **After a sign-out.** There, a request that began before `flush` and saves after it
//!   writes the record again, with the memory store and with any other whose `save`
//!   inserts. Here, a record that is gone stays gone.
//! - **`rotate` and `destroy` are not async** and cannot fail where they are called. They
//!   are carried out when the response is ready; if the store fails then, the response
//!   becomes a 503.
//! - **A response that is a server error** saves nothing, there and here; `destroy` is
//!   carried out all the same.
//! - **Ids** have 256 random bits instead of 128, and the store sees their SHA-256.
//! - **Values of any type under any name** are fields of the struct, known beforehand.
//!   Parts of an application that must not know each other's fields get a field each, of a
//!   type of their own, or a [session of their own](super::recipes).
//! - **Errors of the store** are a typed [`Error`](crate::Error), with axum a response.
//!
//! # What is not there
//!
//! - **A lifetime for each session** (`set_expiry`). A session can only say whether its
//!   cookie outlives the browser, with `set_permanent`: "keep me signed in". For
//!   anything shorter, keep a time in the data and compare it in an extractor, as the
//!   [recipe](super::recipes#ending-all-sessions-of-a-user) for ending sessions does
//!   with a number.
//! - **Deleting or loading a session by its id**, from outside a request (`SessionStore`'s
//!   `delete` and `load`). That recipe is the way to end sessions of somebody else.
//! - **`axum-login`** builds on tower-sessions. Here the user is a field, and an extractor
//!   of yours says who may go on.
//! - **`continuously_delete_expired`** is `sessions.sweep_every(..)`, which goes on after
//!   an error, and stops when what it returns is dropped.
//!
//! # Stores
//!
//! | there | here |
//! |---|---|
//! | `MemoryStore` | `Memory`, which is bounded and removes what has expired |
//! | `tower-sessions-redis-store` | `Redis`, also for a cluster |
//! | `tower-sessions-sqlx-store` | `Postgres`, `MySql`, `Sqlite`; in another table |
//! | `tower-sessions-rusqlite-store`, `tower-sessions-libsql-store` | `Sqlite` |
//! | `tower-sessions-mongodb-store` | `MongoDb` |
//! | `tower-sessions-file-store` | `File` |
//! | `CachingSessionStore` and `tower-sessions-moka-store` | `NearCache<Redis>`, which hears from the server when a session changes elsewhere |
//! | none named in its documentation | `Memcached` |
//! | `tower-sessions-dynamodb-store`, `-firestore-store`, `-sled-store`, `-surrealdb-store` | none; [`Store`](crate::Store) is a trait with four operations |
//!
//! # Moving
//!
//! Records of the one are not read by the other, so everybody signs in once more. To
//! spare them that, run both layers for a while: the cookies have different names by
//! default. A handler takes both sessions, and where this one is new and the other one
//! has a user, it puts the user here, calls `rotate`, and flushes the other one.
