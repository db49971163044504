//! Holds the code to its layers: a file imports only from layers below its own, and no
//! files import each other in a circle.
//!
//! The test reads the paths that begin with `crate`, `super` or `self`, in `use`
//! declarations and elsewhere. A name that a file re-exports from a child belongs to the
//! child. Comments, strings and unit tests do not count.

#[path = "layers/imports.rs"]
mod imports;
#[path = "layers/tokens.rs"]
mod tokens;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use imports::{Import, imports};
use tokens::{Token, Tokens, find, outside_of_tests, tokens};

/// The layers of the code, from the bottom up.
///
/// An entry is a file, or a folder with the file of its name. Entries of one layer do not
/// import each other. The files of a folder do, but not in a circle. Where two entries
/// fit a file, the longer one counts.
const LAYERS: &[&[&str]] = &[
    // Values.
    &["cookie/", "flask/", "id.rs", "renewal.rs", "secret.rs", "ttl.rs"],
    // The three traits, and what their implementations share.
    &[
        "clock.rs",
        "codec/depth.rs",
        "codec/fields.rs",
        "codec/kind.rs",
        "codec/marker.rs",
        "codec/undecodable.rs",
        "codec/unrepresentable.rs",
        "error.rs",
        "record/header.rs",
        "signer.rs",
        "store/eviction.rs",
        "store/key.rs",
    ],
    &[
        "cause.rs",
        "codec/reading.rs",
        "codec/writing.rs",
        "record/format.rs",
        "signer/tag.rs",
        "store.rs",
    ],
    &["codec.rs", "record/native.rs"],
    &["codec/named.rs"],
    &["codec/by_entry.rs", "codec/strict.rs", "record/flask.rs"],
    // Stores, codecs and signers, and what a store promises.
    &[
        "codec/flask.rs",
        "codec/json.rs",
        "codec/messagepack/",
        "codec/postcard/",
        "contract/",
        "record.rs",
        "signer/hmac.rs",
        "signer/itsdangerous.rs",
        "signer/unsigned.rs",
        "store/arc.rs",
        "store/file/",
        "store/memory.rs",
        "store/null.rs",
    ],
    // The builder and the finished configuration.
    &["config/"],
    // A session: what is known about it, and what it says of itself.
    &[
        "session/address.rs",
        "session/changes.rs",
        "session/immediate.rs",
        "session/lifetimes.rs",
        "session/present.rs",
    ],
    &["session/candidates.rs", "session/state.rs"],
    // What is found, what is decided, and single steps at the store.
    &["session/decide.rs", "session/merge.rs", "session/open.rs", "session/records.rs"],
    // What is done, each over the one before.
    &["session/write.rs"],
    &["session/cookies.rs", "session/end.rs"],
    &["session/rotate.rs"],
    &["session/save.rs"],
    &["session/finish.rs", "session/update.rs"],
    // Where a request keeps it, and what handlers see of it.
    &["session/slot.rs"],
    &["session/session.rs"],
    &["session/detached.rs", "session/request.rs"],
    &["session.rs"],
    // tower, then the frameworks; pages of documentation, without code.
    &["middleware/"],
    &["axum.rs", "guide.rs"],
];

/// The root of the crate, which declares every module and is imported by none.
const ROOT: &str = "lib.rs";

/// The pages of documentation, which are modules without files.
const PAGES: &str = "guide.rs";

/// A file under `src`, by its path there.
struct Source {
    path: String,
    text: String,
}

/// A file that imports another one.
struct Edge {
    from: String,
    target: String,
    import: String,
}

#[test]
fn a_file_imports_only_from_layers_below_its_own() {
    assert_none(misplaced_imports(&sources()));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    assert_none(circles(&edges(&sources())));
}

#[test]
fn a_module_with_children_is_a_file_beside_its_folder() {
    let sources = sources();
    let inside = sources.iter().filter(|source| source.path.ends_with("/mod.rs"));
    assert_none(inside.map(|source| source.path.clone()).collect());
}

#[test]
fn every_entry_of_the_table_names_a_file() {
    let sources = sources();
    let is_unused = |entry: &&&str| !sources.iter().any(|source| fits(entry, &source.path));
    assert_none(LAYERS.concat().iter().filter(is_unused).map(|&entry| entry.to_owned()).collect());
}

#[test]
fn a_feature_is_asked_for_only_where_modules_are_declared() {
    assert_none(misplaced_features(&sources()));
}

fn misplaced_imports(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, .. } in sources {
        if path != ROOT && entry(path).is_none() {
            found.push(format!("{path} is in no layer: add it to `LAYERS`"));
        }
    }
    for Edge { from, target, import } in edges(sources) {
        if !may_import(&from, &target) {
            found.push(format!("{from} imports {import}, which is in {target}"));
        }
    }
    found
}

fn may_import(from: &str, target: &str) -> bool {
    match (entry(from), entry(target)) {
        (Some((from_layer, from)), Some((target_layer, target))) => {
            from == target || target_layer < from_layer
        }
        _ => false,
    }
}

/// The entry that a file belongs to, with the number of its layer.
fn entry(path: &str) -> Option<(usize, &'static str)> {
    let entries = LAYERS.iter().enumerate().flat_map(|(layer, entries)| {
        entries.iter().filter(|entry| fits(entry, path)).map(move |entry| (layer, *entry))
    });
    entries.max_by_key(|(_, entry)| entry.len())
}

fn fits(entry: &str, path: &str) -> bool {
    match entry.strip_suffix('/') {
        Some(folder) => path.starts_with(entry) || path.strip_suffix(".rs") == Some(folder),
        None => path == entry,
    }
}

/// Every import that leads from one file to another.
fn edges(sources: &[Source]) -> Vec<Edge> {
    let exists = |path: &str| has(sources, path);
    let mut all = BTreeMap::new();
    for source in sources {
        let tokens = outside_of_tests(tokens(&source.text));
        all.insert(&*source.path, (imports(&tokens), tokens));
    }
    let mut edges = Vec::new();
    for (&from, (imports, tokens)) in all.iter().filter(|(path, _)| **path != ROOT) {
        for import in imports {
            // A name that is only handed on is not used here.
            if import.is_reexport_of_child() && find(tokens, import.name()).len() == 1 {
                continue;
            }
            let Some((mut target, mut name)) = import.target(from, exists) else { continue };
            while let Some(next) = handed_on(&all, &target, &name, exists) {
                (target, name) = next;
            }
            if target != from {
                edges.push(Edge { from: from.into(), target, import: import.to_string() });
            }
        }
    }
    edges
}

/// The file of a child from which the file at `path` takes `name`.
fn handed_on(
    all: &BTreeMap<&str, (Vec<Import>, Vec<Token>)>,
    path: &str,
    name: &str,
    exists: impl Fn(&str) -> bool,
) -> Option<(String, String)> {
    if path == ROOT {
        return None;
    }
    let of_child = |import: &&Import| import.is_use_of_child() && import.name() == name;
    let (imports, _) = all.get(path)?;
    imports.iter().find(of_child)?.target(path, exists)
}

/// The imports that lie on a circle.
fn circles(edges: &[Edge]) -> Vec<String> {
    edges
        .iter()
        .filter(|edge| reaches(edges, &edge.target, &edge.from))
        .map(|Edge { from, target, import }| {
            format!("{from} imports {import} from {target}, in a circle")
        })
        .collect()
}

/// Whether the imports lead from one file to another.
fn reaches(edges: &[Edge], from: &str, to: &str) -> bool {
    let mut reached = vec![from];
    let mut at = 0;
    while let Some(&file) = reached.get(at) {
        if file == to {
            return true;
        }
        for edge in edges.iter().filter(|edge| edge.from == file) {
            if !reached.contains(&&*edge.target) {
                reached.push(&edge.target);
            }
        }
        at += 1;
    }
    false
}

/// Whether there is a folder of this name.
fn has_folder(sources: &[Source], name: &str) -> bool {
    sources
        .iter()
        .any(|source| source.path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

fn has(sources: &[Source], path: &str) -> bool {
    sources.iter().any(|source| source.path == path)
}

/// `cfg` attributes that name a feature, unless they stand on a `mod` or `use` in
/// `lib.rs`, in the file of a folder, or on a page. Examples of the documentation do not
/// count.
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
                || path == PAGES
                || path.strip_suffix(".rs").is_some_and(|name| has_folder(sources, name));
            if !(declares_modules && tokens.is_attribute_of_module_or_use(at)) {
                found.push(format!("{path} asks for {}", condition.text()));
            }
        }
    }
    found
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
            "codec.rs",
            "codec/json.rs",
            "store.rs",
            "store/file.rs",
            "store/file/dir.rs",
            "store/memory.rs",
            "session.rs",
            "session/open.rs",
            "session/state.rs",
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
        assert_refused("id.rs", "use crate::session::Session;", &["session.rs"]);
        assert_refused("store.rs", "pub use crate::axum::*;", &["axum.rs"]);
        assert_refused("error.rs", "use crate::session::open::State;", &["session/open.rs"]);
        assert_refused("session.rs", "use crate::axum;", &["axum.rs"]);
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
        assert_refused("error.rs", text, &["session/open.rs", "session/open.rs", "session.rs"]);
    }

    #[test]
    fn a_path_outside_of_a_use_counts() {
        let text = "fn f(session: &crate::session::Session) { super::axum::f(); }";
        assert_refused("ttl.rs", text, &["session.rs", "axum.rs"]);
        assert_refused("ttl.rs", "mod inner { use super::super::axum::f; }", &["axum.rs"]);
    }

    #[test]
    fn a_name_taken_from_the_root_hides_its_layer_and_is_refused() {
        assert_refused("session/open.rs", "use crate::Memory;", &["lib.rs"]);
        assert_refused("session/open.rs", "use crate::*;", &["lib.rs"]);
    }

    #[test]
    fn an_import_into_a_child_counts_unless_it_is_a_reexport() {
        assert_refused("store.rs", "use self::file::File;", &["store/file.rs"]);
        assert_accepted("store.rs", "pub use self::file::{File, FileError};");
        assert_accepted("session.rs", "use self::open::State;");
    }

    #[test]
    fn imports_from_below_and_within_an_entry_are_accepted() {
        assert_accepted("session/open.rs", "use crate::id::SessionId; use super::state::State;");
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
    fn a_file_without_a_layer_is_refused() {
        assert_eq!(misplaced_imports(&made_up("cellar.rs", "")).len(), 1);
    }

    #[test]
    fn an_import_from_above_in_the_same_folder_is_refused() {
        assert_refused("session/state.rs", "use super::open::Found;", &["session/open.rs"]);
        assert_refused("session/open.rs", "use super::Session;", &["session.rs"]);
    }

    #[test]
    fn a_reexported_name_belongs_to_the_file_of_the_child() {
        let text = "pub use self::open::State; use self::state::Live as L;";
        let mut sources = made_up("session.rs", text);
        let mut add = |text: &str| {
            let source = sources.iter_mut().find(|source| source.path == "error.rs");
            source.expect("a made-up file").text = text.into();
            misplaced_imports(&sources)
        };
        let found = add("use crate::session::State;");
        assert!(found.len() == 1 && found[0].ends_with("is in session/open.rs"), "{found:?}");
        let found = add("use crate::session::Other;");
        assert!(found.len() == 1 && found[0].ends_with("is in session.rs"), "{found:?}");
    }

    #[test]
    fn a_reexported_name_that_the_file_uses_itself_counts() {
        assert_accepted("store.rs", "pub use self::file::File;");
        let text = "pub use self::file::File; fn f(file: File) {}";
        assert_refused("store.rs", text, &["store/file.rs"]);
    }

    #[test]
    fn a_circle_is_found_and_what_only_leads_to_it_is_not() {
        let edge = |from: &str, target: &str| Edge {
            from: from.into(),
            target: target.into(),
            import: "`x`".into(),
        };
        let mut edges = vec![edge("a", "b"), edge("b", "c"), edge("c", "d"), edge("x", "a")];
        assert_eq!(circles(&edges).len(), 0);
        edges.push(edge("c", "a"));
        let found = circles(&edges);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(!found.iter().any(|circle| circle.starts_with('x')), "{found:?}");
    }

    #[test]
    fn a_feature_inside_the_code_is_refused() {
        let refused = |path, text| misplaced_features(&made_up(path, text)).len();
        let on_a_module = "#[cfg(feature = \"x\")]\n#[doc(hidden)]\npub(crate) mod x;";
        assert_eq!(refused("store.rs", on_a_module), 0);
        assert_eq!(refused("store.rs", "#[cfg(feature = \"x\")]\npub use self::x::X;"), 0);
        assert_eq!(refused("store.rs", "#[cfg(all(unix, feature = \"x\"))]\nfn f() {}"), 1);
        assert_eq!(refused("store.rs", "fn f() { if cfg!(feature = \"x\") {} }"), 1);
        assert_eq!(refused("store/memory.rs", on_a_module), 1);
        assert_eq!(refused("store/file.rs", on_a_module), 0);
        assert_eq!(refused("store/file.rs", "#[cfg(unix)]\nfn f() {}"), 0);
        assert_eq!(refused("store/file.rs", "#![cfg(feature = \"x\")]"), 1);
    }
}
