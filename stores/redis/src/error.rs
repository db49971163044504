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

/// Every command that the store sends, also in a script.
const COMMANDS: [&str; 14] = [
    "GET", "SET", "GETDEL", "EXISTS", "PEXPIRE", "PTTL", "EVAL", "EVALSHA", "PING", "SELECT",
    "CLIENT", "CLUSTER", "HELLO", "ROLE",
];

enum Fault {
    TimedOut,
    /// A connection failed, or could not be made. Has an I/O error as its source where
    /// there is one.
    Connection(Option<redis::RedisError>),
    /// The URL or the settings cannot be used.
    Unusable,
    /// No node of the cluster could be reached.
    NoNode,
    NoMaster,
    SignIn,
    /// The server is too old, or has another name for the command.
    UnknownCommand(Option<&'static str>),
    /// An access rule forbids the command.
    Forbidden(&'static str),
    /// An access rule forbids the key.
    ForbiddenKey,
    /// The other side speaks RESP2 alone.
    NoResp3,
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
            ErrorKind::MasterNameNotFoundBySentinel => Fault::NoMaster,
            ErrorKind::AuthenticationFailed => Fault::SignIn,
            ErrorKind::RESP3NotSupported => Fault::NoResp3,
            ErrorKind::Server(ServerErrorKind::ResponseError) if is_unknown_command(&error) => {
                match command_in(&error) {
                    // It asks for RESP3.
                    Some("HELLO") => Fault::NoResp3,
                    command => Fault::UnknownCommand(command),
                }
            }
            ErrorKind::Server(_) | ErrorKind::Extension => match code_of(&error) {
                "WRONGPASS" | "NOAUTH" => Fault::SignIn,
                "NOPERM" => command_in(&error).map_or(Fault::ForbiddenKey, Fault::Forbidden),
                code => Fault::Refused(code.into()),
            },
            _ => Fault::Unexpected,
        };
        Self { fault }
    }

    /// The fault of a reply that the operation does not expect.
    pub(crate) fn of_reply(reply: redis::RedisResult<redis::Value>) -> Self {
        reply.map_or_else(Self::of, |_| Self::UNEXPECTED)
    }

    /// Whether an access rule or the version of the server stands in the way of a command.
    pub(crate) fn forbids_a_command(&self) -> bool {
        matches!(self.fault, Fault::Forbidden(_) | Fault::UnknownCommand(_))
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

/// The command that the server's message names, if the store sends it.
fn command_in(error: &redis::RedisError) -> Option<&'static str> {
    let detail = error.detail()?;
    let quoted = detail.split(['\'', '`']).skip(1).step_by(2);
    let name = quoted.map(|word| word.split('|').next().unwrap_or(word)).next()?;
    COMMANDS.into_iter().find(|command| command.eq_ignore_ascii_case(name))
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
                "the URL is not one of Redis, or it asks for TLS without the feature `rustls` of `cloakroom-redis`"
            }
            Fault::NoNode => "no node of the Redis cluster could be reached",
            Fault::NoMaster => "no sentinel of Redis knows a master of this name",
            Fault::SignIn => "Redis refused the user name or the password",
            Fault::UnknownCommand(None) => {
                "Redis does not know a command: use version 6.2 or newer, and rename no command"
            }
            Fault::UnknownCommand(Some(command)) => {
                return write!(
                    f,
                    "Redis does not know the command {command}: use version 6.2 or newer, and rename no command"
                );
            }
            Fault::Forbidden(command) => {
                return write!(
                    f,
                    "Redis forbids this user the command {command}: the documentation of `Redis` lists the commands to allow"
                );
            }
            Fault::ForbiddenKey => {
                "Redis forbids this user the key: allow the prefix of the session keys, `~session:*` by default"
            }
            Fault::NoResp3 => {
                "this needs RESP3: use Redis 6.2 or newer; behind a proxy that knows RESP2 alone, call `RedisOptions::resp2`, and leave `NearCache` out"
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
        assert!(error_of(LEAK).to_string().contains(" GETDEL:"));
        assert!(error_of(b"-OOM no memory\r\n").to_string().ends_with(": OOM"));
    }

    #[test]
    fn a_command_that_an_access_rule_forbids_is_named() {
        for reply in [
            &b"-NOPERM User s has no permissions to run the 'eval' command\r\n"[..],
            b"-NOPERM this user has no permissions to run the 'eval' command or its subcommand\r\n",
        ] {
            assert!(error_of(reply).to_string().contains("the command EVAL:"));
        }
        let tracking =
            b"-NOPERM User s has no permissions to run the 'client|tracking' command\r\n";
        assert!(error_of(tracking).to_string().contains("the command CLIENT:"));
        let key = error_of(b"-NOPERM No permissions to access a key\r\n");
        assert!(key.to_string().contains("~session:*"));
        let named = error_of(b"-NOPERM User s has no permissions to run the 'secret' command\r\n");
        assert!(!named.to_string().contains("secret"));
    }

    #[test]
    fn a_wrong_password_of_a_named_user_is_one_of_the_sign_in() {
        let error = error_of(b"-WRONGPASS invalid username-password pair\r\n");
        assert_eq!(error.to_string(), "Redis refused the user name or the password");
    }
}
