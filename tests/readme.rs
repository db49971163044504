//! What the documentation quotes is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_readme_quotes_the_compiler_word_for_word() {
    let messages: Vec<String> = files("ui-tests/fail", "stderr").iter().map(read).collect();
    let readme = read("README.md");
    let quoted: Vec<&str> = readme
        .split("```text\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("\n```"))
        .map(|(block, _)| block)
        .collect();
    assert!(quoted.len() >= 4, "the readme shows too few messages");
    for block in quoted {
        assert!(
            messages.iter().any(|message| message.contains(block)),
            "the compiler does not say this any more:\n{block}"
        );
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    let folders = ["dev", "src", "stores", "tests"];
    let sources: String = folders.iter().flat_map(|dir| files(dir, "rs")).map(read).collect();
    for (page, rows) in [("SECURITY.md", 20), ("docs/deployments.md", 40)] {
        let text = read(page);
        // A program of the page has names of its own.
        let text: String = text.split("```").step_by(2).collect();
        // Every other piece stands between backticks; only tests have so many words.
        let named: BTreeSet<&str> = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| code.matches('_').count() > 3)
            .collect();
        assert!(named.len() >= rows, "{page} names too few tests");
        for test in named {
            let is_there = [format!("fn {test}("), format!("fn {test}<")];
            let is_there = is_there.iter().any(|it| sources.contains(it));
            assert!(is_there, "there is no test `{test}`, which {page} names");
        }
    }
}

#[test]
fn every_rule_of_the_matrix_is_a_test_that_the_page_on_deployments_names() {
    let page = read("docs/deployments.md");
    let matrix = read("tests/deployments/matrix.rs");
    let rules = matrix.split("pub(crate) async fn ").skip(1);
    let rules: Vec<&str> = rules.filter_map(|rest| rest.split(['<', '(']).next()).collect();
    assert!(rules.len() >= 20, "there are too few rules");
    let (listed, _) = matrix.split_once("pub(crate) use matrix;").expect("the list");
    for rule in rules {
        assert!(page.contains(&format!("`{rule}`")), "the page has no row for {rule}");
        assert!(listed.contains(&format!(" {rule}\n")), "no store is tried with {rule}");
    }
}

#[test]
fn every_file_that_the_documentation_links_to_exists() {
    for page in pages() {
        let text = read(&page);
        let folder = page.parent().expect("a folder");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let definitions = text.lines().filter(|line| line.starts_with('['));
        let definitions = definitions.filter_map(|line| line.split_once("]: "));
        let links = links.map(|(link, _)| link).chain(definitions.map(|(_, link)| link));
        for link in links.filter(|link| !link.contains("://")) {
            let (file, _) = link.split_once('#').unwrap_or((link, ""));
            assert!(folder.join(file).exists(), "{} links to {link}", page.display());
        }
    }
}

#[test]
fn every_link_of_a_page_leads_somewhere_in_the_documentation_too() {
    // `links.md` stands in front of each page there. It knows the items and the pages.
    let in_documentation = read("src/guide/links.md");
    for page in files("docs", "md") {
        let text = read(&page);
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (link, _) in inline {
            assert!(
                link.starts_with('#') || link.contains("://"),
                "{}: define {link} below, and in `src/guide/links.md`",
                page.display()
            );
        }
        for line in text.lines().filter(|line| line.starts_with('[')) {
            let Some((name, _)) = line.split_once("]: ") else { continue };
            assert!(
                in_documentation.contains(&format!("{name}]: ")),
                "{name}] of {}",
                page.display()
            );
        }
    }
}

#[test]
fn every_store_crate_has_its_pages_and_licenses() {
    let crates: Vec<PathBuf> = fs::read_dir(root().join("stores"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(crates.len() >= 4, "there are too few crates of stores");
    for folder in crates {
        for page in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(!read(folder.join(page)).is_empty(), "{}: {page}", folder.display());
        }
    }
}

#[test]
fn the_readme_names_the_oldest_rust_that_cargo_accepts() {
    let manifest = read("Cargo.toml");
    let version =
        manifest.split_once("rust-version = \"").and_then(|(_, rest)| rest.split_once('"'));
    let (version, _) = version.expect("a rust-version in Cargo.toml");
    assert!(read("README.md").contains(&format!("Rust {version} or newer")));
    assert!(read("tests/run").contains(&format!("Rust {version} or newer")));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the repository and of its crates.
fn pages() -> Vec<PathBuf> {
    let of_the_root = fs::read_dir(root()).expect("a directory");
    let of_the_root = of_the_root.map(|entry| entry.expect("an entry").path());
    let of_the_root =
        of_the_root.filter(|path| path.extension().is_some_and(|found| found == "md"));
    of_the_root.chain(["docs", "stores"].iter().flat_map(|dir| files(dir, "md"))).collect()
}

/// The files below `dir` whose names end in `extension`.
fn files(dir: impl AsRef<Path>, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(dir)).expect("a directory");
    entries
        .flat_map(|entry| {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => files(path, extension),
                false => vec![path],
            }
        })
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}
