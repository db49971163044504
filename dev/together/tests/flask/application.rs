//! The Rust application. It does what the one in Python does, at the same paths.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Form, Router};
use cloakroom::{Codec, Config, Session, Signer, Writable};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::browser::Address;

/// What both applications know of a session. Other keys are Flask's.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) visits: u32,
    #[serde(rename = "_flashes", skip_serializing_if = "Vec::is_empty")]
    pub(crate) flashes: Vec<(String, String)>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Holds a request back: it has read the session, and has not written it.
#[derive(Default)]
pub(crate) struct Gate {
    pub(crate) reached: Notify,
    pub(crate) open: Notify,
}

/// Serves the application until the test ends.
pub(crate) async fn serve<S, C, K>(config: Config<S, C, K>) -> (Address, Arc<Gate>)
where
    S: Writable,
    C: Codec<Data = Account>,
    K: Signer,
{
    let gate = Arc::new(Gate::default());
    let router =
        Application::<S, C, K>::routes().layer(config.build().layer()).with_state(gate.clone());
    (listen(router).await, gate)
}

/// Serves any routes until the test ends.
pub(crate) async fn listen(router: Router) -> Address {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let socket = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    Address { socket, head: String::new() }
}

/// What handles the requests.
struct Application<S, C, K> {
    _wiring: PhantomData<(S, C, K)>,
}

impl<S, C, K> Application<S, C, K>
where
    S: Writable,
    C: Codec<Data = Account>,
    K: Signer,
{
    fn routes() -> Router<Arc<Gate>> {
        Router::new()
            .route("/session", get(Self::show))
            .route("/sign-in", post(Self::sign_in))
            .route("/sign-out", post(Self::sign_out))
            .route("/visit", post(Self::visit))
            .route("/visit-slowly", post(Self::visit_slowly))
            .route("/empty", post(Self::empty))
            .route("/rotate", post(Self::rotate))
            .route("/permanent", post(Self::permanent))
            .route("/flash", post(Self::flash))
            .route("/flashes", get(Self::flashes))
    }

    async fn show(session: Session<S, C, K>) -> String {
        json!({
            "new": session.is_new(),
            "permanent": session.is_permanent(),
            "user": session.user,
            "visits": session.visits,
        })
        .to_string()
    }

    async fn sign_in(mut session: Session<S, C, K>, Form(person): Form<Person>) {
        session.user = Some(person.user);
    }

    async fn sign_out(mut session: Session<S, C, K>) {
        session.destroy();
    }

    async fn visit(mut session: Session<S, C, K>) {
        session.visits += 1;
    }

    async fn visit_slowly(State(gate): State<Arc<Gate>>, mut session: Session<S, C, K>) {
        gate.reached.notify_one();
        gate.open.notified().await;
        session.visits += 1;
    }

    async fn empty(mut session: Session<S, C, K>) {
        *session = Account::default();
    }

    async fn rotate(mut session: Session<S, C, K>) {
        session.rotate();
    }

    async fn permanent(mut session: Session<S, C, K>, Form(choice): Form<Choice>) {
        session.set_permanent(choice.value == "yes");
    }

    async fn flash(mut session: Session<S, C, K>, Form(flash): Form<Flash>) {
        session.flashes.push((flash.category, flash.message));
    }

    async fn flashes(mut session: Session<S, C, K>) -> String {
        let shown = std::mem::take(&mut session.flashes);
        json!(shown).to_string()
    }
}

#[derive(Deserialize)]
struct Person {
    user: String,
}

#[derive(Deserialize)]
struct Choice {
    value: String,
}

#[derive(Deserialize)]
struct Flash {
    category: String,
    message: String,
}
