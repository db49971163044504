//! The application, and the server for sessions in Redis.

use std::hint::black_box;
use std::sync::Arc;

use hyper::body::Incoming;
use pavex::Response;
use pavex::connection::ConnectionInfo;
use pavex::cookie::config::{CryptoAlgorithm, CryptoRule};
use pavex::cookie::{
    Key, Processor, ProcessorConfig, ResponseCookies, extract_request_cookies,
    inject_response_cookies,
};
use pavex::request::RequestHead;
use pavex::server::{IncomingStream, Server, ServerConfiguration};
use pavex_session::{IncomingSession, Session, SessionConfig, SessionStore, finalize_session};
use pavex_session_memory_store::InMemorySessionStore;
use pavex_session_redis::{RedisSessionStore, RedisSessionStoreConfig};

use crate::visitor::Visitor;

const KEY: &str = "visitor";

/// What generated code keeps in its state.
pub struct Site {
    store: SessionStore,
    config: SessionConfig,
    processor: Processor,
}

impl Site {
    pub fn in_memory() -> Self {
        Self::with(InMemorySessionStore::new().into())
    }

    async fn in_redis(url: &str) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_connection_manager().await.expect("Redis is there");
        Self::with(RedisSessionStore::new(connection, RedisSessionStoreConfig::default()).into())
    }

    fn with(store: SessionStore) -> Self {
        let config = SessionConfig::default();
        let mut cookies = ProcessorConfig::default();
        cookies.crypto_rules.push(CryptoRule {
            cookie_names: vec![config.cookie.name.clone()],
            algorithm: CryptoAlgorithm::Signing,
            key: Key::generate(),
            fallbacks: Vec::new(),
        });
        Self { store, config, processor: cookies.into() }
    }

    /// A request through the session's middleware.
    pub async fn answer(&self, head: RequestHead) -> Response {
        let cookies = extract_request_cookies(&head, &self.processor).expect("it passes over");
        let incoming = IncomingSession::extract(&cookies, &self.config.cookie);
        let mut session = Session::new(&self.store, &self.config, incoming);
        let mut set = ResponseCookies::new();
        let response = handle(head.target.path(), &mut session).await;
        let finalized = finalize_session(response, &mut set, &self.processor, session).await;
        let response = finalized.expect("the store answers");
        inject_response_cookies(response, set, &self.processor).expect("ASCII")
    }
}

/// A request where there are no sessions.
pub async fn answer_bare(head: RequestHead) -> Response {
    match head.target.path() {
        "/ignore" | "/read" | "/change" => Response::ok().set_typed_body("seen"),
        _ => Response::not_found(),
    }
}

async fn handle(path: &str, session: &mut Session<'_>) -> Response {
    match path {
        "/ignore" => Response::ok().set_typed_body("seen"),
        "/read" => {
            black_box(visitor(session).await);
            Response::ok().set_typed_body("seen")
        }
        "/change" => {
            let mut visitor = visitor(session).await;
            visitor.visits += 1;
            store(session, visitor).await;
            Response::ok().set_typed_body("seen")
        }
        "/show" => Response::ok().set_typed_body(visitor(session).await.describe()),
        _ => match path.strip_prefix("/fill/").map(str::parse) {
            Some(Ok(bytes)) => {
                store(session, Visitor::of_size(bytes)).await;
                Response::ok().set_typed_body("seen")
            }
            _ => Response::not_found(),
        },
    }
}

async fn visitor(session: &Session<'_>) -> Visitor {
    session.get(KEY).await.expect("the store answers").unwrap_or_default()
}

async fn store(session: &mut Session<'_>, visitor: Visitor) {
    session.insert(KEY, visitor).await.expect("the store answers");
}

/// Serves sessions in Redis until the process ends.
pub async fn serve(url: &str, ready: impl FnOnce(u16)) {
    let site = Arc::new(Site::in_redis(url).await);
    let incoming = IncomingStream::bind(([127, 0, 0, 1], 0).into()).await.expect("a free port");
    ready(incoming.local_addr().expect("an address").port());
    let one_worker = ServerConfiguration::new().set_n_workers(1);
    Server::new().set_config(one_worker).listen(incoming).serve(entry, site).await;
}

async fn entry(
    request: http::Request<Incoming>,
    _: Option<ConnectionInfo>,
    site: Arc<Site>,
) -> Response {
    let (parts, _) = request.into_parts();
    site.answer(parts.into()).await
}
