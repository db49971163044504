//! The recipe for ending all sessions of a user.

// The page begins here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cloakroom::{HmacSha256, Memory, MessagePack, Session, Sessions};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Account {
    user: Option<SignedIn>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct SignedIn {
    id: u64,
    /// The user's generation at the sign-in.
    generation: u32,
}

type AccountSession = Session<Memory, MessagePack<Account>, HmacSha256>;
type AccountSessions = Sessions<Memory, MessagePack<Account>, HmacSha256>;

/// Stands for the application's database: `users.generation`.
#[derive(Clone, Default)]
struct Users(Arc<Mutex<HashMap<u64, u32>>>);

impl Users {
    async fn generation(&self, id: u64) -> u32 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default()
    }

    /// `UPDATE users SET generation = generation + 1 .. RETURNING generation`
    async fn begin_generation(&self, id: u64) -> u32 {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = generations.entry(id).or_default();
        *generation += 1;
        *generation
    }
}

/// A user whose session has not been ended. A handler that needs one takes it before the
/// session.
struct User {
    id: u64,
}

impl FromRequestParts<Users> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, users: &Users) -> Result<Self, Response> {
        let found = AccountSession::read(parts, |account| account.user).await;
        let found = found.map_err(IntoResponse::into_response)?;
        let unauthorized = || StatusCode::UNAUTHORIZED.into_response();
        let user = found.ok_or_else(unauthorized)?;
        if users.generation(user.id).await != user.generation {
            let session = AccountSession::of_request(parts).await;
            session.map_err(IntoResponse::into_response)?.destroy();
            return Err(unauthorized());
        }
        Ok(Self { id: user.id })
    }
}

/// A real application checks a password here, and reads the generation in the query that
/// reads the password's hash.
async fn sign_in(State(users): State<Users>, mut session: AccountSession) {
    let id = 7;
    session.user = Some(SignedIn { id, generation: users.generation(id).await });
    session.sign_in();
}

async fn show(user: User) -> String {
    format!("user {}", user.id)
}

async fn change_password(State(users): State<Users>, user: User, mut session: AccountSession) {
    // In the transaction that writes the new hash.
    let generation = users.begin_generation(user.id).await;
    // Without these lines, the user would have to sign in again here as well.
    session.user = Some(SignedIn { id: user.id, generation });
    session.rotate();
}

fn app(sessions: &AccountSessions, users: Users) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/sign-in", post(sign_in))
        .route("/password", post(change_password))
        .layer(sessions.clone())
        .with_state(users)
}

// The page ends here.

mod tests {
    use axum::body::Body;
    use cloakroom::{Config, SecretKey};
    use http::Request;
    use http::header::{COOKIE, SET_COOKIE};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_changed_password_ends_every_other_session_of_the_user() {
        let key = SecretKey::generate().expect("random bytes");
        let sessions: AccountSessions =
            Config::new().store(Memory::new()).data::<Account>().signed().secret_key(key).build();
        let app = app(&sessions, Users::default());
        let send = async |method: &str, path: &str, cookie: &str| {
            let request = Request::builder().method(method).uri(path).header(COOKIE, cookie);
            let request = request.body(Body::empty()).expect("a request");
            app.clone().oneshot(request).await.expect("a response")
        };

        let phone = cookie_of(&send("POST", "/sign-in", "").await);
        let laptop = cookie_of(&send("POST", "/sign-in", "").await);
        assert_eq!(send("GET", "/", &phone).await.status(), StatusCode::OK);
        let fresh = cookie_of(&send("POST", "/password", &laptop).await);
        assert_eq!(send("GET", "/", &fresh).await.status(), StatusCode::OK);
        assert_eq!(send("GET", "/", &laptop).await.status(), StatusCode::UNAUTHORIZED);

        let ended = send("GET", "/", &phone).await;
        assert_eq!(ended.status(), StatusCode::UNAUTHORIZED);
        assert!(cookie_of(&ended).ends_with('='), "the response removes the cookie");
    }

    fn cookie_of(response: &Response) -> String {
        let set_cookie = response.headers()[SET_COOKIE].to_str().expect("text");
        set_cookie.split(';').next().expect("a pair").to_owned()
    }
}
