//! Redis through TLS, with a certificate that the test makes.

use std::fs;

use cloakroom_redis::Redis;
use servers::certificate::Certificate;
use servers::races::{fresh_number, increment_once, load_number};
use servers::redis::RedisServer as Server;

fn authority(certificate: &Certificate) -> Vec<u8> {
    fs::read(certificate.authority()).expect("the authority's certificate")
}

#[tokio::test]
async fn a_server_with_a_certificate_that_is_trusted_is_used_through_tls() {
    let (server, certificate) = Server::start_with_tls();
    let options = Redis::options().root_certificates(authority(&certificate));
    let store = options.connect(&server.tls_url()).await.expect("the certificate is good");
    let key = fresh_number(&store).await;
    increment_once(&store, &key).await.expect("incremented");
    assert_eq!(load_number(&store, &key).await.expect("loaded"), 1);
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_is_refused() {
    let (server, _certificate) = Server::start_with_tls();
    Redis::connect(&server.tls_url()).await.expect_err("no authority is known");
    let (_other_server, other) = Server::start_with_tls();
    let options = Redis::options().root_certificates(authority(&other));
    options.connect(&server.tls_url()).await.expect_err("another authority");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_the_url_asks_for_it() {
    let server = Server::start(&[]);
    let url = server.url().replace("redis://", "rediss://");
    Redis::connect(&url).await.expect_err("it has no TLS");
}
