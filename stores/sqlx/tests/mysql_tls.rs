//! MySQL and MariaDB through TLS, with a certificate that the test makes.

mod sql;

use cloakroom_sqlx::MySql;
use servers::mysql::MySqlServer as Server;

use sql::{NO_TLS, keeps_a_record};

#[tokio::test]
async fn a_server_with_a_certificate_that_is_trusted_is_used_through_tls() {
    let (server, certificate) = Server::start_with_tls();
    let root = certificate.authority();
    // The server lets this user in through TLS only.
    server.ask("CREATE USER tls@'127.0.0.1' REQUIRE SSL; GRANT ALL ON *.* TO tls@'127.0.0.1'");
    let url = server.url().replace("app@", "tls@");
    let plain = MySql::connect(&format!("{url}?ssl-mode=DISABLED")).await;
    let refused = plain.expect_err("the user needs TLS").to_string();
    assert_eq!(refused, "the database refused the user name or the password");
    let url = format!("{url}?ssl-mode=VERIFY_IDENTITY&ssl-ca={}", root.display());
    let store = MySql::connect(&url).await.expect("the certificate is good");
    store.migrate().await.expect("migrated");
    keeps_a_record(&store).await;
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_is_refused() {
    let (server, _) = Server::start_with_tls();
    let fault = MySql::connect(&format!("{}?ssl-mode=VERIFY_IDENTITY", server.url())).await;
    let fault = fault.expect_err("no authority is known");
    assert_eq!(fault.to_string(), NO_TLS);
    let reason = std::error::Error::source(&fault).expect("a reason").to_string();
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let server = Server::start(&[]);
    let fault = MySql::connect(&format!("{}?ssl-mode=REQUIRED", server.url())).await;
    assert_eq!(fault.expect_err("it has no TLS").to_string(), NO_TLS);
}
