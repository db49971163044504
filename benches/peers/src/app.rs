//! A contestant in this process, and the proof that it works.

use std::time::Duration;

use crate::case::Case;
use crate::visitor::Visitor;

/// How many sessions a contestant's store holds. Requests use them in turn.
pub const SESSIONS: usize = 1_000;

/// An application that answers requests in this process, or in a child of it.
pub trait App {
    fn name(&self) -> &'static str;

    /// The contestant whose time is subtracted.
    fn baseline(&self) -> &'static str;

    /// One request and all of its response; the path may be any.
    fn ask(&mut self, path: &str, cookie: Option<&str>) -> Answer;

    /// The cookies, which requests use in turn.
    fn use_cookies(&mut self, cookies: Vec<String>);

    /// The time of so many requests, with their making.
    fn run(&mut self, case: Case, requests: u32) -> Duration;

    /// Allocations of such a request, where this program counts them.
    fn allocations(&mut self, case: Case) -> u64;
}

/// What an application answered.
pub struct Answer {
    pub status: u16,
    /// What a browser would send back, when a cookie was set.
    pub cookie: Option<String>,
    pub body: String,
}

/// Proves that the application keeps sessions, and fills its store.
pub fn prepare(app: &mut dyn App) {
    if app.name() == app.baseline() || app.name() == crate::apps::EMPTY_LAYER {
        assert_eq!(app.ask("/ignore", Some("id=x")).status, 200);
        assert_eq!(app.ask("/read", None).body, "seen");
        app.use_cookies(vec![format!("id={}.{}", "a".repeat(43), "b".repeat(43))]);
        return;
    }
    prove(app.name(), &mut |path, cookie| app.ask(path, cookie));
    let cookies = (0..SESSIONS).map(|_| filled(app.name(), app.ask("/fill/0", None)));
    let cookies = cookies.collect();
    app.use_cookies(cookies);
}

/// Without this, a mistake in the set-up would look like a good figure.
pub fn prove(name: &str, ask: &mut dyn FnMut(&str, Option<&str>) -> Answer) {
    let mut mine = filled(name, ask("/fill/0", None));
    let other = filled(name, ask("/fill/0", None));
    assert_ne!(mine, other, "{name}: two sessions, one cookie");
    for path in ["/change", "/read", "/change", "/ignore", "/change"] {
        let answer = ask(path, Some(&mine));
        assert_eq!((answer.status, answer.body.as_str()), (200, "seen"), "{name}: {path}");
        mine = answer.cookie.unwrap_or(mine);
    }
    let mut shown = |cookie: Option<&str>| ask("/show", cookie).body;
    let changed = Visitor { visits: 3, ..Visitor::sample() };
    assert_eq!(shown(Some(&mine)), changed.describe(), "{name}: changes are not kept");
    assert_eq!(shown(Some(&other)), Visitor::sample().describe(), "{name}: sessions are mixed");
    let unknown = Visitor::default().describe();
    assert_eq!(shown(None), unknown, "{name}: a request without a cookie has a session");
    for forged in forgeries(&mine) {
        assert_eq!(shown(Some(&forged)), unknown, "{name}: a forged cookie is taken: {forged}");
    }
    assert_eq!(shown(Some(&mine)), changed.describe(), "{name}: the forger ended the session");
}

/// The cookie of a new session.
pub fn filled(name: &str, answer: Answer) -> String {
    assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    answer.cookie.unwrap_or_else(|| panic!("{name} sets no cookie"))
}

/// The cookie with one character changed, early and late in its value.
fn forgeries(cookie: &str) -> impl Iterator<Item = String> {
    let value = cookie.find('=').expect("a pair") + 1;
    let length = cookie.len() - value;
    [length / 4, length / 2, length * 3 / 4].into_iter().map(move |at| {
        let mut forged = cookie.as_bytes().to_vec();
        let byte = &mut forged[value + at];
        *byte = match *byte {
            b'a' => b'b',
            _ => b'a',
        };
        String::from_utf8(forged).expect("ASCII")
    })
}
