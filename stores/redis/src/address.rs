//! Addresses of servers that other servers name.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult};

/// The server at `host` and `port`, with all other settings of `sample`.
pub(crate) fn at(sample: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let mut addr = sample.addr().clone();
    match &mut addr {
        ConnectionAddr::Tcp(old_host, old_port)
        | ConnectionAddr::TcpTls { host: old_host, port: old_port, .. } => {
            (*old_host, *old_port) = (host, port);
        }
        _ => addr = ConnectionAddr::Tcp(host, port),
    }
    sample.clone().set_addr(addr)
}

/// The server at `address`, a host and a port, with all other settings of `sample`.
pub(crate) fn at_text(sample: &ConnectionInfo, address: &str) -> RedisResult<ConnectionInfo> {
    let named = format!("redis://{address}").into_connection_info()?;
    let ConnectionAddr::Tcp(host, port) = named.addr() else { return Ok(named) };
    Ok(at(sample, host.clone(), *port))
}
