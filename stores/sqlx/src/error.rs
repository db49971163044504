//! Faults: [`SqlError`].

use std::error::Error;
use std::{fmt, io};

use sqlx::error::DatabaseError;

use crate::name::SqlName;
use crate::number;

/// A fault of a store in an SQL database.
///
/// It never repeats a message of the server, which may contain a key or a value.
pub struct SqlError {
    fault: Fault,
}

enum Fault {
    TimedOut,
    /// All connections were in use, or none could be made in time.
    NoConnection,
    PoolClosed,
    Connection(Option<io::Error>),
    /// The URL or one of its settings cannot be used.
    Unusable(&'static str),
    Tls(Option<io::Error>),
    NoDatabase,
    SignIn,
    /// A statement was prepared on another connection to the server.
    Pooler,
    NoTable,
    /// The table is one of another program.
    Misfit(Box<str>),
    /// A unique index has the value already.
    Duplicate,
    /// The server undid the statement in favour of another one.
    RolledBack,
    /// A replica, perhaps one that was the master before.
    ReadOnly,
    /// SQLite waited too long for other writers.
    Locked,
    Refused(Box<str>),
    Unexpected,
    TooLarge,
}

/// How a server refuses a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Such a row or such a table exists.
    Duplicate,
    /// It did not happen, and may be sent again.
    RolledBack,
    Other,
}

impl SqlError {
    pub(crate) const TIMED_OUT: Self = Self { fault: Fault::TimedOut };
    pub(crate) const NO_CONNECTION: Self = Self { fault: Fault::NoConnection };
    pub(crate) const UNEXPECTED: Self = Self { fault: Fault::Unexpected };
    pub(crate) const REFUSED_SETTING: Self =
        Self::unusable("the URL has a setting that cannot be used: look at what stands behind `?`");
    pub(crate) const TOO_LARGE: Self = Self { fault: Fault::TooLarge };

    /// No URL, setting or file that a store could use.
    pub(crate) const fn unusable(what: &'static str) -> Self {
        Self { fault: Fault::Unusable(what) }
    }

    /// The table cannot hold sessions: it `has no column ..`, for example.
    pub(crate) fn misfit(table: &SqlName, what: String) -> Self {
        let table = table.as_str();
        let text = format!(
            "the table `{table}` {what}: leave it to the program that made it, and name another \
             with `options().table(..)`"
        );
        Self { fault: Fault::Misfit(text.into()) }
    }

    pub(crate) fn of(error: sqlx::Error) -> Self {
        let fault = match error {
            sqlx::Error::Database(error) => Fault::of_server(&*error),
            // A server whose certificate is not trusted.
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                Fault::Tls(Some(error))
            }
            sqlx::Error::Io(error) => Fault::Connection(Some(error)),
            sqlx::Error::WorkerCrashed => Fault::Connection(None),
            sqlx::Error::PoolTimedOut => Fault::NoConnection,
            sqlx::Error::PoolClosed => Fault::PoolClosed,
            sqlx::Error::Configuration(_) => {
                Fault::Unusable("no connection to the database can be made with these settings")
            }
            sqlx::Error::Tls(_) => Fault::Tls(None),
            _ => Fault::Unexpected,
        };
        Self { fault }
    }

    /// Whether a timeout ended the operation: while it waited for an answer, a connection, or
    /// other writers.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.fault, Fault::TimedOut | Fault::NoConnection | Fault::Locked)
    }

    /// Whether the value is longer than the database accepts.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        matches!(self.fault, Fault::TooLarge)
    }

    /// The answer of the server. `None` where the state of the connection is not known.
    pub(crate) fn answer(&self) -> Option<Answer> {
        match self.fault {
            Fault::Duplicate => Some(Answer::Duplicate),
            Fault::RolledBack => Some(Answer::RolledBack),
            Fault::SignIn | Fault::NoDatabase => Some(Answer::Other),
            Fault::NoTable | Fault::Misfit(_) | Fault::Locked => Some(Answer::Other),
            Fault::Refused(_) | Fault::TooLarge => Some(Answer::Other),
            Fault::TimedOut | Fault::NoConnection | Fault::PoolClosed => None,
            // It did not happen. A new connection may lead to the master.
            Fault::ReadOnly => None,
            // What is prepared there is not what `sqlx` takes it for.
            Fault::Pooler => None,
            Fault::Connection(_) | Fault::Unusable(_) | Fault::Tls(_) | Fault::Unexpected => None,
        }
    }
}

impl Fault {
    fn of_server(error: &dyn DatabaseError) -> Self {
        let code = error.code().unwrap_or_default();
        if error.is_unique_violation() {
            return Self::Duplicate;
        }
        match number(error) {
            // A server option such as `read_only` forbids it; InnoDB is read-only.
            Some(1_290 | 1_836) => return Self::ReadOnly,
            // Another process has made the schema, the table or the index.
            Some(1_049) => return Self::NoDatabase,
            Some(1_007 | 1_050 | 1_061) => return Self::Duplicate,
            _ => {}
        }
        if code.len() < SQLSTATE {
            return Self::of_sqlite(&code, error.message());
        }
        match &*code {
            // For PostgreSQL: another process is making the same table.
            "42P06" | "42P07" | "42710" => Self::Duplicate,
            "3D000" => Self::NoDatabase,
            "42P01" | "42S02" => Self::NoTable,
            "22001" | "54000" => Self::TooLarge,
            // A conflict of serializable transactions, and a deadlock.
            "40001" | "40P01" => Self::RolledBack,
            "25006" => Self::ReadOnly,
            // No such statement, another of its name, other values, and the seal of another.
            "26000" | "42P05" | "22P03" | "22012" => Self::Pooler,
            "08P01" if error.message().starts_with("bind message supplies") => Self::Pooler,
            code if code.starts_with("28") => Self::SignIn,
            code => Self::refused(code),
        }
    }

    /// Anything but a code could be part of a message.
    fn refused(code: &str) -> Self {
        let is_code = (1..=SQLSTATE).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Self::Refused(if is_code { code } else { "without a code" }.into())
    }

    /// SQLite's codes: the kind is in the lower eight bits.
    fn of_sqlite(code: &str, message: &str) -> Self {
        match code.parse::<u32>().map(|code| code & 0xff) {
            Ok(5 | 6) => Self::Locked,
            Ok(14) => Self::Unusable(
                "the database's file cannot be opened: look at the rights to it and its folder",
            ),
            Ok(18) => Self::TooLarge,
            Ok(1) if message.starts_with("no such table") => Self::NoTable,
            _ => Self::refused(code),
        }
    }
}

/// The length of the codes of the SQL standard.
const SQLSTATE: usize = 5;

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.fault {
            Fault::TimedOut => "the database did not answer in time",
            Fault::NoConnection => "no connection to the database became free in time",
            Fault::PoolClosed => "the pool of connections to the database was closed",
            Fault::Connection(_) => "the connection to the database failed",
            Fault::Unusable(what) => what,
            Fault::Tls(_) => {
                "no connection to the database through TLS: the server offers none, its \
                 certificate is not trusted, or the feature `rustls` of `cloakroom-sqlx` is off"
            }
            Fault::NoDatabase => "the server has no database of the name that the URL has",
            Fault::SignIn => "the database refused the user name or the password",
            Fault::Pooler => {
                "the connections lead to a pooler that shares prepared statements among its \
                 clients: call `options().transaction_pooler()`, or let the pooler keep a \
                 connection for the whole session"
            }
            Fault::NoTable => "the table does not exist: call `migrate()`, which makes it",
            Fault::Misfit(what) => return f.write_str(what),
            Fault::Duplicate => "the database has such a row or table already",
            Fault::RolledBack => "the database undid the operation in favour of another one",
            Fault::ReadOnly => "the database accepts no changes: it is a replica, or read-only",
            Fault::Locked => "other writers keep the database locked",
            Fault::Refused(code) => return write!(f, "the database refused a statement: {code}"),
            Fault::Unexpected => "the database sent an unexpected answer",
            Fault::TooLarge => "the value is longer than the database accepts",
        })
    }
}

impl fmt::Debug for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqlError({self})")
    }
}

impl Error for SqlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.fault {
            Fault::Connection(Some(error)) | Fault::Tls(Some(error)) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use sqlx::error::ErrorKind;

    use super::*;

    /// What a server says; its code stands for the whole.
    #[derive(Debug, thiserror::Error)]
    #[error("session:secret")]
    struct Said(&'static str);

    impl DatabaseError for Said {
        fn message(&self) -> &str {
            "session:secret"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    #[test]
    fn only_a_code_of_the_server_is_repeated() {
        for (code, repeated) in [
            ("HY000", "HY000"),
            ("11", "11"),
            ("", "without a code"),
            ("\x1b[2J\n", "without a code"),
            ("session:secret", "without a code"),
        ] {
            let fault = SqlError::of(sqlx::Error::Database(Box::new(Said(code))));
            let expected = format!("the database refused a statement: {repeated}");
            assert_eq!(fault.to_string(), expected);
            assert!(!format!("{fault:?}").contains("secret"));
        }
    }

    #[test]
    fn a_connection_to_a_replica_is_not_kept() {
        let fault = SqlError::of(sqlx::Error::Database(Box::new(Said("25006"))));
        assert!(fault.answer().is_none());
        assert!(fault.to_string().ends_with("it is a replica, or read-only"));
    }
}
