//! The paths of a file that lead to other files of the crate.

use std::fmt;

use super::tokens::{Token, Tokens, close};

/// A path that begins with `crate`, `super` or `self`.
pub(crate) struct Import {
    segments: Vec<String>,
    is_use: bool,
    is_public_use: bool,
    /// How many inline modules it stands in.
    depth: usize,
}

impl Import {
    /// Whether a file takes a name from a file in its folder.
    pub(crate) fn is_use_of_child(&self) -> bool {
        self.is_use && self.depth == 0 && self.segments.first().is_some_and(|first| first == "self")
    }

    /// Whether it also hands that name out.
    pub(crate) fn is_reexport_of_child(&self) -> bool {
        self.is_public_use && self.is_use_of_child()
    }

    /// The last word of the path.
    pub(crate) fn name(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// The file that the path leads to from the file `from`, and the name in it; `None`
    /// when it stays in that file.
    pub(crate) fn target(
        &self,
        from: &str,
        exists: impl Fn(&str) -> bool,
    ) -> Option<(String, String)> {
        let mut module = module(from);
        let mut rest = &self.segments[..];
        let mut depth = self.depth;
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "crate" => module.clear(),
                "super" if depth > 0 => depth -= 1,
                "super" => drop(module.pop()),
                "self" => {}
                _ => break,
            }
            rest = others;
        }
        // What is named from inside an inline module is in that module.
        if depth > 0 && self.segments.first().is_some_and(|first| first != "crate") {
            return None;
        }
        while let [segment, others @ ..] = rest {
            module.push(segment);
            if file(&module, &exists).is_none() {
                module.pop();
                break;
            }
            rest = others;
        }
        let name = rest.first().cloned().unwrap_or_default();
        file(&module, exists).filter(|target| target != from).map(|target| (target, name))
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.segments.join("::"))
    }
}

/// The modules that lead to a file: `store/file/dir.rs` is `[store, file, dir]`.
fn module(path: &str) -> Vec<&str> {
    path.trim_end_matches(".rs").split('/').filter(|&name| name != "lib").collect()
}

fn file(module: &[&str], exists: impl Fn(&str) -> bool) -> Option<String> {
    let path = match module {
        [] => "lib.rs".to_owned(),
        _ => format!("{}.rs", module.join("/")),
    };
    exists(&path).then_some(path)
}

pub(crate) fn imports(tokens: &[Token]) -> Vec<Import> {
    let mut found = Vec::new();
    let mut inline_modules = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        inline_modules.retain(|&end| end > at);
        let token = tokens[at].as_str();
        if token == "mod" && tokens.sign(at + 2) == "{" {
            inline_modules.push(close(tokens, at + 2));
        }
        let begins = matches!(token, "crate" | "super" | "self")
            && tokens.sign(at + 1) == "::"
            && !(at > 0 && matches!(tokens[at - 1].as_str(), "::" | "$"));
        if !begins {
            at += 1;
            continue;
        }
        let mut paths = Vec::new();
        let end = read(tokens, at, &[], &mut paths);
        // A macro of this crate is at its root, wherever it was written.
        if tokens.sign(end) != "!" {
            found.extend(paths.into_iter().map(|segments| Import {
                segments,
                is_use: at > 0 && tokens[at - 1] == "use",
                is_public_use: is_public_use(tokens, at),
                depth: inline_modules.len(),
            }));
        }
        at = end;
    }
    found
}

/// Reads the path or the tree of paths at `at`, and says where it ends.
fn read(tokens: &[Token], mut at: usize, before: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut segments = before.to_vec();
    loop {
        match tokens.sign(at) {
            "{" => {
                let end = close(tokens, at);
                at += 1;
                while at < end {
                    at = read(tokens, at, &segments, paths);
                    // Behind it are `as Name` and a comma.
                    while at < end && tokens[at] != "," {
                        at += 1;
                    }
                    at += 1;
                }
                return end + 1;
            }
            segment => segments.push(segment.to_owned()),
        }
        at += 1;
        let goes_on = tokens.sign(at) == "::" && tokens.sign(at + 1) != "<";
        if !goes_on {
            paths.push(segments);
            return at;
        }
        at += 1;
    }
}

fn is_public_use(tokens: &[Token], at: usize) -> bool {
    let before = &tokens[..at];
    match before {
        [.., public, used] if used == "use" => public == "pub" || public == ")",
        _ => false,
    }
}
