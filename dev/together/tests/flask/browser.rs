//! A browser that visits both applications, and keeps one cookie for them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An application that can be visited.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) socket: SocketAddr,
    /// What is sent along with every request, as lines of its head.
    pub(crate) head: String,
}

/// A clone is another browser: an attacker who copied the cookie.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    /// The value of the cookie `session`.
    pub(crate) cookie: Option<String>,
}

impl Browser {
    pub(crate) async fn get(&mut self, address: &Address, path: &str) -> Reply {
        self.send(address, &format!("GET {path}"), &[]).await
    }

    pub(crate) async fn post(
        &mut self,
        address: &Address,
        path: &str,
        form: &[(&str, &str)],
    ) -> Reply {
        self.send(address, &format!("POST {path}"), form).await
    }

    async fn send(&mut self, address: &Address, what: &str, form: &[(&str, &str)]) -> Reply {
        let reply = self.try_send(address, what, form).await;
        assert!((200..300).contains(&reply.status), "{what}: {} {}", reply.status, reply.body);
        reply
    }

    /// Sends a request, and keeps the cookie of the response, whatever its status.
    pub(crate) async fn try_send(
        &mut self,
        address: &Address,
        what: &str,
        form: &[(&str, &str)],
    ) -> Reply {
        let cookie = self.cookie.iter().map(|value| format!("Cookie: session={value}\r\n"));
        let form: Vec<_> =
            form.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
        let form = form.join("&");
        let request = format!(
            "{what} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{}{}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            address.head,
            cookie.collect::<String>(),
            form.len(),
        );
        let reply = Reply::read(exchange(address.socket, request.as_bytes()).await);
        if let Some(set) = &reply.set_cookie() {
            self.cookie = set.kept();
        }
        reply
    }
}

async fn exchange(socket: SocketAddr, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(socket).await.expect("the application listens");
    connection.write_all(request).await.expect("it reads the request");
    let mut response = Vec::new();
    connection.read_to_end(&mut response).await.expect("it responds");
    String::from_utf8(response).expect("a response of text")
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    fn read(response: String) -> Self {
        let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// The values of a header, joined as they may be.
    pub(crate) fn header(&self, name: &str) -> String {
        self.headers(name).collect::<Vec<_>>().join(", ")
    }

    /// The cookie that is set; none, or one.
    pub(crate) fn set_cookie(&self) -> Option<SetCookie> {
        let mut set = self.headers("set-cookie");
        let first = set.next().map(SetCookie::read);
        assert!(set.next().is_none(), "one cookie at most");
        first
    }

    fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A cookie as a response sets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// Without `Expires` and `Max-Age`, in alphabetical order.
    pub(crate) attributes: Vec<String>,
    pub(crate) expires: Option<String>,
    pub(crate) max_age: Option<String>,
}

impl SetCookie {
    fn read(line: &str) -> Self {
        let mut parts = line.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("a pair");
        let mut attributes: Vec<_> = parts.map(str::to_owned).collect();
        attributes.sort();
        let mut take = |prefix: &str| {
            let place = attributes.iter().position(|attribute| attribute.starts_with(prefix))?;
            Some(attributes.remove(place)[prefix.len()..].to_owned())
        };
        let (expires, max_age) = (take("Expires="), take("Max-Age="));
        Self { name: name.to_owned(), value: value.to_owned(), attributes, expires, max_age }
    }

    pub(crate) fn is_removal(&self) -> bool {
        self.max_age.as_deref() == Some("0")
    }

    /// What a browser keeps of it.
    fn kept(&self) -> Option<String> {
        (!self.is_removal()).then(|| self.value.clone())
    }
}
