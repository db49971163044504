//! Rust source as words and signs, without comments and literals.

/// A word, `::`, or a single sign. A literal is a single `"`.
pub(crate) type Token = String;

/// What can be asked of a run of tokens.
pub(crate) trait Tokens {
    /// What stands between the parentheses behind the word at `at`, be it a
    /// macro or not.
    fn group_after(&self, at: usize) -> Option<&[Token]>;

    /// Whether the word at `at` begins an outer attribute, and that of a `mod` or
    /// `use`.
    fn is_attribute_of_module_or_use(&self, at: usize) -> bool;

    fn has(&self, word: &str) -> bool;

    fn text(&self) -> String;

    /// The word or sign at `at`, or nothing.
    fn sign(&self, at: usize) -> &str;
}

impl Tokens for [Token] {
    fn group_after(&self, at: usize) -> Option<&[Token]> {
        let open = if self.sign(at + 1) == "!" { at + 2 } else { at + 1 };
        (self.sign(open) == "(").then(|| &self[open + 1..close(self, open)])
    }

    fn is_attribute_of_module_or_use(&self, at: usize) -> bool {
        let is_outer = at >= 2 && self.sign(at - 2) == "#" && self.sign(at - 1) == "[";
        let mut next = at;
        if is_outer {
            next = close(self, at - 1) + 1;
        }
        while self.sign(next) == "#" {
            next = close(self, next + 1) + 1;
        }
        if self.sign(next) == "pub" {
            next += 1;
        }
        if self.sign(next) == "(" {
            next = close(self, next) + 1;
        }
        is_outer && matches!(self.sign(next), "mod" | "use")
    }

    fn has(&self, word: &str) -> bool {
        self.iter().any(|token| token == word)
    }

    fn text(&self) -> String {
        self.concat()
    }

    fn sign(&self, at: usize) -> &str {
        self.get(at).map_or("", String::as_str)
    }
}

/// Where the word stands.
pub(crate) fn find(tokens: &[Token], word: &str) -> Vec<usize> {
    (0..tokens.len()).filter(|&at| tokens[at] == word).collect()
}

/// Leaves out every `#[cfg(test)] mod .. { .. }`.
pub(crate) fn outside_of_tests(mut tokens: Vec<Token>) -> Vec<Token> {
    const TESTS: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    while let Some(start) = tokens.windows(TESTS.len()).position(|window| window == TESTS) {
        let open = start + TESTS.len() + 1;
        let end = if tokens.sign(open) == "{" { close(&tokens, open) } else { open };
        tokens.drain(start..=end.min(tokens.len() - 1));
    }
    tokens
}

/// The bracket that closes the one at `open`, or the end.
pub(crate) fn close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            tokens.push("\"".to_owned());
            length
        } else {
            let length = match first {
                _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                _ if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            if !first.is_whitespace() {
                tokens.push(rest[..length].to_owned());
            }
            length
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the comment at the start, with those inside it.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        match text.get(at..at + 2) {
            Some("/*") => (depth, at) = (depth + 1, at + 2),
            Some("*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of the string or character at the start; a lifetime is none.
fn literal(text: &str) -> Option<usize> {
    let body = text.trim_start_matches(['b', 'c', 'r']);
    let prefix = &text[..text.len() - body.len()];
    if prefix.len() > 2 {
        return None;
    }
    let hashes = body.len() - body.trim_start_matches('#').len();
    if prefix.ends_with('r') && body[hashes..].starts_with('"') {
        let end = format!("\"{}", &body[..hashes]);
        let start = prefix.len() + hashes + 1;
        return text[start..].find(&end).map(|length| start + length + end.len());
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let is_lifetime = quote == '\'' && !body[1..].starts_with('\\') && {
        let mut characters = body[1..].chars();
        characters.next();
        characters.next() != Some('\'')
    };
    if is_lifetime {
        return None;
    }
    let mut is_escaped = false;
    let length = body[1..].find(|c| {
        let ends = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    })?;
    Some(prefix.len() + length + 2)
}
