//! What is wrong with a URL. No error repeats one, since it may hold a password.

use std::str::FromStr;

use crate::error::SqlError;

const UNREADABLE: SqlError = SqlError::unusable(
    "the URL cannot be read: in the name and the password of the user, percent-encode `#` as \
     `%23`, `/` as `%2F`, `?` as `%3F`, `@` as `%40`, `:` as `%3A` and `%` as `%25`",
);

/// Reads the URL of a server, which begins in one of these ways; `otherwise` says so.
pub(crate) fn server<O>(
    url: &str,
    beginnings: [&str; 2],
    otherwise: &'static str,
) -> Result<O, SqlError>
where
    O: FromStr<Err = sqlx::Error>,
{
    let rest = beginnings.iter().find_map(|beginning| url.strip_prefix(beginning));
    let Some(rest) = rest else {
        return Err(SqlError::unusable(otherwise));
    };
    let (place, settings) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, database) = place.split_once('/').unwrap_or((place, ""));
    let is_setting = |text: &str| text.contains('=') || !text.contains('@');
    let are_settings = server.contains('@') || settings.split('&').all(is_setting);
    // What comes behind a character that ends the server's name.
    if rest.contains('#') || database.contains('@') || !are_settings {
        return Err(UNREADABLE);
    }
    url.parse().map_err(|_| {
        let without_settings = url.split('?').next().unwrap_or(url);
        match O::from_str(without_settings) {
            Ok(_) if without_settings != url => SqlError::REFUSED_SETTING,
            _ => UNREADABLE,
        }
    })
}
