//! Settings of a connection: [`RedisOptions`].

use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};

use crate::cluster::RedisCluster;
use crate::error::RedisError;
use crate::redis::Redis;
use crate::server::RedisServer;

/// Timeouts of a [`Redis`]; connects with them.
///
/// An operation ends after the sum of both timeouts at the latest: it may wait for a new
/// connection first.
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
#[derive(Clone, Copy, Debug)]
#[must_use = "options do nothing until they connect"]
pub struct RedisOptions {
    pub(crate) response_timeout: Duration,
    pub(crate) connection_timeout: Duration,
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

    /// How long an operation waits for a connection.
    ///
    /// # Default
    ///
    /// One second.
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// Connects to one server, as [`Redis::connect`] does.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, and when the server is not there.
    pub async fn connect(self, url: &str) -> Result<Redis, RedisError> {
        let info = url.into_connection_info().map_err(RedisError::of)?;
        let server = RedisServer::lazy(prepared(info), self).map_err(RedisError::of)?;
        server.open().await.map_err(RedisError::of)?;
        Ok(Redis::new(server))
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
        let nodes = urls.into_iter().map(|url| url.into_connection_info().map(prepared));
        let nodes = nodes.collect::<Result<Vec<_>, _>>().map_err(RedisError::of)?;
        let cluster = RedisCluster::connect(nodes, self).await.map_err(RedisError::of)?;
        Ok(Redis::new(cluster))
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        let timeout = Duration::from_secs(1);
        Self { response_timeout: timeout, connection_timeout: timeout }
    }
}

fn prepared(info: ConnectionInfo) -> ConnectionInfo {
    // With RESP3, the client reports a closed connection at once. With RESP2, an operation
    // fails first.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    info.set_redis_settings(settings).set_tcp_settings(tcp_settings())
}

/// With `nodelay`, a command does not wait for the acknowledgment of the one before it.
pub(crate) fn tcp_settings() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}
