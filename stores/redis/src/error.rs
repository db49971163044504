//! Faults: [`RedisError`].

use std::error::Error;
use std::fmt;

use redis::{ErrorKind, ServerErrorKind};

/// A fault of [`Redis`](crate::Redis).
///
/// Of what the server wrote, it repeats only the code (`READONLY`, `OOM`): some servers
/// write the key.
pub struct RedisError {
    fault: Fault,
}

enum Fault {
    TimedOut,
    /// A connection failed, or could not be made. Has an I/O error as its source where
    /// there is one.
    Connection(Option<redis::RedisError>),
    /// The URL or the settings cannot be used.
    Unusable,
    /// No node of the cluster could be reached.
    NoNode,
    SignIn,
    /// The server is too old, or an access rule hides a command.
    UnknownCommand,
    Refused(Box<str>),
    Unexpected,
    TooLarge,
}

impl RedisError {
    pub(crate) const UNEXPECTED: Self = Self { fault: Fault::Unexpected };
    pub(crate) const TOO_LARGE: Self = Self { fault: Fault::TooLarge };

    pub(crate) fn of(error: redis::RedisError) -> Self {
        let fault = match error.kind() {
            ErrorKind::Io if error.is_timeout() => Fault::TimedOut,
            ErrorKind::Io => Fault::Connection(Some(error)),
            ErrorKind::InvalidClientConfig => Fault::Unusable,
            ErrorKind::ClusterConnectionNotFound => Fault::NoNode,
            ErrorKind::AuthenticationFailed => Fault::SignIn,
            ErrorKind::RESP3NotSupported => Fault::UnknownCommand,
            ErrorKind::Server(ServerErrorKind::ResponseError) if is_unknown_command(&error) => {
                Fault::UnknownCommand
            }
            ErrorKind::Server(_) | ErrorKind::Extension => Fault::Refused(code_of(&error).into()),
            _ => Fault::Unexpected,
        };
        Self { fault }
    }

    /// The fault of a reply that the operation does not expect.
    pub(crate) fn of_reply(reply: redis::RedisResult<redis::Value>) -> Self {
        reply.map_or_else(Self::of, |_| Self::UNEXPECTED)
    }

    /// Whether a timeout ended the operation.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.fault, Fault::TimedOut)
    }

    /// Whether the value is longer than Redis accepts.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.fault, Fault::TooLarge)
    }
}

/// A code is one word in capitals. Anything else could be a key.
fn code_of(error: &redis::RedisError) -> &str {
    let code = error.code().filter(|code| code.bytes().all(|byte| byte.is_ascii_uppercase()));
    code.unwrap_or("ERR")
}

fn is_unknown_command(error: &redis::RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.starts_with("unknown command"))
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.fault {
            Fault::TimedOut => "Redis did not answer in time",
            Fault::Connection(_) => "the connection to Redis failed",
            Fault::Unusable => {
                "the URL is not one of Redis, or it asks for TLS without a TLS feature of the crate `redis`"
            }
            Fault::NoNode => "no node of the Redis cluster could be reached",
            Fault::SignIn => "Redis refused the user name or the password",
            Fault::UnknownCommand => {
                "Redis does not know a command: use version 6.2 or newer, and rename no command"
            }
            Fault::Refused(code) => return write!(f, "Redis refused a command: {code}"),
            Fault::Unexpected => "Redis sent an unexpected reply",
            Fault::TooLarge => "the value is longer than the 512 MiB that Redis accepts",
        })
    }
}

impl fmt::Debug for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisError({self})")
    }
}

impl Error for RedisError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::Connection(Some(error)) => error.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Redis 6.0 answers to `GETDEL`.
    const LEAK: &[u8] =
        b"-ERR unknown command `GETDEL`, with args beginning with: `session:secret`, \r\n";

    fn error_of(reply: &[u8]) -> RedisError {
        let reply = redis::parse_redis_value(reply).expect("a reply");
        RedisError::of(reply.extract_error().expect_err("an error"))
    }

    #[test]
    fn a_message_of_the_server_that_names_a_key_is_not_repeated() {
        let other = b"-WRONGTYPE session:secret holds a list\r\n";
        let no_code = b"-session:secret is no string\r\n";
        for reply in [LEAK, other, no_code] {
            let error = error_of(reply);
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
            assert!(error.source().is_none());
        }
    }

    #[test]
    fn an_old_server_is_recognised() {
        assert!(error_of(LEAK).to_string().contains("6.2 or newer"));
        assert!(error_of(b"-OOM no memory\r\n").to_string().ends_with(": OOM"));
    }
}
