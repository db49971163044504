//! Settings of a connection: [`RedisOptions`].

#[cfg(feature = "rustls")]
use std::sync::Arc;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
#[cfg(feature = "rustls")]
use redis::{Client, ConnectionAddr, TlsCertificates};
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion, RedisResult};

use crate::cluster::RedisCluster;
use crate::error::RedisError;
use crate::redis::Redis;
use crate::sentinels::Sentinels;
use crate::server::RedisServer;

/// Timeouts of a [`Redis`]; connects with them.
///
/// An operation ends after the sum of the response timeout and the connection timeout at
/// the latest: it may wait for a new connection first.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), cloakroom_redis::RedisError> {
/// use std::time::Duration;
///
/// use cloakroom_redis::Redis;
///
/// let store = Redis::options()
///     .response_timeout(Duration::from_millis(200))
///     .connect("redis://127.0.0.1")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until they connect"]
pub struct RedisOptions {
    pub(crate) response_timeout: Duration,
    pub(crate) connection_timeout: Duration,
    pub(crate) trusted_silence: Duration,
    pub(crate) keepalive: Duration,
    pub(crate) protocol: Protocol,
    /// In PEM; those of the operating system, if it is `None`.
    #[cfg(feature = "rustls")]
    pub(crate) root_certificates: Option<Arc<[u8]>>,
}

/// What the store speaks with the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Protocol {
    /// The client reports a closed connection at once.
    Resp3,
    /// An operation on a closed connection fails first.
    Resp2,
}

impl RedisOptions {
    /// How long an operation waits for its reply. After that it is an error, and the next
    /// operation makes a new connection.
    ///
    /// # Default
    ///
    /// One second.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long an operation waits for a connection, and for the answer of one that was
    /// silent.
    ///
    /// # Default
    ///
    /// One second.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// How long after the last reply an operation uses the connection without a question.
    ///
    /// Routers and load balancers forget connections on which nothing was sent for some
    /// minutes, and tell neither side. After a longer silence, an operation sends `PING`
    /// first. Without a reply within a quarter of the connection timeout, it makes a new
    /// connection.
    ///
    /// # Default
    ///
    /// One second: a busy application never asks.
    pub fn trusted_silence(mut self, silence: Duration) -> Self {
        self.trusted_silence = silence;
        self
    }

    /// After how much silence the operating system asks whether the other side is there
    /// (TCP keepalive), and how long it waits between questions. Routers on the way then do
    /// not forget the connection.
    ///
    /// # Default
    ///
    /// 30 seconds.
    pub fn keepalive(mut self, silence: Duration) -> Self {
        self.keepalive = silence;
        self
    }

    /// Speaks RESP2, for proxies that do not know RESP3.
    ///
    /// The client then notices a closed connection only when an operation fails there, and
    /// [`NearCache`](crate::NearCache) cannot be used.
    ///
    /// # Default
    ///
    /// RESP3.
    pub fn resp2(mut self) -> Self {
        self.protocol = Protocol::Resp2;
        self
    }

    /// Trusts the authorities in this PEM text and no others, for a server whose certificate
    /// was not signed by one that the operating system trusts.
    ///
    /// # Default
    ///
    /// What the operating system trusts.
    #[cfg(feature = "rustls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into().into());
        self
    }

    /// Connects to one server, as [`Redis::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the server is not there.
    pub async fn connect(self, url: &str) -> Result<Redis, RedisError> {
        let info = url.into_connection_info().map_err(RedisError::of)?;
        let info = self.prepare(info).map_err(RedisError::of)?;
        checked(RedisServer::lazy(info, self).map_err(RedisError::of)?).await
    }

    /// Connects to a cluster, as [`Redis::connect_cluster`] does.
    ///
    /// # Errors
    ///
    /// When a URL cannot be read, and when no named node answers.
    pub async fn connect_cluster<'a>(
        self,
        urls: impl IntoIterator<Item = &'a str>,
    ) -> Result<Redis<RedisCluster>, RedisError> {
        let nodes = urls.into_iter().map(|url| self.prepare(url.into_connection_info()?));
        let nodes = nodes.collect::<Result<Vec<_>, _>>().map_err(RedisError::of)?;
        let cluster = RedisCluster::connect(nodes, self).await.map_err(RedisError::of)?;
        let store = Redis::new(cluster);
        store.check_commands().await?;
        Ok(store)
    }

    /// Connects to the master that sentinels watch, as
    /// [`Redis::connect_sentinel`] does.
    ///
    /// # Errors
    ///
    /// When a URL cannot be read, when no sentinel answers, and when none knows the name.
    pub async fn connect_sentinel<'a>(
        self,
        urls: impl IntoIterator<Item = &'a str>,
        name: &str,
    ) -> Result<Redis, RedisError> {
        self.watched(urls, name, None).await
    }

    /// Connects as [`connect_sentinel`](Self::connect_sentinel) does, to sentinels that ask
    /// for a user and a password of their own.
    ///
    /// # Errors
    ///
    /// As there, and when a sentinel refuses the password.
    pub async fn connect_sentinel_as<'a>(
        self,
        user: &str,
        password: &str,
        urls: impl IntoIterator<Item = &'a str>,
        name: &str,
    ) -> Result<Redis, RedisError> {
        self.watched(urls, name, Some((user.to_owned(), password.to_owned()))).await
    }

    async fn watched<'a>(
        self,
        urls: impl IntoIterator<Item = &'a str>,
        name: &str,
        login: Option<(String, String)>,
    ) -> Result<Redis, RedisError> {
        let sentinels = Sentinels::new(urls, name, |info| self.prepare(info), login.as_ref());
        let sentinels = sentinels.map_err(RedisError::of)?;
        checked(RedisServer::watched(sentinels, self)).await
    }

    fn prepare(&self, info: ConnectionInfo) -> RedisResult<ConnectionInfo> {
        let protocol = match self.protocol {
            Protocol::Resp3 => ProtocolVersion::RESP3,
            Protocol::Resp2 => ProtocolVersion::RESP2,
        };
        let settings = info.redis_settings().clone().set_protocol(protocol);
        self.with_tls(info.set_redis_settings(settings).set_tcp_settings(self.tcp_settings()))
    }

    #[cfg(feature = "rustls")]
    fn with_tls(&self, info: ConnectionInfo) -> RedisResult<ConnectionInfo> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Ok(info);
        }
        // An application that has chosen a provider of cryptography keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::build_with_tls(info, self.certificates())?;
        Ok(client.get_connection_info().clone())
    }

    #[cfg(not(feature = "rustls"))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "with TLS it is otherwise")]
    fn with_tls(&self, info: ConnectionInfo) -> RedisResult<ConnectionInfo> {
        Ok(info)
    }

    #[cfg(feature = "rustls")]
    pub(crate) fn certificates(&self) -> TlsCertificates {
        let root_cert = self.root_certificates.as_deref().map(Vec::from);
        TlsCertificates { client_tls: None, root_cert }
    }

    /// With `nodelay`, a command does not wait for the acknowledgment of the one before it.
    pub(crate) fn tcp_settings(&self) -> TcpSettings {
        let keepalive = TcpKeepalive::new().with_time(self.keepalive).with_interval(self.keepalive);
        TcpSettings::default().set_nodelay(true).set_keepalive(keepalive)
    }

    /// How long a connection that was silent may take to answer.
    pub(crate) fn answer_timeout(&self) -> Duration {
        self.connection_timeout / 4
    }
}

async fn checked(server: RedisServer) -> Result<Redis, RedisError> {
    server.open().await.map_err(RedisError::of)?;
    let store = Redis::new(server);
    store.check_commands().await?;
    store.warn_of_eviction().await;
    Ok(store)
}

impl Default for RedisOptions {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            response_timeout: second,
            connection_timeout: second,
            trusted_silence: second,
            keepalive: Duration::from_secs(30),
            protocol: Protocol::Resp3,
            #[cfg(feature = "rustls")]
            root_certificates: None,
        }
    }
}
