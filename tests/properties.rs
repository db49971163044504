//! What holds for every input, tried on random ones.

#[path = "properties/codecs.rs"]
mod codecs;
#[path = "properties/cookies.rs"]
mod cookies;
#[path = "properties/data.rs"]
mod data;
#[path = "properties/errors.rs"]
mod errors;
#[path = "properties/merges.rs"]
mod merges;
#[path = "properties/refusals.rs"]
mod refusals;
#[path = "properties/renamings.rs"]
mod renamings;
#[path = "support/secret.rs"]
mod secret;
#[path = "properties/settings.rs"]
mod settings;
#[path = "properties/versions.rs"]
mod versions;

use proptest::test_runner::Config;

/// A failure prints the smallest input that shows it, and writes no file.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}
