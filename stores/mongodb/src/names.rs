//! Names of databases and collections.

/// The longest name of a database, in bytes.
const LONGEST_DATABASE: usize = 63;

/// The longest name of a database and a collection together, in bytes, with the
/// dot in between.
const LONGEST: usize = 255;

/// Characters that no database's name has on any system, beside control characters.
const NOT_IN_A_DATABASE: &[u8] = b"/\\. \"$*<>:|?";

/// The name is not possible for a database or a collection of MongoDB.
///
/// The name of a database has 1 to 63 bytes, no control character, and none of
/// `/ \ . " $ * < > : | ?` and space. The name of a collection has no `$` and no
/// control character, and does not begin with `system.`. Both together have at
/// most 254 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no database or collection of MongoDB can have this name")]
#[non_exhaustive]
pub struct InvalidMongoDbName;

pub(crate) fn check(database: &str, collection: &str) -> Result<(), InvalidMongoDbName> {
    let fits = !database.is_empty()
        && database.len() <= LONGEST_DATABASE
        && !collection.is_empty()
        && database.len() + 1 + collection.len() <= LONGEST;
    let is_database =
        !database.bytes().any(|b| b.is_ascii_control() || NOT_IN_A_DATABASE.contains(&b));
    let is_collection = !collection.bytes().any(|b| b.is_ascii_control() || b == b'$')
        && !collection.starts_with("system.");
    if fits && is_database && is_collection { Ok(()) } else { Err(InvalidMongoDbName) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_taken() {
        let long = "x".repeat(63);
        for (database, collection) in
            [("flask_session", "sessions"), ("a", "b.c"), ("wäsche", "mäntel"), (&long, "x")]
        {
            assert_eq!(check(database, collection), Ok(()), "{database} {collection}");
        }
        assert_eq!(check(&long, &"x".repeat(191)), Ok(()));
    }

    #[test]
    fn names_that_the_server_refuses_or_keeps_for_itself_are_refused() {
        let long = "x".repeat(64);
        for database in ["", "a.b", "a b", "a/b", "a\\b", "a$b", "a\0b", "a\"b", "a*b", &long] {
            assert_eq!(check(database, "sessions"), Err(InvalidMongoDbName), "{database}");
        }
        let long = "x".repeat(254);
        for collection in ["", "a$b", "a\0b", "system.users", &long] {
            assert_eq!(check("a", collection), Err(InvalidMongoDbName), "{collection}");
        }
    }
}
