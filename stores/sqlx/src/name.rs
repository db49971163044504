//! Names in a database: [`SqlName`].

/// The name of a table, a schema or a sequence: 1 to 63 ASCII letters, digits
/// and underscores. The first is not a digit.
///
/// Statements quote it, so a keyword can be a name. Case counts where it does for the server.
///
/// # Example
///
/// ```
/// use cloakroom_sqlx::SqlName;
///
/// let table = SqlName::new("shop_sessions")?;
/// assert_eq!(table.as_str(), "shop_sessions");
/// assert!(SqlName::new("sessions; DROP TABLE users").is_err());
/// # Ok::<(), cloakroom_sqlx::InvalidSqlName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlName {
    text: String,
}

impl SqlName {
    /// The longest name, in characters: PostgreSQL cuts a longer one off.
    pub const MAX: usize = 63;

    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`InvalidSqlName`] for a name that is empty or longer than 63 characters, that begins
    /// with a digit, or that has other characters than ASCII letters, digits and underscores.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidSqlName> {
        let text = name.into();
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins_well = text.bytes().next().is_some_and(|first| !first.is_ascii_digit());
        if !begins_well || text.len() > Self::MAX || !text.bytes().all(is_word) {
            return Err(InvalidSqlName);
        }
        Ok(Self { text })
    }

    /// The name, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Flask-Session's table.
    pub(crate) fn sessions() -> Self {
        Self { text: "sessions".to_owned() }
    }

    /// The name between two quotes. No character of it ends them.
    pub(crate) fn quoted(&self, quote: char) -> String {
        format!("{quote}{}{quote}", self.text)
    }
}

/// The text is not a name of a table, a schema or a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name in a database has 1 to 63 ASCII letters, digits and underscores, and does not begin with a digit"
)]
#[non_exhaustive]
pub struct InvalidSqlName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_end_its_quotes_is_refused() {
        let long = "a".repeat(SqlName::MAX + 1);
        for bad in ["", "1a", "a b", "a\"b", "a`b", "a'b", "a.b", "a;b", "a-b", "a\0", "é", &long]
        {
            assert_eq!(SqlName::new(bad), Err(InvalidSqlName), "{bad:?}");
        }
    }

    #[test]
    fn words_of_the_language_and_the_longest_names_are_accepted() {
        for good in ["a", "_", "select", "Sessions_2", &"a".repeat(SqlName::MAX)] {
            assert_eq!(SqlName::new(good).expect("a name").as_str(), good);
        }
    }
}
