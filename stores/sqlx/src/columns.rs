//! Whether a table that exists is one for sessions. Another program may have made it.

use crate::error::SqlError;
use crate::name::SqlName;

/// A column of the table.
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type, as the server writes it.
    pub(crate) kind: String,
    /// Whether a row has a value here that does not name the column.
    pub(crate) fills_itself: bool,
    pub(crate) is_nullable: bool,
    /// Whether two texts that differ in a byte differ here.
    pub(crate) is_exact: bool,
}

/// What the store needs a column to be.
pub(crate) struct Needed {
    pub(crate) name: &'static str,
    /// The type, in words of the documentation.
    pub(crate) kind: &'static str,
    /// Whether a type will do: its name, and the number in parentheses.
    pub(crate) fits: fn(&str, Option<u64>) -> bool,
}

/// Checks the columns. `numbers_rows` is whether the store gives each row its `id`.
pub(crate) fn check_columns(
    table: &SqlName,
    columns: &[Column],
    needed: &[Needed],
    numbers_rows: bool,
) -> Result<(), SqlError> {
    let misfit = |what: String| Err(SqlError::misfit(table, what));
    for Needed { name, kind, fits } in needed {
        let Some(column) = columns.iter().find(|column| column.name == *name) else {
            return misfit(format!("has no column `{name}`"));
        };
        let (base, number) = parts(&column.kind);
        if !fits(&base, number) {
            let found = plain(&column.kind);
            return misfit(format!("has a column `{name}` of the type {found}, not {kind}"));
        }
        if *name == "session_id" && !column.is_exact {
            return misfit(format!("compares `{name}` by a collation that takes keys for equal"));
        }
        if *name == "id" && !column.fills_itself && !numbers_rows {
            return misfit(format!("has a column `{name}` that does not number the rows itself"));
        }
    }
    let others = columns.iter().filter(|column| needed.iter().all(|n| n.name != column.name));
    for Column { name, is_nullable, fills_itself, .. } in others {
        if !is_nullable && !fills_itself {
            let name = plain(name);
            return misfit(format!(
                "has a column {name} that needs a value, and sessions have none"
            ));
        }
    }
    Ok(())
}

/// The name of a type without what stands in parentheses, and the number there.
fn parts(kind: &str) -> (String, Option<u64>) {
    let kind = kind.to_ascii_lowercase();
    let parts = kind.split_once('(').and_then(|(name, rest)| {
        let (number, rest) = rest.split_once(')')?;
        Some((format!("{}{rest}", name.trim_end()), number.trim().parse().ok()))
    });
    parts.unwrap_or((kind, None))
}

/// A name that the server knows, in quotes, unless it could be mistaken for something else.
fn plain(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_ (),.".contains(&byte);
    if name.is_empty() || name.len() > SqlName::MAX || !name.bytes().all(is_plain) {
        return "with an unusual name".to_owned();
    }
    format!("`{name}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_a_name_and_a_number() {
        for (kind, name, number) in [
            ("character varying(32)", "character varying", Some(32)),
            ("timestamp(0) without time zone", "timestamp without time zone", Some(0)),
            ("LONGBLOB", "longblob", None),
            ("decimal(10,2)", "decimal", None),
            ("varchar(", "varchar(", None),
        ] {
            assert_eq!(parts(kind), (name.to_owned(), number), "{kind}");
        }
    }

    #[test]
    fn a_name_with_control_characters_is_not_repeated() {
        assert_eq!(plain("payload"), "`payload`");
        assert_eq!(plain("\x1b[2J"), "with an unusual name");
    }
}
