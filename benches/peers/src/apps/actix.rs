//! actix-session, over actix: with its Redis store, and with a store in memory,
//! which it has none of.

mod memory;

use std::future::Future;
use std::hint::black_box;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_http::Request;
use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::{RedisSessionStore, SessionStore};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{COOKIE, HeaderValue};
use actix_web::http::uri::Uri;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::web::{self, Path, ServiceConfig};
use actix_web::{Error, body::MessageBody};
use tokio::runtime::Runtime;

use self::memory::MemoryStore;
use super::{ACTIX_BARE, ACTIX_SESSION, LIFETIME};
use crate::app::{Answer, App};
use crate::case::Case;
use crate::count::allocations;
use crate::visitor::Visitor;

/// actix without a session, and with one in memory.
pub fn in_memory(runtime: &Rc<Runtime>) -> [Box<dyn App>; 2] {
    let bare = runtime.block_on(init_service(actix_web::App::new().configure(bare_routes)));
    let layer = middleware(MemoryStore::default(), LIFETIME, Key::generate());
    let app = actix_web::App::new().wrap(layer).configure(routes);
    let with_session = runtime.block_on(init_service(app));
    [
        ActixApp::boxed(ACTIX_BARE, bare, runtime),
        ActixApp::boxed(ACTIX_SESSION, with_session, runtime),
    ]
}

/// Serves sessions in Redis until the server is stopped.
pub fn serve_redis(url: &str, ready: impl FnOnce(u16)) {
    actix_web::rt::System::new().block_on(async {
        let store = RedisSessionStore::new(url).await.expect("Redis is there");
        let key = Key::generate();
        let server = actix_web::HttpServer::new(move || {
            let layer = middleware(store.clone(), LIFETIME, key.clone());
            actix_web::App::new().wrap(layer).configure(routes)
        });
        let server = server.workers(1).bind(("127.0.0.1", 0)).expect("a free port");
        ready(server.addrs()[0].port());
        server.run().await.expect("it serves");
    });
}

fn middleware<S: SessionStore>(store: S, lifetime: Duration, key: Key) -> SessionMiddleware<S> {
    let ttl = lifetime.try_into().expect("not for ever");
    SessionMiddleware::builder(store, key)
        .session_lifecycle(PersistentSession::default().session_ttl(ttl))
        .cookie_content_security(CookieContentSecurity::Signed)
        .build()
}

fn bare_routes(config: &mut ServiceConfig) {
    for path in ["/ignore", "/read", "/change", "/fill/{bytes}", "/show"] {
        config.route(path, web::get().to(ignore));
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .route("/ignore", web::get().to(ignore))
        .route("/read", web::get().to(read))
        .route("/change", web::get().to(change))
        .route("/fill/{bytes}", web::get().to(fill))
        .route("/show", web::get().to(show));
}

async fn ignore() -> &'static str {
    "seen"
}

fn visitor(session: &Session) -> Visitor {
    session.get(KEY).expect("it can be decoded").unwrap_or_default()
}

async fn read(session: Session) -> &'static str {
    black_box(visitor(&session));
    "seen"
}

async fn change(session: Session) -> &'static str {
    let mut visitor = visitor(&session);
    visitor.visits += 1;
    session.insert(KEY, visitor).expect("it can be encoded");
    "seen"
}

async fn fill(session: Session, bytes: Path<usize>) -> &'static str {
    session.insert(KEY, Visitor::of_size(*bytes)).expect("it can be encoded");
    "seen"
}

async fn show(session: Session) -> String {
    visitor(&session).describe()
}

const KEY: &str = "visitor";

/// An actix application and the cookies of its sessions.
struct ActixApp<S> {
    name: &'static str,
    service: S,
    cookies: Vec<HeaderValue>,
    next: usize,
    runtime: Rc<Runtime>,
}

impl<S, B> ActixApp<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    fn boxed(name: &'static str, service: S, runtime: &Rc<Runtime>) -> Box<dyn App> {
        Box::new(Self { name, service, cookies: Vec::new(), next: 0, runtime: runtime.clone() })
    }

    fn answer(&mut self, case: Case) -> impl Future<Output = S::Response> + use<S, B> {
        let mut request = Request::new();
        request.head_mut().uri = Uri::from_static(case.path());
        if case.has_cookie() {
            request.head_mut().headers.insert(COOKIE, self.cookies[self.next].clone());
            self.next = (self.next + 1) % self.cookies.len();
        }
        let response = self.service.call(request);
        async { response.await.expect("no handler fails") }
    }
}

impl<S, B> App for ActixApp<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn baseline(&self) -> &'static str {
        ACTIX_BARE
    }

    fn ask(&mut self, path: &str, cookie: Option<&str>) -> Answer {
        let mut request = TestRequest::with_uri(path);
        if let Some(cookie) = cookie {
            request = request.insert_header((COOKIE, cookie));
        }
        let runtime = self.runtime.clone();
        runtime.block_on(async {
            let response = self.service.call(request.to_request()).await.expect("it answers");
            let status = response.status().as_u16();
            let cookies = response.response().cookies();
            let pairs: Vec<String> = cookies.map(|cookie| cookie.stripped().to_string()).collect();
            let cookie = (!pairs.is_empty()).then(|| pairs.join("; "));
            let body = String::from_utf8(read_body(response).await.to_vec()).expect("text");
            Answer { status, cookie, body }
        })
    }

    fn use_cookies(&mut self, cookies: Vec<String>) {
        self.cookies = cookies
            .into_iter()
            .map(|cookie| HeaderValue::try_from(cookie).expect("ASCII"))
            .collect();
    }

    fn run(&mut self, case: Case, requests: u32) -> Duration {
        let runtime = self.runtime.clone();
        runtime.block_on(async {
            let start = Instant::now();
            for _ in 0..requests {
                drop(self.answer(case).await);
            }
            start.elapsed()
        })
    }

    fn allocations(&mut self, case: Case) -> u64 {
        let runtime = self.runtime.clone();
        allocations(|| drop(runtime.block_on(self.answer(case))))
    }
}
