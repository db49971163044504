//! The programs of the guide that promise something. The pages show them word for word.

mod ending_all_sessions;
#[expect(clippy::future_not_send, reason = "a page's errors are boxed, and stay in their thread")]
mod testing;

#[test]
fn the_pages_show_these_programs() {
    for (page, program) in [
        (include_str!("../../docs/recipes.md"), include_str!("ending_all_sessions.rs")),
        (include_str!("../../docs/testing.md"), include_str!("testing.rs")),
        (include_str!("../../docs/deployments.md"), include_str!("../deployments/moving.rs")),
        (include_str!("../../docs/deployments.md"), include_str!("../deployments/renaming.rs")),
    ] {
        let (_, shown) = program.split_once("// The page begins here.\n\n").expect("a beginning");
        let (shown, _) = shown.split_once("\n// The page ends here.").expect("an end");
        assert!(page.contains(&format!("```rust\n{shown}```\n")), "the page shows another program");
    }
}
