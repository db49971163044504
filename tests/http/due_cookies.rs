//! A cookie that was due before something failed reaches the browser with the
//! error: the one that it holds is dead by then.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use cloakroom::{Config, Json, Session, Unsigned};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::site::{Probe, Site};
use crate::support::browser::Browser;
use crate::support::watched::{Op, Watched};

#[derive(Default, Serialize, Deserialize)]
struct Wallet {
    balance: f64,
}

type Owner = Session<Watched<Probe>, Json<Wallet>, Unsigned>;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Codec,
    Store,
    Conflict,
}

/// Its `/in` rotates and saves, and saves once more what is in the cookie itself if it
/// `forgets`; then the fault makes the end of the request fail.
fn browser(site: &Arc<Site>, fault: Fault, forgets: bool) -> Browser {
    async fn open(mut session: Owner) {
        session.balance = 1.0;
    }
    async fn read(session: Owner) -> String {
        session.balance.to_string()
    }
    let probe = site.clone();
    let sign_in = async move |mut session: Owner| {
        session.balance = 2.0;
        session.rotate();
        session.save().await.expect("saved");
        if forgets {
            session.set_permanent(false);
            session.save().await.expect("saved");
        }
        session.balance = 3.0;
        match fault {
            Fault::Codec => session.balance = f64::NAN,
            Fault::Store => probe.break_store(Op::Update),
            Fault::Conflict => {
                let record = probe.record().await.expect("a record");
                probe.overwrite_record(&record).await;
            }
        }
    };
    let sessions = Config::new()
        .store(site.store.clone())
        .codec(Json::<Wallet>::new())
        .clock(site.clock.clone())
        .reject_conflicts();
    let routes = Router::new()
        .route("/open", get(open))
        .route("/read", get(read))
        .route("/in", get(sign_in));
    Browser::new(routes.layer(sessions.layer()))
}

#[tokio::test]
async fn a_session_that_was_rotated_and_saved_is_kept_when_its_end_fails() {
    for (fault, status, forgets) in [
        (Fault::Codec, StatusCode::INTERNAL_SERVER_ERROR, false),
        (Fault::Store, StatusCode::SERVICE_UNAVAILABLE, false),
        (Fault::Conflict, StatusCode::CONFLICT, false),
        (Fault::Codec, StatusCode::INTERNAL_SERVER_ERROR, true),
        (Fault::Store, StatusCode::SERVICE_UNAVAILABLE, true),
        (Fault::Conflict, StatusCode::CONFLICT, true),
    ] {
        let site = Arc::new(Site::new());
        let browser = browser(&site, fault, forgets);
        browser.get("/open").await;
        let thief = browser.copy();

        let reply = browser.get("/in").await;
        site.repair_store();
        assert_eq!((reply.status, &*reply.body), (status, ""), "{fault:?}");
        assert_eq!(reply.set_cookies().len(), 1, "{fault:?}");
        assert_eq!(reply.headers["cache-control"], "private", "{fault:?}");
        assert_eq!(browser.get("/read").await.body, "2", "{fault:?}");
        assert_eq!(thief.get("/read").await.body, "0", "{fault:?}");
    }
}
