//! The application that is measured: the same small handlers with and without
//! a session.

use std::hint::black_box;

use axum::body::Body;
use axum::routing::{MethodRouter, get};
use axum::{Router, response::Response};
use cloakroom::{Config, HmacSha256, Memory, MessagePack, SecretKey};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use tower::Service;
use tower::layer::util::Identity;

/// How many sessions the store holds. Requests take turns with their cookies.
const SESSIONS: usize = 1_000;

type Session = cloakroom::Session<Memory, MessagePack<Visitor>, HmacSha256>;
type Sessions = cloakroom::Sessions<Memory, MessagePack<Visitor>, HmacSha256>;

/// What a session holds.
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Visitor {
    user: u64,
    visits: u64,
    name: String,
    recent: Vec<u64>,
}

/// A kind of application and request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// A router without any layer.
    Bare,
    /// The same, when the request carries no cookie.
    BareNoCookie,
    /// A layer that does nothing: what axum asks for any layer.
    EmptyLayer,
    /// The handler does not ask for the session.
    NotUsed,
    /// The handler reads the session, and the request carries no cookie.
    NoCookie,
    /// The handler reads the session.
    Read,
    /// The handler changes one field.
    Change,
}

impl Case {
    /// What the same request costs without a session.
    pub(crate) const fn baseline(self) -> Self {
        match self {
            Self::BareNoCookie | Self::NoCookie => Self::BareNoCookie,
            Self::Bare | Self::EmptyLayer | Self::NotUsed | Self::Read | Self::Change => Self::Bare,
        }
    }

    fn router(self, sessions: &Sessions) -> Router {
        let route = |handler: MethodRouter| Router::new().route("/visit", handler);
        let with_session = |handler| route(handler).layer(sessions.layer());
        let router = match self {
            Self::Bare | Self::BareNoCookie => route(get(ignore)),
            Self::EmptyLayer => route(get(ignore)).layer(Identity::new()),
            Self::NotUsed => with_session(get(ignore)),
            Self::NoCookie | Self::Read => with_session(get(read)),
            Self::Change => with_session(get(change)),
        };
        // Without a state, axum would apply the layers again on every request.
        router.with_state(())
    }
}

async fn ignore() -> &'static str {
    "seen"
}

async fn read(session: Session) -> &'static str {
    black_box(&*session);
    "seen"
}

async fn change(mut session: Session) -> &'static str {
    session.visits += 1;
    "seen"
}

/// A router of its own, with a store of its own.
pub(crate) struct App {
    router: Router,
    /// One for each session; none at all where requests carry none.
    cookies: Vec<HeaderValue>,
    next: usize,
}

impl App {
    /// An application that has proved to do what its case says.
    pub(crate) async fn new(case: Case) -> Self {
        let key = SecretKey::generate().expect("randomness");
        let sessions =
            Config::new().store(Memory::new()).data::<Visitor>().signed().secret_key(key).build();
        let mut cookies = Vec::with_capacity(SESSIONS);
        for user in 0..SESSIONS {
            cookies.push(create_session(&sessions, user as u64).await);
        }
        let mut app = Self { router: case.router(&sessions), cookies, next: 0 };
        app.prove(case, &sessions).await;
        if case.baseline() == Case::BareNoCookie {
            app.cookies.clear();
        }
        app
    }

    /// One request and its response.
    pub(crate) async fn answer(&mut self) -> Response {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/visit");
        if let Some(cookie) = self.cookies.get(self.next) {
            request.headers_mut().insert(COOKIE, cookie.clone());
            self.next = (self.next + 1) % self.cookies.len();
        }
        match self.router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Without this, a mistake in the set-up would look like a good figure.
    async fn prove(&mut self, case: Case, sessions: &Sessions) {
        let response = self.answer().await;
        assert_eq!(response.status(), StatusCode::OK);
        let asks = matches!(case, Case::NoCookie | Case::Read | Case::Change);
        assert_eq!(response.headers().contains_key("vary"), asks);

        let first = HeaderMap::from_iter([(COOKIE, self.cookies[0].clone())]);
        let session = sessions.open(&first).await.expect("memory does not fail");
        assert_eq!(session.visits, u64::from(case == Case::Change));
        assert_eq!((session.user, session.name.len(), session.recent.len()), (0, 12, 5));
    }
}

/// The cookie of a new session.
async fn create_session(sessions: &Sessions, user: u64) -> HeaderValue {
    let mut session = sessions.open(&HeaderMap::new()).await.expect("memory does not fail");
    *session = Visitor {
        user,
        visits: 0,
        name: "Ada Lovelace".to_owned(),
        recent: vec![1, 20, 300, 4_000, 50_000],
    };
    let mut headers = HeaderMap::new();
    session.close(&mut headers).await.expect("stored");

    let cookie = headers[SET_COOKIE].to_str().expect("ASCII");
    let pair = cookie.split(';').next().expect("a pair");
    HeaderValue::from_str(pair).expect("ASCII")
}
