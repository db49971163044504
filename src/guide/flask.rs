//! Moving from Flask-Session, or sharing live sessions with a Flask application.
//!
//! Both applications stand behind one host name and use one store. A person who
//! is signed in at one is signed in at the other, with the same cookie and the same
//! record, so that routes can move from Flask to Rust one at a time.
//!
//! It works with Flask-Session 0.7 and newer, which write MessagePack or JSON, and
//! with the feature `flask` of this crate; `json` besides, for JSON. The formats were
//! measured on Flask-Session 0.8.0 with Flask 3.1.3.
//!
//! # A walk through it
//!
//! Redis runs on this machine at its usual port. The Flask application, `app.py`,
//! needs `pip install flask flask-session redis msgspec`:
//!
//! ```python
//! from flask import Flask, flash, session
//! from flask_session import Session
//!
//! app = Flask(__name__)
//! app.config["SESSION_TYPE"] = "redis"
//! app.config["SESSION_COOKIE_SECURE"] = False  # True wherever there is HTTPS
//! app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
//! app.config["SESSION_REFRESH_EACH_REQUEST"] = False
//! Session(app)
//!
//! @app.post("/flask/sign-in/<name>")
//! def sign_in(name):
//!     session["user"] = name
//!     session["theme"] = {"dark": True}
//!     app.session_interface.regenerate(session)
//!     flash("Welcome", "info")
//!     return ""
//!
//! @app.get("/flask/")
//! def show():
//!     return f"{dict(session)}\n"
//! ```
//!
//! The Rust application has the features `axum`, `flask` and `redis` of this crate:
//!
//! ```no_run
//! # #[cfg(all(feature = "axum", feature = "redis"))]
//! # mod application {
//! use axum::Router;
//! use axum::extract::Path;
//! use axum::routing::{get, post};
//! use cloakroom::flask::Flashes;
//! use cloakroom::{Config, Cookie, Flask, MessagePack, Redis, Renewal, Session, Unsigned, cookie_name};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! #[serde(default)] // Flask writes a field only once it has a value
//! struct Account {
//!     #[serde(skip_serializing_if = "Option::is_none")]
//!     user: Option<String>,
//!     #[serde(rename = "_flashes", skip_serializing_if = "Flashes::is_empty")]
//!     flashes: Flashes,
//! }
//!
//! type FlaskSession = Session<Redis, Flask<MessagePack<Account>>, Unsigned>;
//!
//! async fn show(mut session: FlaskSession) -> String {
//!     let messages = session.flashes.take();
//!     format!("{:?}, {messages:?}\n", session.user)
//! }
//!
//! async fn rename(mut session: FlaskSession, Path(name): Path<String>) {
//!     session.user = Some(name);
//! }
//!
//! async fn sign_out(mut session: FlaskSession) {
//!     session.destroy();
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let sessions = Config::flask_session()
//!         .store(Redis::local().await?)
//!         .data::<Account>()
//!         .renewal(Renewal::Never) // as SESSION_REFRESH_EACH_REQUEST = False
//!         .cookie(Cookie::unprefixed(cookie_name!("session")).insecure_for_development())
//!         .build();
//!     let app = Router::new()
//!         .route("/rust/", get(show))
//!         .route("/rust/rename/{name}", post(rename))
//!         .route("/rust/sign-out", post(sign_out))
//!         .layer(sessions.layer());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//! # }
//! ```
//!
//! With `flask --app app run --port 5000` and `cargo run` in two terminals, in a
//! third, where `curl` keeps one cookie for both:
//!
//! ```text
//! $ curl -c jar -b jar -X POST http://127.0.0.1:5000/flask/sign-in/ann
//! $ curl -c jar -b jar http://127.0.0.1:3000/rust/
//! Some("ann"), [("info", "Welcome")]
//! $ curl -c jar -b jar -X POST http://127.0.0.1:3000/rust/rename/anna
//! $ curl -c jar -b jar http://127.0.0.1:5000/flask/
//! {'_permanent': True, 'user': 'anna', 'theme': {'dark': True}}
//! $ curl -c jar -b jar -X POST http://127.0.0.1:3000/rust/sign-out
//! $ curl -c jar -b jar http://127.0.0.1:5000/flask/
//! {'_permanent': True}
//! ```
//!
//! The struct names `user` and the messages; `theme` is Flask's, and stays. The
//! last line is a new session, which Flask does not store while it is empty.
//!
//! # Settings
//!
//! `Config::flask_session()` begins with Flask-Session's defaults.
//!
//! | Flask and Flask-Session | here |
//! |---|---|
//! | `SESSION_TYPE` | the store, the first type parameter |
//! | `SESSION_SERIALIZATION_FORMAT` | `.data::<T>()` for `msgpack`, `.codec(Json::<T>::new())` for `json`; both sides must have the same |
//! | `SESSION_PERMANENT`, `session.permanent` | `.permanent(bool)`, `session.set_permanent(bool)`, `session.is_permanent()` |
//! | `SESSION_USE_SIGNER` and `SECRET_KEY` | `.signer(Itsdangerous::from_env("SECRET_KEY")?)`; both sides or none |
//! | `SECRET_KEY_FALLBACKS` | `Itsdangerous::accept_older`; Flask-Session 0.8 does not look at it |
//! | `SESSION_KEY_PREFIX` | `.key_prefix(KeyPrefix::new("session:")?)` |
//! | `SESSION_ID_LENGTH` | `.id_length(IdLength::new(32)?)`, from 16 to 64 |
//! | ids that are UUIDs, of old versions | `.accept_uuid_ids()`, on with `flask_session` |
//! | `SESSION_COOKIE_NAME` | `.cookie(Cookie::unprefixed(cookie_name!("session")))`; `Cookie::secure_prefixed` and `Cookie::host` write `__Secure-` and `__Host-` themselves |
//! | `SESSION_COOKIE_DOMAIN`, `_PATH` | `Cookie`'s `domain`, `path` |
//! | `SESSION_COOKIE_HTTPONLY = False` | `readable_by_scripts` |
//! | `SESSION_COOKIE_SECURE = False` | `insecure_for_development` |
//! | `SESSION_COOKIE_SAMESITE` | `same_site`, `same_site_none`, `without_same_site` for `None` |
//! | `SESSION_COOKIE_PARTITIONED` | `partitioned`; Flask-Session 0.8 does not look at it |
//! | `PERMANENT_SESSION_LIFETIME` | `.idle_timeout(Ttl::days(31))`, also the time in the store of a session that is not permanent; at most 400 days, see [below](#what-does-not-carry-over) |
//! | `SESSION_REFRESH_EACH_REQUEST` | `.renewal(Renewal::EveryRequest)`; for `False`, `Renewal::Never` |
//! | `SESSION_REDIS` | `Redis::connect(url)`, or `Redis::new` with a connection of your own |
//! | `SESSION_MEMCACHED` | `Memcached::connect(url)`, or `Memcached::new` with connections of your own; one server |
//! | `SESSION_MONGODB` | `MongoDb::connect(url)`, or `MongoDb::new(client)` |
//! | `SESSION_MONGODB_DB`, `_COLLECT` | its `.database("flask_session")?`, `.collection("sessions")?` |
//! | `SESSION_SQLALCHEMY` | `connect(url)` of `Postgres`, `MySql` or `Sqlite`, or `options().pool(pool)` |
//! | `SESSION_SQLALCHEMY_TABLE`, `_SCHEMA`, `_SEQUENCE` | `.table(..)`, `.schema(..)`, `.sequence(..)` of its `options()`; no schema with `Sqlite`, a sequence with `Postgres` only |
//! | `SESSION_SQLALCHEMY_BIND_KEY` | none: the URL or the pool is that of the database which is meant |
//! | `SESSION_CLEANUP_N_REQUESTS` | `sessions.sweep_every(Ttl::minutes(10))` where the server does not remove expired records: by time, not by requests |
//! | `SESSION_FILE_DIR`, `_THRESHOLD`, `_MODE`; `SESSION_CACHELIB` | none for shared sessions, see [below](#what-does-not-carry-over); `File::new(directory)`, `threshold`, `mode` for sessions of this program alone |
//! | `SESSION_DYNAMODB`, `_TABLE` | none: there is no such store |
//! | `session.regenerate` of the interface | `session.rotate()` |
//! | `flash`, `get_flashed_messages` | a field of type [`Flashes`](crate::flask::Flashes) |
//!
//! [`cloakroom::flask`](crate::flask) says which Rust types have the form of
//! Python's.
//!
//! # Who wins
//!
//! What this program writes is compared and swapped: a record that Flask wrote
//! meanwhile is merged, field by field: what this program did not change stays as
//! Flask wrote it, and of a field that both changed, this program's value is kept.
//! A session that ends here, because it was destroyed or holds nothing any more, takes
//! with it what Flask writes in that very moment.
//! Flask-Session itself writes what it has, no matter what is there:
//!
//! - A request in Flask that began before a change here, and saves after it, undoes
//!   the change.
//! - It also brings a session back that was signed out here meanwhile, under the old
//!   id. That is what it does to other requests of Flask, too.
//!
//! By default Flask writes at every request, even where nothing was changed.
//! `SESSION_REFRESH_EACH_REQUEST = False` leaves only the requests that change
//! something. Move the routes that run at the same time (polling, uploads), and
//! those that sign in and out, together.
//!
//! # What depends on the store
//!
//! - **Memcached**: by default the client `pymemcache` does not wait until the server
//!   has a record, so that the next request may come before it. Give Flask-Session
//!   `PooledClient((host, port), default_noreply=False)` as `SESSION_MEMCACHED`.
//! - **MongoDB**: Flask-Session does not look at a record's `expiration`. A session
//!   whose time is over has ended here at once, and there when the server has removed
//!   it, which it does once a minute. A request in Flask in between saves it again,
//!   for both.
//! - **MySQL and MariaDB**: the column that Flask-Session makes holds 64 KiB. A session
//!   that is longer is an error on either side, and the record stays as it was. Leave
//!   the server's `STRICT_TRANS_TABLES` on, as it is by default: without it, what Flask
//!   writes is cut off, and Flask-Session then takes it for a pickle. In the table that
//!   `migrate()` makes there is room for more, for Flask as well.
//! - In a table or a collection that Flask-Session made, `migrate()` adds indexes, and
//!   leaves sessions and columns as they are.
//!
//! # A fresh id
//!
//! [`Session::rotate`](crate::Session::rotate) writes the record under a fresh id,
//! and puts a note in the place of the old one: a map with `_permanent` alone, which
//! Flask-Session takes for an empty session. It counts for a minute, and is gone then,
//! unless requests here with the old ticket postpone its expiry (`EveryRequest`). The
//! note does not say where the session went, since Flask may show it to whoever holds
//! the old ticket. Therefore:
//!
//! - A logout that still carries the old ticket ends nothing; the browser forgets
//!   its cookie all the same. Without Flask, it would find the session.
//! - A request in Flask with the old ticket is anonymous. If it writes something,
//!   Flask makes a session of it under the old id, and answers with that ticket.
//!   For the same reason call `regenerate` in Flask after the user was put into
//!   the session, as above: for an empty session it does nothing.
//! - A request in Flask that had read the session before, and saves after it, brings
//!   the session back under the old id as well.
//!
//! `regenerate` in Flask removes the old record and leaves nothing. A ticket that is
//! worth nothing is therefore left alone here, as Flask leaves it: a fresh one may be
//! on its way.
//!
//! # What else to know about security
//!
//! - The cookie is neither `Secure` nor `SameSite` by default, as Flask's. Say
//!   `.cookie(Cookie::unprefixed(cookie_name!("session")))` here, and
//!   `SESSION_COOKIE_SECURE = True` and `SESSION_COOKIE_SAMESITE = "Lax"` there.
//! - Ids stand in the store as they are. Whoever reads the store has every ticket,
//!   unless cookies are signed.
//! - Flask-Session's signature is [`Itsdangerous`](crate::Itsdangerous), HMAC-SHA1.
//!   It does not cover the cookie's name.
//! - Flask-Session unpickles what it cannot decode, and a pickle runs code. What is
//!   written here always decodes there: data for which that cannot be promised are an
//!   error when they are saved. Whoever can write to the store can run code in Flask,
//!   so keep the store as closed as Flask itself.
//!
//! # What does not carry over
//!
//! - **Pickled records**, which Flask-Session wrote before 0.7, are never read here.
//!   They count as no session, stay as they are, and a warning says so. Flask-Session
//!   0.7 and 0.8 read them, and write them as MessagePack or JSON when they save the
//!   session: at its next request, unless `SESSION_REFRESH_EACH_REQUEST` is off.
//! - **The types `filesystem` and `cachelib`** pickle their files, and stay Flask's
//!   own. Change `SESSION_TYPE` first, which signs everybody out, once.
//! - **`dynamodb`** has no store here. [`Store`](crate::Store) is there to be
//!   implemented.
//! - **Lifetimes of more than 400 days** are refused where the `Ttl` is made. Browsers
//!   keep no cookie for longer (RFC 6265bis, section 5.5), so the record would only
//!   outlive its ticket.
//! - **The absolute timeout**: Flask's records do not say when a session began.
//!   `created_at()` and `expires_at()` are `None`.
//!
//! # Without Flask, at last
//!
//! Once no route is Flask's any more, `Config::new()` gives what Flask's format
//! cannot: hashed ids in the store, an absolute timeout, a `__Host-` cookie, and
//! signatures that cover its name. It reads none of Flask's records, so everybody
//! signs in once more.
