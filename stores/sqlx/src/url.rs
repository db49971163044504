//! What is wrong with a URL. No error repeats one, since it may hold a password.

use std::str::FromStr;

use crate::error::SqlError;

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
    let (place, _) = rest.split_once('?').unwrap_or((rest, ""));
    let (_, database) = place.split_once('/').unwrap_or((place, ""));
    // What comes behind a character that ends the server's name.
    if rest.contains('#') || database.contains('@') {
        return Err(SqlError::UNREADABLE_URL);
    }
    url.parse().map_err(|_| {
        let without_settings = url.split('?').next().unwrap_or(url);
        match O::from_str(without_settings) {
            Ok(_) if without_settings != url => SqlError::REFUSED_SETTING,
            _ => SqlError::UNREADABLE_URL,
        }
    })
}
