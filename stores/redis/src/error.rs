//! What can go wrong at Redis.

use std::error::Error;
use std::fmt;

use redis::{ErrorKind, ServerErrorKind};

/// What can go wrong in [`Redis`](crate::Redis).
///
/// What the server wrote about it is not repeated, except for the code in front
/// (`READONLY`, `OOM`): some servers repeat the key.
pub struct RedisError {
    fault: Fault,
}

enum Fault {
    TimedOut,
    /// The connection, or making one, failed; with an I/O error as its source
    /// where there is one.
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

    /// What is wrong with a reply that no operation has a meaning for.
    pub(crate) fn of_reply(reply: redis::RedisResult<redis::Value>) -> Self {
        reply.map_or_else(Self::of, |_| Self::UNEXPECTED)
    }

    /// Whether the reply did not arrive in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.fault, Fault::TimedOut)
    }

    /// Whether the value was too long to be sent.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.fault, Fault::TooLarge)
    }
}

/// A code is one word in capitals; anything else could be a key.
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
                "no connection to Redis can be made from these URLs and settings; TLS takes a TLS feature of the crate `redis`"
            }
            Fault::NoNode => "no node of the Redis cluster could be reached",
            Fault::SignIn => "Redis refused the user name or the password",
            Fault::UnknownCommand => {
                "Redis does not know a command: version 6.2 or newer is needed, with no command renamed"
            }
            Fault::Refused(code) => return write!(f, "Redis refused a command: {code}"),
            Fault::Unexpected => "the reply of Redis cannot be understood",
            Fault::TooLarge => "the value is over the 512 MiB that Redis takes",
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

    /// As Redis 6.0 answers to `GETEX`.
    const LEAK: &[u8] =
        b"-ERR unknown command `GETEX`, with args beginning with: `session:secret`, \r\n";

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
    fn an_old_server_is_told_apart() {
        assert!(error_of(LEAK).to_string().contains("6.2 or newer"));
        assert!(error_of(b"-OOM no memory\r\n").to_string().ends_with(": OOM"));
    }
}
