//! PostgreSQL through TLS, with a certificate that the test makes.

mod sql;

use cloakroom_sqlx::Postgres;
use servers::postgres::PostgresServer as Server;

use sql::{NO_TLS, keeps_a_record};

#[tokio::test]
async fn a_server_with_a_certificate_that_is_trusted_is_used_through_tls() {
    let (server, certificate) = Server::start_with_tls();
    let root = certificate.authority();
    let url = format!("{}?sslmode=verify-full&sslrootcert={}", server.url(), root.display());
    let store = Postgres::connect(&url).await.expect("the certificate is good");
    store.migrate().await.expect("migrated");
    keeps_a_record(&store).await;
    let plain = "SELECT count(*), count(*) FILTER (WHERE NOT ssl) \
                 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let found = server.ask(plain);
    assert!(found.ends_with("|0") && found != "0|0", "{found}");
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_is_refused() {
    let (server, _) = Server::start_with_tls();
    let url = format!("{}?sslmode=verify-full", server.url());
    let fault = Postgres::connect(&url).await.expect_err("no authority is known");
    assert_eq!(fault.to_string(), NO_TLS);
    let reason = std::error::Error::source(&fault).expect("a reason").to_string();
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let server = Server::start(&[]);
    let fault = Postgres::connect(&format!("{}?sslmode=require", server.url())).await;
    assert_eq!(fault.expect_err("it has no TLS").to_string(), NO_TLS);
}
