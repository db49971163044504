//! The lists of rules leave none out.

const SUITE: &str = include_str!("../../src/contract/suite.rs");
const DETECTS: &str = include_str!("detects.rs");
const THEMES: [(&str, &str); 8] = [
    ("records", include_str!("../../src/contract/records.rs")),
    ("revisions", include_str!("../../src/contract/revisions.rs")),
    ("times", include_str!("../../src/contract/times.rs")),
    ("expiry", include_str!("../../src/contract/expiry.rs")),
    ("values", include_str!("../../src/contract/values.rs")),
    ("keys", include_str!("../../src/contract/keys.rs")),
    ("races", include_str!("../../src/contract/races.rs")),
    ("cancellation", include_str!("../../src/contract/cancellation.rs")),
];

#[test]
fn every_rule_is_a_test_of_the_macro() {
    let listed = SUITE.lines().filter(|line| rules().any(|(_, rule)| line.trim() == rule));
    assert_eq!(listed.count(), rules().count());
}

#[test]
fn every_rule_is_shown_to_fail() {
    for (theme, rule) in rules() {
        assert!(DETECTS.contains(&format!("{theme}::{rule}:")), "{theme}::{rule} never fails");
    }
}

/// Each rule, with the file it is in.
fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    THEMES.iter().flat_map(|(theme, source)| {
        let starts = source.lines().filter_map(|line| line.strip_prefix("pub async fn "));
        starts.filter_map(|start| Some((*theme, start.split_once('<')?.0)))
    })
}
