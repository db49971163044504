//! How connections are made: [`MemcachedDial`] and [`MemcachedServer`].

use std::fmt;
use std::io;
use std::time::Duration;

use http::Uri;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::error::MemcachedError;

const USUAL_PORT: u16 = 11211;

/// Makes connections to one Memcached server, for
/// [`Memcached::new`](crate::Memcached::new): through TLS, to a Unix socket, or
/// authenticated.
///
/// # Example
///
/// Memcached behind a Unix socket:
///
/// ```no_run
/// use std::io;
///
/// use cloakroom_memcached::{Memcached, MemcachedDial};
/// use tokio::net::UnixStream;
///
/// struct Socket;
///
/// impl MemcachedDial for Socket {
///     type Stream = UnixStream;
///
///     async fn dial(&self) -> io::Result<UnixStream> {
///         UnixStream::connect("/run/memcached/memcached.sock").await
///     }
/// }
///
/// let store = Memcached::new(Socket);
/// ```
pub trait MemcachedDial: Send + Sync + 'static {
    /// A connection, ready for commands. `flush` must send what was written.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Makes a connection. The store drops the future after its connection timeout.
    fn dial(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// The server that [`Memcached::connect`](crate::Memcached::connect) connects to, over
/// TCP. Every new connection looks its name up.
#[derive(Clone)]
pub struct MemcachedServer {
    host: Box<str>,
    port: u16,
    keepalive: Duration,
}

impl MemcachedServer {
    /// Reads `memcached://host:port`.
    pub(crate) fn of_url(url: &str, keepalive: Duration) -> Result<Self, MemcachedError> {
        let uri: Uri = url.parse().map_err(|_| MemcachedError::UNUSABLE)?;
        let host = uri.host().unwrap_or_default();
        let address = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let port = match address.strip_prefix(host) {
            Some("") => Some(USUAL_PORT),
            Some(rest) => rest.strip_prefix(':').and_then(|port| port.parse().ok()),
            None => None,
        };
        let is_whole = matches!(uri.scheme_str(), Some("memcached" | "memcache"))
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none();
        match port {
            Some(port) if is_whole && is_host(host) => {
                Ok(Self { host: host.trim_matches(['[', ']']).into(), port, keepalive })
            }
            _ => Err(MemcachedError::UNUSABLE),
        }
    }
}

/// Whether the text is one name or one address. A URL may also hold a list of servers.
fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

impl MemcachedDial for MemcachedServer {
    type Stream = TcpStream;

    async fn dial(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        stream.set_nodelay(true)?;
        let keepalive = TcpKeepalive::new().with_time(self.keepalive).with_interval(self.keepalive);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok(stream)
    }
}

impl fmt::Debug for MemcachedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemcachedServer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_host_and_perhaps_a_port() {
        for (url, host, port) in [
            ("memcached://127.0.0.1", "127.0.0.1", 11211),
            ("memcached://cache.example:1234/", "cache.example", 1234),
            ("memcache://[::1]", "::1", 11211),
            ("memcached://[::1]:1234", "::1", 1234),
        ] {
            let server = MemcachedServer::of_url(url, Duration::from_secs(30)).expect(url);
            assert_eq!((&*server.host, server.port), (host, port));
        }
    }

    #[test]
    fn a_url_with_anything_else_is_refused() {
        for url in [
            "",
            "127.0.0.1",
            "127.0.0.1:11211",
            "http://127.0.0.1",
            "memcached://",
            "memcached://:11211",
            "memcached://127.0.0.1:",
            "memcached://127.0.0.1:99999",
            "memcached://127.0.0.1:x",
            "memcached://user:secret@127.0.0.1",
            "memcached://127.0.0.1/1",
            "memcached://127.0.0.1?a=1",
            "memcached://one,two",
            "memcached:///run/socket",
        ] {
            assert!(MemcachedServer::of_url(url, Duration::from_secs(30)).is_err(), "{url}");
        }
    }
}
