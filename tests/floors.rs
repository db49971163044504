//! Holds the code to its floors: a file imports only from floors below its own.
//!
//! The test reads the paths that begin with `crate`, `super` or `self`, in `use`
//! declarations and elsewhere. What comments, strings and unit tests say does not
//! count.

#[path = "floors/imports.rs"]
mod imports;
#[path = "floors/tokens.rs"]
mod tokens;

use std::fs;
use std::path::Path;

use imports::{Import, imports};
use tokens::{Tokens, find, outside_of_tests, tokens};

/// Which floor a file is on. Where two entries fit, the first counts.
///
/// What codecs share, such as `codec/fields.rs` and `codec/strict.rs`, is part of
/// the trait's own floor, so that a codec may use it; and so with signers.
const FLOORS: &[(&str, u8)] = &[
    ("clock.rs", 0),
    ("cookie/", 0),
    ("flask/", 0),
    ("id.rs", 0),
    ("secret.rs", 0),
    ("ttl.rs", 0),
    ("codec/mod.rs", 1),
    ("codec/fields.rs", 1),
    ("codec/foreign.rs", 1),
    ("codec/named.rs", 1),
    ("codec/strict.rs", 1),
    ("codec/unrepresentable.rs", 1),
    ("signer/mod.rs", 1),
    ("signer/tag.rs", 1),
    ("store.rs", 1),
    ("codec/", 2),
    ("signer/", 2),
    ("store/", 2),
    ("contract/", 2),
    ("cause.rs", 2),
    ("error.rs", 2),
    ("record.rs", 2),
    ("config/", 3),
    ("session/", 4),
    ("middleware/", 5),
    ("axum.rs", 6),
    ("guide/", 6),
];

const LONGEST_FILE: usize = 400;

/// The root of the crate, which declares every module and is imported by none.
const ROOT: &str = "lib.rs";

/// A file under `src`, by its path there.
struct Source {
    path: String,
    text: String,
}

#[test]
fn a_file_imports_only_from_floors_below_its_own() {
    assert_none(misplaced_imports(&sources()));
}

#[test]
fn a_feature_is_asked_for_only_where_modules_are_declared() {
    assert_none(misplaced_features(&sources()));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    assert_none(long_files(&sources()));
}

fn misplaced_imports(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path != ROOT) {
        let path = &source.path;
        if floor(path).is_none() {
            found.push(format!("{path} is on no floor: add it to `FLOORS`"));
        }
        for import in imports(&outside_of_tests(tokens(&source.text))) {
            let Some(target) = import.target(path, |file| has(sources, file)) else { continue };
            if !may_import(path, &target, &import) {
                found.push(format!("{path} imports {import}, which is in {target}"));
            }
        }
    }
    found
}

/// Whether there is a folder of this name at the top of the crate.
fn has_folder(sources: &[Source], name: &str) -> bool {
    !name.contains('/') && sources.iter().any(|source| source.path.starts_with(&format!("{name}/")))
}

fn has(sources: &[Source], path: &str) -> bool {
    sources.iter().any(|source| source.path == path)
}

fn may_import(from: &str, target: &str, import: &Import) -> bool {
    if unit(from) == unit(target) || import.is_reexport_of_child() {
        return true;
    }
    match (floor(from), floor(target)) {
        (Some(from), Some(target)) => target < from,
        _ => false,
    }
}

fn floor(path: &str) -> Option<u8> {
    let fits = |entry: &str| match entry.strip_suffix('/') {
        Some(folder) => path.starts_with(entry) || path.strip_suffix(".rs") == Some(folder),
        None => path == entry,
    };
    FLOORS.iter().find(|(entry, _)| fits(entry)).map(|(_, floor)| *floor)
}

/// The files that count as one and import each other freely: a folder with the file
/// of its name, or a single store, codec or signer.
fn unit(path: &str) -> &str {
    let end = match path.split_once('/') {
        Some((folder @ ("codec" | "signer" | "store"), file)) if floor(path) == Some(2) => {
            let file = file.split_once(['/', '.']).map_or(file, |(name, _)| name);
            folder.len() + 1 + file.len()
        }
        Some((folder, _)) => folder.len(),
        None => path.trim_end_matches(".rs").len(),
    };
    &path[..end]
}

/// `cfg` attributes that name a feature, unless they stand on a `mod` or `use`
/// in `lib.rs`, or in the file of a folder. The documentation's own examples are no code.
fn misplaced_features(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources {
        let tokens = outside_of_tests(tokens(text));
        for at in find(&tokens, "cfg") {
            let Some(condition) = tokens.group_after(at) else { continue };
            if !condition.has("feature") || condition.has("doctest") {
                continue;
            }
            let declares_modules = path == ROOT
                || path.ends_with("/mod.rs")
                || path.strip_suffix(".rs").is_some_and(|name| has_folder(sources, name));
            if !(declares_modules && tokens.is_attribute_of_module_or_use(at)) {
                found.push(format!("{path} asks for {}", condition.text()));
            }
        }
    }
    found
}

fn long_files(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .map(|source| (&source.path, source.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(path, lines)| format!("{path} has {lines} lines"))
        .collect()
}

fn sources() -> Vec<Source> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&src, &src, &mut sources);
    assert!(has(&sources, ROOT), "the sources are not in {}", src.display());
    sources
}

fn collect(src: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(src, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a readable file");
            let path = path.strip_prefix(src).expect("under src").display().to_string();
            sources.push(Source { path, text });
        }
    }
}

#[track_caller]
fn assert_none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

mod the_check_itself {
    use super::*;

    /// A crate of which only `text`, at `path`, is of interest.
    fn made_up(path: &str, text: &str) -> Vec<Source> {
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let mut sources = vec![source(path, text)];
        for other in [
            "lib.rs",
            "id.rs",
            "ttl.rs",
            "error.rs",
            "codec/mod.rs",
            "codec/json.rs",
            "store.rs",
            "store/file.rs",
            "store/file/dir.rs",
            "store/memory.rs",
            "session/mod.rs",
            "session/open.rs",
            "axum.rs",
        ] {
            if other != path {
                sources.push(source(other, ""));
            }
        }
        sources
    }

    #[track_caller]
    fn assert_refused(path: &str, text: &str, targets: &[&str]) {
        let found = misplaced_imports(&made_up(path, text));
        assert_eq!(found.len(), targets.len(), "{text}: {found:?}");
        for (message, target) in found.iter().zip(targets) {
            assert!(message.ends_with(&format!("is in {target}")), "{message}");
        }
    }

    #[track_caller]
    fn assert_accepted(path: &str, text: &str) {
        assert_refused(path, text, &[]);
    }

    #[test]
    fn an_import_from_above_is_refused() {
        assert_refused("id.rs", "use crate::session::Session;", &["session/mod.rs"]);
        assert_refused("store.rs", "pub use crate::axum::*;", &["axum.rs"]);
        assert_refused("error.rs", "use crate::session::open::State;", &["session/open.rs"]);
        assert_refused("session/mod.rs", "use crate::axum;", &["axum.rs"]);
    }

    #[test]
    fn an_import_from_a_sibling_is_refused() {
        assert_refused("id.rs", "use crate::ttl::Ttl;", &["ttl.rs"]);
        assert_refused("store/memory.rs", "use super::file::File;", &["store/file.rs"]);
        assert_refused("store/memory.rs", "use crate::codec::json::Json;", &["codec/json.rs"]);
        assert_refused("store/file/dir.rs", "use super::super::memory::X;", &["store/memory.rs"]);
    }

    #[test]
    fn every_branch_of_a_group_counts() {
        let text = "use crate::{\n    id::SessionId,\n    session::{\n        open::{State, Stored},\n        Session as S,\n    },\n};";
        assert_refused("error.rs", text, &["session/open.rs", "session/open.rs", "session/mod.rs"]);
    }

    #[test]
    fn a_path_outside_of_a_use_counts() {
        let text = "fn f(session: &crate::session::Session) { super::axum::f(); }";
        assert_refused("ttl.rs", text, &["session/mod.rs", "axum.rs"]);
        assert_refused("ttl.rs", "mod inner { use super::super::axum::f; }", &["axum.rs"]);
    }

    #[test]
    fn a_name_taken_from_the_root_hides_its_floor_and_is_refused() {
        assert_refused("session/open.rs", "use crate::Memory;", &["lib.rs"]);
        assert_refused("session/open.rs", "use crate::*;", &["lib.rs"]);
    }

    #[test]
    fn an_import_into_a_child_counts_unless_it_is_a_reexport() {
        assert_refused("store.rs", "use self::file::File;", &["store/file.rs"]);
        assert_accepted("store.rs", "pub use self::file::{File, FileError};");
        assert_accepted("session/mod.rs", "use self::open::State;");
    }

    #[test]
    fn imports_from_below_and_within_a_unit_are_accepted() {
        assert_accepted("session/open.rs", "use crate::id::SessionId; use super::Session;");
        assert_accepted("store/file/dir.rs", "use super::Thing; use crate::store::file::Other;");
        assert_accepted(
            "store/file.rs",
            "use self::dir::Dir; use super::Store; use crate::ttl::*;",
        );
        assert_accepted("axum.rs", "use crate::session::open::State;");
    }

    #[test]
    fn comments_strings_tests_and_macros_of_the_crate_do_not_count() {
        assert_accepted("id.rs", "//! use crate::axum::f;\n/* /* */ crate::axum */ fn f() {}");
        assert_accepted("id.rs", r##"const S: &str = r#"a " crate::axum"#; const C: char = '"';"##);
        assert_accepted("id.rs", "#[cfg(test)]\nmod tests { use crate::axum::f; }");
        assert_accepted("id.rs", "fn f() { crate::cookie_name!(\"id\"); $crate::axum::f() }");
        assert_accepted("id.rs", "mod sealed { impl Kind for super::Host {} }");
        assert_accepted("id.rs", "pub(crate) fn f<'a>(x: &'a str) {}");
        // What follows such a place counts again.
        let text = "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::axum::f; // \"";
        assert_refused("id.rs", text, &["axum.rs"]);
        assert_refused("id.rs", "const Q: char = '\\''; use crate::axum::f;", &["axum.rs"]);
    }

    #[test]
    fn a_file_without_a_floor_is_refused() {
        assert_eq!(misplaced_imports(&made_up("cellar.rs", "")).len(), 1);
    }

    #[test]
    fn a_feature_inside_the_code_is_refused() {
        let refused = |path, text| misplaced_features(&made_up(path, text)).len();
        let on_a_module = "#[cfg(feature = \"x\")]\n#[doc(hidden)]\npub(crate) mod x;";
        assert_eq!(refused("store.rs", on_a_module), 0);
        assert_eq!(refused("store.rs", "#[cfg(feature = \"x\")]\npub use self::x::X;"), 0);
        assert_eq!(refused("store.rs", "#[cfg(all(unix, feature = \"x\"))]\nfn f() {}"), 1);
        assert_eq!(refused("store.rs", "fn f() { if cfg!(feature = \"x\") {} }"), 1);
        assert_eq!(refused("store/file.rs", on_a_module), 1);
        assert_eq!(refused("store/file.rs", "#[cfg(unix)]\nfn f() {}"), 0);
        assert_eq!(refused("store/file.rs", "#![cfg(feature = \"x\")]"), 1);
    }

    #[test]
    fn a_long_file_is_refused() {
        assert_eq!(long_files(&made_up("id.rs", &"\n".repeat(400))).len(), 0);
        assert_eq!(long_files(&made_up("id.rs", &"\n".repeat(401))).len(), 1);
    }
}
