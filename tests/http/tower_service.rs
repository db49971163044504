//! The layer around a tower service that is no axum handler.

use std::convert::Infallible;

use cloakroom::middleware::SessionBody;
use cloakroom::{Config, Error, Memory, MessagePack, Session, Unsigned};
use http::header::{COOKIE, SET_COOKIE};
use http::{Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};

type Counter = Session<Memory, MessagePack<u32>, Unsigned>;

fn body(response: &Response<SessionBody<String>>) -> &str {
    response.body().get().map_or("", String::as_str)
}

async fn count(request: Request<&'static str>) -> Result<Response<String>, Infallible> {
    let body = match Counter::of_request(&request).await {
        Ok(mut session) => {
            *session += 1;
            session.to_string()
        }
        Err(error) => error.to_string(),
    };
    Ok(Response::new(body))
}

#[tokio::test]
async fn a_service_without_axum_opens_the_session_of_its_request() {
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let mut service = sessions.layer().layer(service_fn(count));

    let Ok(ready) = service.ready().await;
    let Ok(response) = ready.call(Request::new("")).await;
    assert_eq!(body(&response), "1");
    let cookie = response.headers()[SET_COOKIE].to_str().expect("ASCII");
    let (pair, _) = cookie.split_once(';').expect("attributes");

    let request = Request::builder().header(COOKIE, pair).body("").expect("a request");
    let Ok(ready) = service.ready().await;
    let Ok(response) = ready.call(request).await;
    assert_eq!(body(&response), "2");
    assert!(!response.headers().contains_key(SET_COOKIE));
}

#[tokio::test]
async fn a_service_without_the_layer_is_told_so() {
    let opened = Counter::of_request(&Request::new("")).await;
    assert!(matches!(opened, Err(Error::MissingLayer)));
}

#[tokio::test]
async fn an_error_of_the_service_is_handed_on_and_saves_nothing() {
    async fn fail(request: Request<()>) -> Result<Response<String>, &'static str> {
        let mut session = Counter::of_request(&request).await.map_err(|_| "no session")?;
        *session = 99;
        Err("the service gives up")
    }
    let sessions = Config::new().store(Memory::new()).data::<u32>().build();
    let service = sessions.layer().layer(service_fn(fail));
    let failed = service.oneshot(Request::new(())).await.expect_err("it gives up");
    assert_eq!(failed, "the service gives up");
    assert_eq!(sessions.store().len(), 0);
}
