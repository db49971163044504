//! The file of [`Sqlite`](crate::Sqlite), before SQLite opens it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;

use crate::error::SqlError;

/// Where the file is. SQLite takes a name that begins with `file:` for a URI.
pub(super) fn path_of(file: &SqliteConnectOptions) -> PathBuf {
    let name = file.get_filename();
    let Some(uri) = name.to_str().and_then(|name| name.strip_prefix("file:")) else {
        return name.to_owned();
    };
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    match path.strip_prefix("//localhost/").or(path.strip_prefix("///")) {
        Some(path) => Path::new("/").join(path),
        None => path.into(),
    }
}

/// Makes the file where it is missing, readable for its user alone. SQLite gives the files that
/// it keeps beside it the same mode.
pub(super) fn prepare(path: &Path, is_new: bool) -> Result<(), SqlError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.exists()) {
        return Err(SqlError::unusable(
            "the folder of the database's file does not exist: make it first",
        ));
    }
    if is_new {
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // Where it exists, or cannot be made, SQLite goes on, or says why not.
        drop(options.write(true).create_new(true).open(path));
    }
    Ok(())
}
