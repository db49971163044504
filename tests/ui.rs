//! What does not compile, and what the compiler then says.
//!
//! Each file in `ui-tests/fail/` makes one mistake and is named after it; the
//! `.stderr` beside it is what its author reads. The twin in `ui-tests/pass/`
//! does the same thing right; several mistakes may share one. The messages are
//! those of the compiler that `rust-version` names: `TRYBUILD=overwrite cargo
//! test --all-features --test ui` writes them anew.

use trybuild::TestCases;

#[test]
fn a_mistake_does_not_compile_and_the_message_explains_it() {
    let cases = TestCases::new();
    cases.compile_fail("ui-tests/fail/*.rs");
    // With a case that passes, all are built instead of checked, and only a
    // build evaluates what a generic function asserts.
    cases.pass("ui-tests/pass/a_secret_key_that_is_too_short.rs");
}

#[test]
fn the_same_without_the_mistake_compiles() {
    TestCases::new().pass("ui-tests/pass/*.rs");
}
